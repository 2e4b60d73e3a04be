"""A study in the unit `thinned`, up to its scores: every result is in it, and says so."""

import anndata
import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from ressat.counts.expression import in_unit
from ressat.counts.expression_unit import ExpressionUnit
from studies import copy_study

UNIT = ExpressionUnit("thinned", 500)
WORDS = "log1p CP10k, thinned to 500 counts"


@pytest.fixture(scope="module")
def thinned(micro, snakemake, tmp_path_factory):
    """The micro-study's scores made again in another unit; the rest of it is left out to save time."""
    study = copy_study(micro, tmp_path_factory.mktemp("thinned") / "micro", results=True)
    config = yaml.safe_load((study / "config.yaml").read_text())
    config["expression"] = {"unit": UNIT.name, "depth": UNIT.depth}
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    snakemake(study, "results/evaluation/summary.tsv")
    return study


def in_the_unit(study, section, genes):
    counts = anndata.read_h5ad(study / f"results/expression/{section}.h5ad")
    return in_unit(counts.X, counts.var_names.get_indexer(genes), UNIT).toarray()


def test_panel_and_truth_are_thinned(thinned, micro):
    panel = pd.read_csv(thinned / "results/folds/holdout/genes.tsv", sep="\t")
    np.testing.assert_allclose(
        panel["mean"], in_the_unit(thinned, "M1", panel["gene"]).mean(axis=0), rtol=1e-4
    )
    adata = anndata.read_h5ad(thinned / "results/predictions/holdout/M2.h5ad")
    observed = in_the_unit(thinned, "M2", adata.var_names)
    np.testing.assert_allclose(adata.layers["observed"], observed, rtol=1e-4)
    before = anndata.read_h5ad(micro / "results/predictions/holdout/M2.h5ad")
    common = before.var_names.intersection(adata.var_names)
    assert not np.allclose(
        before[:, common].layers["observed"], adata[:, common].layers["observed"], atol=0.01
    )


def test_every_file_names_the_unit(thinned):
    model = torch.load(thinned / "results/folds/holdout/model.pt", weights_only=True)
    assert model["unit"] == {"name": "thinned", "depth": 500}
    for file in ("predictions/holdout/M2", "baselines/holdout/M2"):
        assert anndata.read_h5ad(thinned / f"results/{file}.h5ad").uns["ressat"]["unit"] == WORDS


def test_ceilings_are_of_the_unit(thinned, micro):
    plain, other = (pd.read_csv(study / "results/ceiling/M2.tsv", sep="\t") for study in (micro, thinned))
    assert plain["total_counts"].equals(other["total_counts"])
    assert not np.allclose(plain["half_correlation"], other["half_correlation"], atol=1e-3, equal_nan=True)


def test_scores_are_against_the_thinned_truth(thinned):
    scores = pd.read_csv(thinned / "results/evaluation/per_gene.tsv", sep="\t")
    rows = scores[scores["layer"] == "direct"].set_index("gene")
    expected = in_the_unit(thinned, "M2", rows.index).mean(axis=0)
    np.testing.assert_allclose(rows["observed_mean"], expected, rtol=1e-4)
