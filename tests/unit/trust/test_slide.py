import anndata
import numpy as np
import pandas as pd
import pytest

from ressat.trust.slide import FAMILIAR, NOVEL, PARTLY, describe, relation_to_error, squared_errors

HELD_OUT = {"T1": 0.02, "T2": 0.2}


def parts(share: float) -> dict[str, np.ndarray]:
    """Parts of novelty of 100 tiles, of which a share is above 1 by its features."""
    features = np.where(np.arange(100) < 100 * share, 1.5, 0.5)
    return {"features": features, "colours": np.full(100, 0.4), "stain": np.full(100, np.nan)}


@pytest.mark.parametrize(
    ("share", "verdict"),
    [(0.05, FAMILIAR), (0.1, FAMILIAR), (0.2, FAMILIAR), (0.21, PARTLY), (0.5, PARTLY), (0.51, NOVEL)],
)
def test_a_section_is_called_new_by_its_share_of_new_tiles(share, verdict):
    summary = describe(parts(share), HELD_OUT)
    assert summary["verdict"] == verdict
    assert summary["share_above"] == share
    assert summary["share_above_by_part"] == {"features": share, "colours": 0.0, "stain": None}
    assert summary["expected"] == 0.05


def test_twice_what_is_expected_is_unremarkable_whatever_training_sections_had():
    assert describe(parts(0.1), {"T1": 0.0})["verdict"] == FAMILIAR
    assert describe(parts(0.11), {"T1": 0.0})["verdict"] == PARTLY


@pytest.fixture
def predictions():
    adata = anndata.AnnData(np.array([[1.0, 2, 5], [3, 2, 5]], np.float32))
    adata.var = pd.DataFrame({"training_sd": [1.0, 2.0, 1.0]}, index=list("abc"))
    return adata


def test_the_error_of_a_spot_is_in_z_units_over_the_measured_genes(predictions):
    predictions.layers["observed"] = np.array([[2.0, 4, np.nan], [3, 4, np.nan]])
    np.testing.assert_allclose(squared_errors(predictions), [1.0, 0.5])


def test_without_counts_there_is_no_error(predictions):
    errors = squared_errors(predictions)
    assert np.isnan(errors).all()
    assert set(relation_to_error(np.ones(2), errors, np.zeros((2, 2))).values()) == {None}


def test_a_novelty_that_goes_with_the_error_is_told_from_one_that_does_not():
    rng = np.random.default_rng(2)
    x, y = np.meshgrid(np.arange(15.0), np.arange(15.0))
    coords = np.column_stack([x.ravel(), y.ravel()])
    novelty = rng.gamma(3, size=225)
    related = relation_to_error(novelty, novelty + rng.gamma(3, size=225), coords)
    assert related["error_correlation"] > 0.5
    assert related["error_p_value"] < 1e-4
    unrelated = relation_to_error(novelty, rng.gamma(3, size=225), coords)
    assert abs(unrelated["error_correlation"]) < 0.2
    assert unrelated["error_p_value"] > 0.01
    opposed = relation_to_error(novelty, -novelty, coords)
    assert opposed["error_p_value"] > 0.9


@pytest.mark.parametrize("errors", [np.ones(30), np.arange(30.0)])
def test_a_relation_that_is_undefined_is_none(errors):
    coords = np.random.default_rng(0).uniform(size=(30, 2))
    constant = relation_to_error(np.ones(30), errors, coords)
    assert constant["error_correlation"] is None
    assert constant["error_p_value"] is None
    few = relation_to_error(np.arange(5.0), np.arange(5.0), coords[:5])
    assert few["error_correlation"] is None
    assert few["mean_squared_error"] == 2
