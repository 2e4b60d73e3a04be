import anndata
import numpy as np
import pandas as pd
import pytest

from ressat.evaluation.scales import SCALES, score_scales
from ressat.stats.significance import correlation_p_values

GENES = list("abcd")
TESTED = ["pearson", "tuned_ridge", "n_effective", "p_value"]
COLUMNS = [
    "protocol", "fold", "section", "patient", "gene", "scale", "scale_um", *TESTED,
    *(f"{name}_depth_free" for name in TESTED),
]  # fmt: skip


def section(spots: int = 144, seed: int = 0, mpp: float = 0.5) -> tuple[anndata.AnnData, anndata.AnnData]:
    """A section on a square array of 200 px, its predictions and its tuned ridge; gene d is constant."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(spots)))
    coords = 200.0 * np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2)[:spots]
    observed = rng.normal(size=(spots, 4)).astype(np.float32)
    observed[:, 3] = 1.5
    attended = observed + rng.normal(size=observed.shape)
    ridge = observed + 3 * rng.normal(size=observed.shape)
    obs = pd.DataFrame({"n_counts": rng.uniform(300, 3000, spots)}, index=[f"s{i}" for i in range(spots)])
    layers = {"observed": observed, "attended": attended, "direct": rng.normal(size=observed.shape)}
    var = pd.DataFrame(index=GENES)
    predictions = anndata.AnnData(attended, obs=obs, var=var, layers=layers, obsm={"spatial": coords})
    names = {"protocol": "holdout, unseen patients", "fold": "holdout", "section": "S1", "patient": "P1"}
    predictions.uns["ressat"] = {**names, "headline": "attended", "mpp": mpp}
    return predictions, anndata.AnnData(obs=obs, var=var, layers={"tuned_ridge": ridge})


def at(scores: pd.DataFrame, scale: int) -> pd.DataFrame:
    return scores[scores["scale"] == scale].set_index("gene")


def by_hand(values: np.ndarray, coords: np.ndarray, full_width: float) -> np.ndarray:
    """Gaussian means of a map: a neighbour half the full width away weighs half as much as the spot."""
    distance = np.hypot(*(coords[:, None] - coords[None]).T)
    weights = 0.5 ** ((distance / (full_width / 2)) ** 2)
    weights[distance > 3 * full_width / np.sqrt(8 * np.log(2)) + 1e-6] = 0
    return (weights @ values) / weights.sum(axis=1)


@pytest.mark.parametrize("scale", [2, 4])
def test_both_sides_are_averaged_over_as_many_pitches_as_the_scale_says(scale):
    predictions, baselines = section()
    row = at(score_scales(predictions, baselines), scale).loc["b"]
    coords = predictions.obsm["spatial"]
    observed, predicted, ridge, depth = (
        by_hand(map_, coords, scale * 200.0)
        for map_ in (
            predictions.layers["observed"][:, 1].astype(float),
            predictions.layers["attended"][:, 1],
            baselines.layers["tuned_ridge"][:, 1],
            np.log(predictions.obs["n_counts"].to_numpy()),
        )
    )
    assert row["pearson"] == pytest.approx(np.corrcoef(observed, predicted)[0, 1])
    assert row["tuned_ridge"] == pytest.approx(np.corrcoef(observed, ridge)[0, 1])
    # Given depth at the same scale: correlations of what lines in it leave.
    rests = [y - np.polyval(np.polyfit(depth, y, 1), depth) for y in (observed, predicted, ridge)]
    assert row["pearson_depth_free"] == pytest.approx(np.corrcoef(rests[0], rests[1])[0, 1])
    assert row["tuned_ridge_depth_free"] == pytest.approx(np.corrcoef(rests[0], rests[2])[0, 1])
    for given, twin in ((None, ""), (depth, "_depth_free")):
        p, size = correlation_p_values(observed[:, None], predicted[:, None], coords, given)
        assert row[f"p_value{twin}"] == pytest.approx(p[0])
        assert row[f"n_effective{twin}"] == pytest.approx(size[0])


def test_every_score_has_its_scale_in_pitches_and_in_um():
    scores = score_scales(*section())
    assert list(scores.columns) == COLUMNS
    assert scores.groupby("scale").size().to_dict() == dict.fromkeys(SCALES, len(GENES))
    # 200 px of 0.5 um.
    assert scores.groupby("scale")["scale_um"].unique().map(list).to_dict() == {2: [200.0], 4: [400.0]}


def test_coarser_maps_are_worth_fewer_spots_and_noise_averages_out():
    scores = score_scales(*section(spots=400))
    fine, coarse = (at(scores, scale).loc[["a", "b", "c"]] for scale in SCALES)
    assert (coarse["n_effective"] < 0.6 * fine["n_effective"]).all()
    assert (fine["n_effective"] < 200).all()


def test_constant_genes_and_genes_without_truth_are_undefined():
    predictions, baselines = section()
    predictions.layers["observed"][:, 0] = np.nan
    scores = score_scales(predictions, baselines)
    for scale in SCALES:
        assert at(scores, scale)[["pearson", "p_value_depth_free"]].isna().all(axis=1).tolist() == [
            True, False, False, True,
        ]  # fmt: skip


@pytest.mark.parametrize("spots", [1, 2, 3, 5])
def test_sections_of_a_few_spots_are_scored_without_a_discovery(spots):
    scores = score_scales(*section(spots))
    assert len(scores) == len(SCALES) * len(GENES)
    assert (scores[["p_value", "p_value_depth_free"]].fillna(1) > 0.05).all(axis=None)
    if spots == 1:
        assert scores[[*TESTED, "scale_um"]].isna().all(axis=None)


def test_the_result_does_not_depend_on_the_order_of_the_spots():
    predictions, baselines = section()
    order = np.random.default_rng(3).permutation(len(predictions))
    again = score_scales(predictions[order].copy(), baselines[order].copy())
    pd.testing.assert_frame_equal(again, score_scales(predictions, baselines))
