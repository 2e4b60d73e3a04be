import anndata
import numpy as np
import pandas as pd
import pytest

from ressat.evaluation import PER_GENE, gene_ranking, score_section, summarise


def predictions(seed: int, noise: float) -> anndata.AnnData:
    rng = np.random.default_rng(seed)
    observed = rng.normal(size=(50, 4)).astype(np.float32)
    observed[:, 3] = 1.5
    attended = observed + noise * rng.normal(size=observed.shape)
    layers = {"observed": observed, "attended": attended, "direct": rng.normal(size=observed.shape)}
    index = [f"s{i}" for i in range(50)]
    return anndata.AnnData(
        attended, obs=pd.DataFrame(index=index), var=pd.DataFrame(index=list("abcd")), layers=layers
    )


def baseline(of: anndata.AnnData) -> anndata.AnnData:
    mean = np.tile(of.layers["observed"].mean(axis=0), (of.n_obs, 1))
    return anndata.AnnData(obs=of.obs, var=of.var, layers={"training_mean": mean})


@pytest.fixture(scope="module")
def tables():
    scores = []
    for fold, section, patient, noise in [
        ("f", "S1", "p1", 0.1),
        ("f", "S2", "p1", 0.1),
        ("f", "S3", "p2", 2.0),
    ]:
        adata = predictions(ord(section[1]), noise)
        names = {"protocol": "holdout", "fold": fold, "section": section, "patient": patient}
        scores.append(score_section(adata, baseline(adata), **names))
    return summarise(scores)


def test_every_gene_section_and_layer_has_a_row(tables):
    per_gene, _, _ = tables
    assert list(per_gene.columns) == PER_GENE
    assert len(per_gene) == 3 * 4 * 3


def test_an_undefined_gene_is_counted_and_left_out(tables):
    _, per_section, _ = tables
    rows = per_section[per_section["layer"] == "attended"]
    assert (rows["n_undefined"] == 1).all()
    assert rows["mean_pearson"].notna().all()
    mean = per_section[per_section["layer"] == "training_mean"]
    assert (mean["n_undefined"] == 4).all()
    assert mean["mean_pearson"].isna().all()


def test_study_is_the_mean_of_patients_not_of_sections(tables):
    _, per_section, summary = tables
    attended = per_section[per_section["layer"] == "attended"].set_index("section")["mean_pearson"]
    expected = ((attended["S1"] + attended["S2"]) / 2 + attended["S3"]) / 2
    row = summary[summary["layer"] == "attended"].iloc[0]
    assert row["mean_pearson"] == pytest.approx(expected)
    assert row["n_patients"] == 2
    assert row["n_sections"] == 3


def test_genes_are_ranked_by_the_headline_layer(tables):
    ranking = gene_ranking(tables[0], "attended")
    assert list(ranking) == sorted(ranking, reverse=True)
    assert "d" not in ranking.index


def test_predictions_and_baselines_of_other_spots_are_never_compared():
    adata = predictions(1, 0.1)
    names = {"protocol": "holdout", "fold": "f", "section": "S", "patient": "p"}
    with pytest.raises(ValueError, match="section S"):
        score_section(adata, baseline(adata)[::-1].copy(), **names)
