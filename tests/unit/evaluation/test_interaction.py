"""What interaction does in a section, from the predictions that were written."""

import anndata
import numpy as np
import pandas as pd
import pytest
import torch

from ressat.base.layers import ATTENDED, DIRECT, OBSERVED
from ressat.evaluation import interaction
from ressat.evaluation.interaction import attention, describe_interaction, movement
from ressat.model.network import spot_interaction

SPOTS, DOMAINS, GENES = 300, 3, 40


@pytest.fixture
def predictions():
    """A section of three kinds of spots, whose kind is told by prediction and truth."""
    rng = np.random.default_rng(1)
    kind = rng.integers(0, DOMAINS, SPOTS)
    direct = rng.normal(size=(DOMAINS, GENES))[kind] + 0.3 * rng.normal(size=(SPOTS, GENES))
    observed = rng.normal(size=(DOMAINS, GENES))[kind] + 0.3 * rng.normal(size=(SPOTS, GENES))
    attended = spot_interaction(torch.from_numpy(direct)).numpy()
    mean, sd = rng.uniform(0, 3, GENES), rng.uniform(0.1, 1, GENES)
    adata = anndata.AnnData(
        obs=pd.DataFrame({"kind": kind}, index=[f"{number:03}" for number in rng.permutation(SPOTS)]),
        var=pd.DataFrame(
            {"training_mean": mean, "training_sd": sd}, index=[f"G{number}" for number in range(GENES)]
        ),
    )
    for name, z in ((DIRECT, direct), (ATTENDED, attended), (OBSERVED, observed)):
        adata.layers[name] = (mean + sd * z).astype(np.float32)
    return adata


def test_weights_are_those_that_the_prediction_was_attended_with():
    z = np.random.default_rng(2).normal(size=(50, 12))
    weights, neighbours, own = attention(z, np.arange(50))
    np.testing.assert_allclose(weights @ z, spot_interaction(torch.from_numpy(z)).numpy(), atol=1e-10)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_array_equal(own, np.diag(weights))
    assert ((neighbours >= 1) & (neighbours <= 50)).all()


def test_neighbours_are_counted_whole_where_weights_are_even():
    kinds = 100 * np.repeat(np.eye(3), [2, 5, 9], axis=0)
    _, neighbours, own = attention(kinds, np.arange(16))
    np.testing.assert_allclose(neighbours, np.repeat([2, 5, 9], [2, 5, 9]))
    np.testing.assert_allclose(own, 1 / neighbours)


def test_a_draw_of_spots_attends_to_the_whole_section_whatever_the_blocks(monkeypatch):
    z = np.random.default_rng(3).normal(size=(60, 12))
    drawn = np.array([3, 17, 40, 41])
    whole = attention(z, np.arange(60))
    monkeypatch.setattr(interaction, "BLOCK", 130)
    weights, neighbours, own = attention(z, drawn)
    np.testing.assert_allclose(weights, whole[0][np.ix_(drawn, drawn)])
    np.testing.assert_allclose(neighbours, whole[1][drawn])
    np.testing.assert_allclose(own, whole[2][drawn])


def test_a_section_is_described_by_spot_by_gene_and_in_summary(predictions):
    spots, genes, summary = describe_interaction(predictions, DOMAINS, 1)
    assert spots["spot"].tolist() == predictions.obs_names.tolist()
    assert genes["gene"].tolist() == predictions.var_names.tolist()
    # Clusters are the kinds, by whatever number.
    for column in ("interaction_cluster", "expression_cluster"):
        assert len(set(zip(spots[column], predictions.obs["kind"], strict=True))) == DOMAINS
    assert summary == {
        "clusters": DOMAINS,
        "interaction_clusters": DOMAINS,
        "expression_clusters": DOMAINS,
        "adjusted_rand": 1,
        "spots": SPOTS,
        "spots_clustered": SPOTS,
        "genes": GENES,
        "genes_observed": GENES,
        "median_neighbours": pytest.approx(spots["neighbours"].median()),
    }
    # A spot attends to those of its kind at most.
    assert 1 < summary["median_neighbours"] < SPOTS / 2


