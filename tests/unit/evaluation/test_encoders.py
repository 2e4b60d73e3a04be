"""Encoders compared, by hand."""

import anndata
import numpy as np
import pandas as pd
import pytest

from ressat.base.errors import InputError
from ressat.evaluation.encoders import COLUMNS, RIDGES, compare_encoders, score_encoder
from ressat.stats.metrics import pearson
from ressat.stats.partial import partial_pearson

COSTS = {"one": {"tiles_per_s": 10.0, "kb_per_tile": 6.0}, "two": {"tiles_per_s": np.nan, "kb_per_tile": 2.0}}
CEILING = pd.DataFrame(
    {
        "gene": ["b", "a"],
        "ceiling": [np.nan, 0.8],
        "ceiling_low": [np.nan, 0.7],
        "ceiling_depth_free": [np.nan, 0.6],
        "ceiling_low_depth_free": [np.nan, 0.5],
    }
)


def rows(encoder, patient, section, scores, ceilings=(0.5, np.nan), layer="combined"):
    """Scores of the genes of a section; the twins are a tenth lower."""
    return pd.DataFrame(
        {
            "protocol": "holdout", "encoder": encoder, "network": f"net_{encoder}", "model": "ressat",
            "layer": layer, "fold": "f",
            "section": section, "patient": patient, "gene": list("abc")[: len(scores)], "pearson": scores,
            "pearson_depth_free": np.array(scores) - 0.1, "ceiling": ceilings, "ceiling_depth_free": ceilings,
        }
    )  # fmt: skip


def table_of(*parts) -> pd.DataFrame:
    return compare_encoders(pd.concat(parts, ignore_index=True), COSTS)


def of(table, encoder, patient=""):
    (row,) = table[(table["encoder"] == encoder) & (table["patient"] == patient)].itertuples()
    return row


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    scores = {"one": ([0.2, 0.4], [0.4, 0.6], [0.1, 0.3]), "two": ([0.3, 0.4], [0.5, np.nan], [0, 0.3])}
    places = (("P1", "A"), ("P1", "B"), ("P2", "C"))
    return table_of(
        *(
            rows(encoder, *place, of_section)
            for encoder, of_encoder in scores.items()
            for place, of_section in zip(places, of_encoder, strict=True)
        )
    )


def test_sections_come_before_patients_and_patients_before_the_study(table):
    assert list(table.columns) == COLUMNS
    # P1 is the mean of sections A (0.3) and B (0.5), and the study that of P1 and P2.
    assert of(table, "one", "P1").mean_pearson == pytest.approx(0.4)
    assert of(table, "one").mean_pearson == pytest.approx((0.4 + 0.2) / 2)
    assert of(table, "one").mean_pearson_depth_free == pytest.approx(0.2)
    assert (of(table, "one").n_patients, of(table, "one").n_sections) == (2, 3)
    assert (of(table, "one", "P1").n_patients, of(table, "one", "P1").n_sections) == (1, 2)


def test_differences_are_those_of_genes_that_both_have(table):
    # Gene b of section B is undefined for the second encoder: a alone differs there.
    assert of(table, "two", "P1").minus_first == pytest.approx((0.05 + 0.1) / 2)
    assert of(table, "two", "P2").minus_first == pytest.approx(-0.05)
    assert of(table, "two").minus_first == pytest.approx((0.075 - 0.05) / 2)
    assert of(table, "two").minus_first_depth_free == pytest.approx(of(table, "two").minus_first)
    assert of(table, "one").minus_first == 0
    assert of(table, "two", "P1").n_genes == 1, "the section with the fewest"
    assert np.isnan(of(table, "two").minus_first_low), "no interval of two patients"


def test_the_share_of_the_ceiling_is_over_the_same_genes(table):
    # Gene a alone has a ceiling: its mean over sections within patients, over 0.5.
    assert of(table, "one").share_of_ceiling == pytest.approx(((0.2 + 0.4) / 2 + 0.1) / 2 / 0.5)
    assert of(table, "one").n_with_ceiling == 1
    assert of(table, "one", "P2").share_of_ceiling_depth_free == pytest.approx(0.0)


def test_without_any_ceiling_the_share_is_undefined():
    row = of(table_of(rows("one", "P1", "A", [0.2, 0.3], [np.nan, np.nan])), "one")
    assert np.isnan(row.share_of_ceiling)
    assert row.n_with_ceiling == 0
    assert row.mean_pearson == pytest.approx(0.25)


def test_five_patients_have_an_interval():
    parts = [rows("one", f"P{n}", f"S{n}", [0.3, 0.3]) for n in range(5)]
    parts += [rows("two", f"P{n}", f"S{n}", [0.3 + n / 100] * 2) for n in range(5)]
    row = of(table_of(*parts), "two")
    assert row.minus_first == pytest.approx(0.02)
    half = 2.7764451 * np.std([0, 0.01, 0.02, 0.03, 0.04], ddof=1) / np.sqrt(5)
    assert row.minus_first_low == pytest.approx(0.02 - half)
    assert row.minus_first_high == pytest.approx(0.02 + half)


def test_costs_stand_beside_every_score(table):
    assert set(table.loc[table["encoder"] == "one", "tiles_per_s"]) == {10.0}
    assert table.loc[table["encoder"] == "two", "tiles_per_s"].isna().all()
    assert set(table.loc[table["encoder"] == "two", "kb_per_tile"]) == {2.0}


def test_a_section_is_scored_by_its_headline_and_both_ridges():
    random = np.random.default_rng(0)
    tables = {name: random.normal(size=(50, 2)) for name in ("observed", "combined", *RIDGES)}
    obs = pd.DataFrame({"n_counts": random.uniform(300, 3000, 50)}, index=[f"s{n}" for n in range(50)])
    var = pd.DataFrame(index=["a", "b"])
    predictions = anndata.AnnData(
        obs=obs, var=var, layers={name: tables[name] for name in ("observed", "combined")}
    )
    names = {"protocol": "holdout", "fold": "f", "section": "S1", "patient": "P1"}
    predictions.uns["ressat"] = names | {"headline": "combined", "encoder": "uni"}
    baselines = anndata.AnnData(obs=obs, var=var, layers={name: tables[name] for name in RIDGES})
    scores = score_encoder("uni", predictions, baselines, CEILING)
    assert list(scores["layer"].unique()) == ["combined", *RIDGES]
    assert set(scores["encoder"]) == {"uni"}
    for layer, of_layer in scores.groupby("layer"):
        np.testing.assert_allclose(of_layer["pearson"], pearson(tables["observed"], tables[layer]))
        twins = partial_pearson(tables["observed"], tables[layer], np.log(obs["n_counts"].to_numpy()))
        np.testing.assert_allclose(of_layer["pearson_depth_free"], twins)
        np.testing.assert_array_equal(of_layer["ceiling"], [0.8, np.nan])
    with pytest.raises(
        InputError, match="section S1: its spots or genes are not those of the section's predictions"
    ):
        score_encoder("uni", predictions, baselines[::-1].copy(), CEILING)
