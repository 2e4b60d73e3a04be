"""Scores of gene sets: over the same genes observed and predicted, with ceilings as genes have."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from ressat.counts.expression_unit import LOG1P_CP10K
from ressat.evaluation.ceiling import noise_ceiling
from ressat.evaluation.signature_file import describe_signatures, scores_of_spots
from ressat.evaluation.signatures import (
    SIGNATURES,
    evaluate_signatures,
    members,
    signature_ceilings,
    signature_scores,
    weights_of,
)

GENES = [f"g{i}" for i in range(8)]
SETS = {"all": ["g0", "g1", "g2", "g3", "g4", "OTHER"], "few": ["g5", "g6", "OTHER"], "with g7": GENES[2:]}


def section(tested=True, seed=0):
    """Predictions and baselines of 64 spots; gene g7 is not measured in the section."""
    rng = np.random.default_rng(seed)
    observed = rng.normal(2, 1, (64, 8)).astype(np.float32)
    predicted = (0.5 * observed + rng.normal(0, 0.5, observed.shape)).astype(np.float32)
    observed[:, 7] = np.nan
    spots = pd.DataFrame({"n_counts": rng.uniform(300, 3000, 64)}, index=[f"s{i}" for i in range(64)])
    genes = pd.DataFrame({"training_mean": np.arange(8.0), "training_sd": 1 + np.arange(8.0)}, index=GENES)
    adata = anndata.AnnData(predicted, obs=spots if tested else spots[[]], var=genes)
    adata.layers["direct"] = predicted
    if tested:
        adata.layers["observed"] = observed
    x, y = np.meshgrid(np.arange(8.0), np.arange(8.0))
    adata.obsm["spatial"] = 100 * np.column_stack([x.ravel(), y.ravel()])
    adata.uns["spatial"] = {}
    adata.uns["ressat"] = {
        "protocol": "holdout, unseen patients", "fold": "holdout", "section": "S1", "patient": "P1",
        "headline": "direct", "unit": "log1p CP10k", "version": 3,
    }  # fmt: skip
    ridge = anndata.AnnData(obs=spots, var=genes[[]], layers={"tuned_ridge": rng.normal(size=(64, 8))})
    return adata, ridge


def counts_of(adata, seed=1):
    rng = np.random.default_rng(seed)
    rates = np.exp(rng.normal(0, 0.7, (adata.n_obs, 1))) * rng.uniform(2, 8, (1, 10))
    rates[:, 8:] = 50
    table = anndata.AnnData(sparse.csr_matrix(rng.poisson(rates).astype(np.float32)))
    table.obs_names, table.var_names = adata.obs_names, ["x", *GENES[:7], "y", "z"]
    return table


def test_a_score_is_the_mean_z_of_the_genes_that_are_there():
    mean, sd = np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 2, 1, 2, 1])
    places = {"five": np.arange(5), "four": np.arange(4)}
    scores = signature_scores(np.array([[2.0, 4, 3, 4, 5], [1, 2, 3, 4, 10]]), mean, weights_of(places, sd))
    assert scores[:, 0] == pytest.approx([(1 + 1) / 5, 5 / 5])
    assert np.isnan(scores[:, 1]).all(), "four genes are too few"


def test_genes_are_those_on_the_panel_that_are_measured():
    measured = np.arange(8) != 7
    places = members(SETS, pd.Index(GENES), measured)
    assert {name: of_set.tolist() for name, of_set in places.items()} == {
        "all": [0, 1, 2, 3, 4], "few": [5, 6], "with g7": [2, 3, 4, 5, 6],
    }  # fmt: skip


def test_sets_are_scored_over_the_same_genes_observed_and_predicted():
    adata, ridge = section()
    table = evaluate_signatures(adata, ridge, counts_of(adata), SETS, 1, LOG1P_CP10K).set_index("signature")
    assert table["n_listed"].to_dict() == {"all": 6, "few": 3, "with g7": 6}
    assert table["n_genes"].to_dict() == {"all": 5, "few": 2, "with g7": 5}
    assert table.loc["with g7", "genes"] == "g2,g3,g4,g5,g6"
    for name, columns in (("all", slice(0, 5)), ("with g7", slice(2, 7))):
        sd = 1 + np.arange(8.0)[columns]
        scores = [
            (values[:, columns] / sd).mean(axis=1)
            for values in (adata.layers["observed"], adata.X, ridge.layers["tuned_ridge"])
        ]
        r = np.corrcoef(scores)
        assert table.loc[name, "pearson"] == pytest.approx(r[0, 1], abs=1e-6)
        assert table.loc[name, "tuned_ridge"] == pytest.approx(r[0, 2], abs=1e-6)
        d = np.log(adata.obs["n_counts"])
        rest = [score - np.polyval(np.polyfit(d, score, 1), d) for score in scores]
        assert table.loc[name, "pearson_depth_free"] == pytest.approx(np.corrcoef(rest)[0, 1], abs=1e-6)
        assert 0 < table.loc[name, "p_value"] <= table.loc[name, "fdr"] < 0.05
    numbers = table.loc["few"].drop(["protocol", "fold", "section", "patient", "genes"])
    assert numbers.drop(["n_spots", "n_listed", "n_genes"]).isna().all()
    assert list(table.columns) == [name for name in SIGNATURES if name != "signature"]


def test_the_ceiling_of_a_score_of_one_gene_is_that_of_the_gene():
    adata, _ = section()
    counts = counts_of(adata)
    one = np.zeros((8, 1))
    one[3] = 0.25
    found = signature_ceilings(counts, pd.Index(GENES), one, 5, LOG1P_CP10K)
    gene = noise_ceiling(counts.X, 5).set_index(counts.var_names).loc["g3"]
    for name in ("ceiling", "ceiling_low", "ceiling_depth_free", "ceiling_low_depth_free"):
        assert found[name][0] == pytest.approx(gene[name], abs=1e-6, nan_ok=True), name
    assert np.isfinite(found["ceiling_low"][0]), "or nothing would be tested"


def test_a_set_has_a_higher_ceiling_than_its_genes_that_vary_together():
    adata, _ = section()
    counts = counts_of(adata)
    weights = weights_of({"all": np.arange(5)}, np.ones(8))
    found = signature_ceilings(counts, pd.Index(GENES), weights, 5, LOG1P_CP10K)["ceiling_low"][0]
    assert found > noise_ceiling(counts.X, 5).set_index(counts.var_names).loc[GENES[:5], "ceiling_low"].max()


def test_spots_have_their_scores_in_obsm():
    adata, _ = section()
    found = scores_of_spots(adata, SETS)
    assert found.obsm["signatures"].shape == found.obsm["signatures_observed"].shape == (64, 3)
    assert list(found.uns["ressat"]["signatures"]) == list(SETS)
    z = (adata.X - np.arange(8.0)) / (1 + np.arange(8.0))
    np.testing.assert_allclose(found.obsm["signatures"][:, 2], z[:, 2:7].mean(axis=1), rtol=1e-4)
    assert np.isnan(found.obsm["signatures"][:, 1]).all()


def test_without_counts_all_genes_of_the_panel_are_used_and_nothing_is_scored():
    adata, _ = section(tested=False)
    found = scores_of_spots(adata, SETS)
    assert "signatures_observed" not in found.obsm
    z = (adata.X - np.arange(8.0)) / (1 + np.arange(8.0))
    np.testing.assert_allclose(found.obsm["signatures"][:, 2], z[:, 2:].mean(axis=1), rtol=1e-4)
    table = describe_signatures(adata, SETS)
    assert table["n_genes"].tolist() == [5, 2, 6]
    assert table["pearson"].isna().all()