def test_truth_of_another_order_agrees_with_nothing(predictions):
    shuffled = np.random.default_rng(4).permutation(SPOTS)
    predictions.layers[OBSERVED] = predictions.layers[OBSERVED][shuffled]
    assert abs(describe_interaction(predictions, DOMAINS, 1)[2]["adjusted_rand"]) < 0.05


@pytest.mark.parametrize("most", [SPOTS, 120])
def test_the_order_of_the_spots_decides_nothing(predictions, monkeypatch, most):
    monkeypatch.setattr(interaction, "MOST_SPOTS_CLUSTERED", most)
    # More clusters than kinds, so that chance has something to decide.
    spots, genes, summary = describe_interaction(predictions, 7, 1)
    turned = predictions[np.random.default_rng(5).permutation(SPOTS)].copy()
    spots_turned, genes_turned, summary_turned = describe_interaction(turned, 7, 1)
    assert spots_turned["spot"].tolist() == turned.obs_names.tolist()
    pd.testing.assert_frame_equal(spots_turned.set_index("spot").loc[spots["spot"]].reset_index(), spots)
    pd.testing.assert_frame_equal(genes_turned, genes)
    assert summary_turned == summary


def test_of_a_large_section_a_draw_is_clustered_and_the_others_are_nan(predictions, monkeypatch, caplog):
    monkeypatch.setattr(interaction, "MOST_SPOTS_CLUSTERED", 120)
    caplog.set_level("INFO")
    spots, genes, summary = describe_interaction(predictions, DOMAINS, 1)
    known = spots.drop(columns="spot").notna()
    assert known.sum().tolist() == [120] * 4
    assert known.all(axis=1).sum() == 120
    assert (summary["spots"], summary["spots_clustered"]) == (SPOTS, 120)
    assert summary["adjusted_rand"] == 1
    assert genes.notna().all(axis=None)
    assert "120 of 300 spots" in caplog.text


def test_genes_without_counts_here_are_counted_and_left_out(predictions):
    predictions.layers[OBSERVED][:, :4] = np.nan
    predictions.layers[OBSERVED][:, 4] = 0
    summary = describe_interaction(predictions, DOMAINS, 1)[2]
    assert (summary["genes"], summary["genes_observed"]) == (GENES, GENES - 5)
    assert summary["adjusted_rand"] == 1


def test_of_too_few_spots_all_else_is_said(predictions):
    spots, genes, summary = describe_interaction(predictions[:3].copy(), DOMAINS, 1)
    assert spots[["interaction_cluster", "expression_cluster"]].isna().all(axis=None)
    assert spots[["neighbours", "own_weight"]].notna().all(axis=None)
    assert genes.notna().all(axis=None)
    assert (summary["interaction_clusters"], summary["expression_clusters"]) == (0, 0)
    assert summary["adjusted_rand"] is None


def test_movement_is_in_units_of_the_training_spots(predictions):
    genes = describe_interaction(predictions, DOMAINS, 1)[1]
    sd = predictions.var["training_sd"].to_numpy()
    direct, attended = (predictions.layers[name].astype(float) / sd for name in (DIRECT, ATTENDED))
    expected = np.sqrt(np.mean((attended - direct) ** 2, axis=0))
    np.testing.assert_allclose(genes["moved"], expected, rtol=1e-4)
    np.testing.assert_allclose(genes["spread_direct"], direct.std(axis=0), rtol=1e-4)
    np.testing.assert_allclose(genes["spread_attended"], attended.std(axis=0), rtol=1e-4)
    # Attention averages spots of a kind: what is left is less than what there was.
    assert (genes["spread_attended"] < genes["spread_direct"]).all()


def test_movement_of_one_gene_by_hand():
    table = movement(np.array([[0.0], [2.0]]), np.array([[1.0], [1.0]]), pd.Index(["G"]))
    assert table.to_dict("records") == [
        {"gene": "G", "moved": 1.0, "spread_direct": 1.0, "spread_attended": 0.0}
    ]
