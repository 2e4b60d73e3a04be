import anndata
import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control

from ressat.base.errors import InputError
from ressat.evaluation.scores import PER_GENE, check_unit, score_section

GENES = list("abcd")
LAYERS = {
    ("ressat", "direct"), ("ressat", "attended"), ("baseline", "training_mean"), ("baseline", "tuned_ridge"),
    ("oracle", "observed_depth"),
}  # fmt: skip


def coords(side: int = 12) -> np.ndarray:
    return 100.0 * np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2)


def predictions(seed: int = 0, noise: float = 0.5) -> anndata.AnnData:
    """Gene d is constant, gene c is not predicted."""
    rng = np.random.default_rng(seed)
    observed = rng.normal(size=(144, 4)).astype(np.float32)
    observed[:, 3] = 1.5
    attended = (observed + noise * rng.normal(size=observed.shape)).astype(np.float32)
    attended[:, 2] = rng.normal(size=144)
    layers = {"observed": observed, "attended": attended, "direct": rng.normal(size=observed.shape)}
    ranks = {"hvg_rank": [1.0, 2, 3, np.nan], "heg_rank": [4.0, 3, 2, 1], "svg_rank": [np.nan, 1, np.nan, 2]}
    adata = anndata.AnnData(
        attended,
        obs=pd.DataFrame({"n_counts": rng.uniform(300, 3000, 144)}, index=[f"s{i}" for i in range(144)]),
        var=pd.DataFrame(ranks, index=GENES),
        layers=layers,
        obsm={"spatial": coords()},
    )
    names = {"protocol": "holdout, unseen patients", "fold": "holdout", "section": "S1", "patient": "P1"}
    adata.uns["ressat"] = {**names, "headline": "attended"}
    return adata


def baselines(of: anndata.AnnData) -> anndata.AnnData:
    mean = np.tile(of.layers["observed"].mean(axis=0), (of.n_obs, 1))
    ridge = of.layers["observed"] + np.random.default_rng(9).normal(size=of.shape)
    return anndata.AnnData(obs=of.obs, var=of.var[[]], layers={"training_mean": mean, "tuned_ridge": ridge})


CEILING = pd.DataFrame(
    {
        "gene": ["x", "b", "a", "c", "d"],
        "ceiling": [0.1, 0.8, 0.9, np.nan, np.nan],
        "ceiling_low": [0, 0.7, 0.8, 0.2, np.nan],
        "ceiling_depth_free": [0.1, 0.7, 0.6, np.nan, np.nan],
        "ceiling_low_depth_free": [0, 0.6, 0.5, 0.1, np.nan],
    }
)


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    adata = predictions()
    return score_section(adata, baselines(adata), CEILING, panel_size=2)


def test_every_gene_and_layer_has_a_row_and_the_truth_none(scores):
    assert list(scores.columns) == PER_GENE
    assert len(scores) == 5 * len(GENES)
    assert set(zip(scores["model"], scores["layer"], strict=True)) == LAYERS


def test_scores_are_against_raw_truth(scores):
    adata = predictions()
    row = scores[(scores["layer"] == "attended") & (scores["gene"] == "a")].iloc[0]
    observed, predicted = adata.layers["observed"][:, 0], adata.layers["attended"][:, 0]
    ranks = pd.DataFrame({"observed": observed, "predicted": predicted}).rank()
    assert row["pearson"] == pytest.approx(np.corrcoef(observed, predicted)[0, 1], abs=1e-6)
    assert row["spearman"] == pytest.approx(np.corrcoef(ranks.T)[0, 1], abs=1e-6)
    assert row["rmse"] == pytest.approx(np.sqrt(np.mean((observed - predicted) ** 2)), abs=1e-6)
    assert row["r2"] == pytest.approx(1 - np.mean((observed - predicted) ** 2) / observed.var(), abs=1e-5)
    assert row["offset"] == pytest.approx(predicted.mean() - observed.mean(), abs=1e-6)
    assert row["observed_mean"] == pytest.approx(observed.mean(), abs=1e-6)


def test_a_constant_gene_is_undefined_in_every_layer(scores):
    rows = scores[scores["gene"] == "d"]
    assert rows[["pearson", "spearman", "r2", "moran_observed", "p_value", "fdr"]].isna().all(axis=None)
    assert rows["pearson_depth_free"].isna().all()
    assert rows.loc[rows["model"] != "oracle", ["rmse", "offset"]].notna().all(axis=None)
    assert rows.loc[rows["model"] == "oracle", "offset"].isna().all(), "a depth is no expression"


def test_the_training_mean_has_an_error_and_no_correlation(scores):
    rows = scores[scores["layer"] == "training_mean"]
    assert rows["pearson"].isna().all()
    assert (rows["rmse"][:-1] > 0).all()


def test_significance_is_tested_for_the_headline_and_the_tuned_ridge_alone(scores):
    tested = scores[scores["p_value"].notna()]
    assert set(tested["layer"]) == {"attended", "tuned_ridge"}
    p = tested[tested["layer"] == "attended"].set_index("gene")["p_value"]
    assert p["a"] < 1e-6 < 0.01 < p["c"]
    fdr = tested[tested["layer"] == "attended"].set_index("gene")["fdr"]
    np.testing.assert_allclose(fdr, false_discovery_control(p))


def test_ceilings_go_by_the_name_of_the_gene(scores):
    rows = scores[scores["layer"] == "direct"].set_index("gene")
    assert rows["ceiling"].dropna().to_dict() == {"a": 0.9, "b": 0.8}
    assert rows["ceiling_low"].dropna().to_dict() == {"a": 0.8, "b": 0.7, "c": 0.2}
    assert rows["ceiling_depth_free"].dropna().to_dict() == {"a": 0.6, "b": 0.7}
    assert rows["ceiling_low_depth_free"].dropna().to_dict() == {"a": 0.5, "b": 0.6, "c": 0.1}


def test_panels_are_the_first_genes_by_their_training_ranks(scores):
    rows = scores[scores["layer"] == "direct"].set_index("gene")
    assert list(rows.index[rows["hvg"]]) == ["a", "b"]
    assert list(rows.index[rows["heg"]]) == ["c", "d"]
    assert list(rows.index[rows["svg"]]) == ["b", "d"]


def test_units_of_expression_are_never_mixed():
    of_section = predictions()
    of_section.uns["ressat"]["unit"] = "log1p CP10k"
    check_unit(of_section, "log1p CP10k")
    with pytest.raises(InputError, match=r"is log1p CP10k, and the study's is log1p CP10k, thinned to 500 c"):
        check_unit(of_section, "log1p CP10k, thinned to 500 counts")


def test_predictions_and_baselines_of_other_spots_are_never_compared():
    adata = predictions()
    others = baselines(adata)
    for other in (others[::-1].copy(), others[:, ::-1].copy(), others[:-1].copy()):
        with pytest.raises(
            InputError, match=r"section S1: its spots or genes are not those of .*; remove it"
        ):
            score_section(adata, other, CEILING, panel_size=2)
