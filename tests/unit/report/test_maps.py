"""Maps are packed for the page without loss that an eye could see, and genes that matter come first."""

import base64
import zlib

import numpy as np
import pandas as pd
import pytest

from ressat.report.maps import (
    NO_VALUE,
    STEPS,
    Prediction,
    gene_pack,
    genes_with_maps,
    ranked_genes,
    section_map,
)


def prediction(predicted, observed=None, centres=None) -> Prediction:
    """A section of a gene G, on an image of 400 x 300 px at 10 um/px."""
    count = len(predicted)
    centres = (
        np.column_stack([np.linspace(50, 350, count), np.full(count, 150.0)]) if centres is None else centres
    )
    return Prediction(
        {"section": "S", "fold": "F", "patient": "P"},
        np.full((300, 400, 3), 200, np.uint8),
        centres,
        20.0,
        10.0,
        pd.DataFrame({"G": predicted}),
        None if observed is None else pd.DataFrame({"G": observed}),
    )


def unpacked(packed: str) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8).astype(float)


def test_values_come_back_within_half_a_step():
    rng = np.random.default_rng(0)
    observed, predicted = rng.gamma(2.0, size=200), rng.normal(1.0, 0.01, 200)
    about, packed = gene_pack("G", [prediction(predicted, observed)])
    levels = unpacked(packed)
    for kind, part, values in (("observed", levels[:200], observed), ("predicted", levels[200:], predicted)):
        low, step = about[kind]
        assert step == pytest.approx(np.ptp(values) / STEPS)
        np.testing.assert_allclose(low + step * part, values, atol=step / 2 + 1e-9)


def test_one_odd_spot_does_not_flatten_the_scale():
    values = np.r_[np.linspace(0, 1, 199), 1000.0]
    about, _ = gene_pack("G", [prediction(values, values)])
    assert about["scale"][1] < 1.1
    assert about["difference"] == 0.01


def test_what_is_missing_is_told_from_zero():
    about, packed = gene_pack("G", [prediction(np.zeros(3), [0.0, np.nan, 2.0]), prediction([np.nan, 1.0])])
    levels = unpacked(packed)
    assert (levels == NO_VALUE).tolist() == [False, True, False] + [False] * 3 + [True, False]
    assert about["observed"][0] == 0


def test_a_gene_that_no_section_has_is_not_packed():
    assert gene_pack("OTHER", [prediction(np.ones(3), np.ones(3))]) is None
    assert gene_pack("G", [prediction(np.full(3, np.nan))]) is None


def test_a_constant_gene_has_a_scale():
    about, _ = gene_pack("G", [prediction(np.ones(4), np.ones(4))])
    assert about["scale"][0] < about["scale"][1]


def test_the_scale_bar_has_the_length_it_says():
    about = section_map(prediction(np.ones(5), np.ones(5)))
    # Spots span 300 px, and the margin is 30 px and more: 3.6 mm at 10 um/px, a third of which is 1.2 mm.
    assert about["bar_um"] == 1000
    assert about["width"] == 480
    assert about["bar_share"] * 360 * 10 == pytest.approx(1000, rel=0.01)


def test_spots_lie_on_the_image_where_they_lay_on_the_slide():
    about = section_map(prediction(np.ones(5), np.ones(5)))
    places = np.frombuffer(base64.b64decode(about["places"]), "<f4").reshape(-1, 2)
    scale = 480 / 360
    np.testing.assert_allclose(np.diff(places[:, 0]), 75 * scale, rtol=1e-3)
    assert about["diameter"] == pytest.approx(20 * scale, rel=1e-3)
    assert about["tested"]
    assert not section_map(prediction(np.ones(5)))["tested"]


def test_genes_that_are_asked_for_are_mapped_beside_the_first():
    assert genes_with_maps(["A", "B", "C", "D"], 2, []) == ["A", "B"]
    assert genes_with_maps(["A", "B", "C", "D"], 2, ["D", "X", "A"]) == ["A", "B", "D"]


def test_genes_rank_as_in_their_table_each_once():
    table = pd.DataFrame({"gene": ["A", "B", "C", "B", "D"]})
    assert ranked_genes(table, []) == ["A", "B", "C", "D"]
    assert ranked_genes(None, []) == []
