"""Gene sets, from the GMT file to tables, obsm and report; a bad file is refused before features."""

import re

import anndata
import numpy as np
import pandas as pd
import pytest
import yaml

from parsed_page import Parsed
from ressat.base.tables import read_table
from ressat.evaluation.signature_columns import SIGNATURES_TEXT
from studies import copy_study


def with_sets(study, lines):
    (study / "sets.gmt").write_text("".join("\t".join(line) + "\n" for line in lines))
    config = yaml.safe_load((study / "config.yaml").read_text()) | {"signatures": "sets.gmt"}
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return study


@pytest.fixture(scope="module")
def panel(micro):
    return pd.read_csv(micro / "results/folds/holdout/genes.tsv", sep="\t")["gene"].tolist()


@pytest.fixture(scope="module")
def scored(micro, panel, snakemake, tmp_path_factory):
    """The micro-study with gene sets, named after it was run; and what was run again for them."""
    study = copy_study(micro, tmp_path_factory.mktemp("sets") / "micro", results=True)
    with_sets(
        study,
        [["PANEL", "http://x", *panel], ["HALF/1", "", *panel[:6], "OTHER"], ["FEW", "", *panel[:2], "NONE"]],
    )
    return study, snakemake(study)


def test_only_the_gene_sets_and_the_report_run_for_them(scored):
    assert {name.split()[0] for name in scored[1].job_names} == {
        "check_signatures", "score_signatures", "evaluate_signatures", "render_report",
    }  # fmt: skip


def test_the_table_has_the_columns_described_and_a_row_for_each_set(scored, repository, panel):
    table = read_table(scored[0] / "results/evaluation/signatures.tsv", SIGNATURES_TEXT)
    text = (repository / "docs/outputs.md").read_text(encoding="utf-8")
    body = text.split("### evaluation/signatures.tsv, with gene sets")[1].split("\n#")[0]
    cells = re.findall(r"(?m)^\| (`[^|]*) \|", body)
    assert list(table.columns) == [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert table["signature"].tolist() == ["PANEL", "HALF/1", "FEW"]
    assert table["section"].unique().tolist() == ["M2"]
    assert table["n_genes"].tolist() == [12, 6, 2]
    assert table["n_listed"].tolist() == [12, 7, 3]
    assert table["pearson"].notna().tolist() == [True, True, False]


def test_scores_of_spots_are_in_obsm_with_counts_and_without(scored):
    tested = anndata.read_h5ad(scored[0] / "results/signatures/holdout/M2.h5ad")
    assert list(tested.uns["ressat"]["signatures"]) == ["PANEL", "HALF/1", "FEW"]
    predictions = anndata.read_h5ad(scored[0] / "results/predictions/holdout/M2.h5ad")
    for name, values in (
        ("signatures", predictions.X),
        ("signatures_observed", predictions.layers["observed"]),
    ):
        z = (values - predictions.var["training_mean"].to_numpy()) / predictions.var["training_sd"].to_numpy()
        np.testing.assert_allclose(tested.obsm[name][:, 0], z.mean(axis=1), rtol=1e-3, atol=1e-5)
        assert np.isnan(tested.obsm[name][:, 2]).all()
    table = read_table(scored[0] / "results/evaluation/signatures.tsv", SIGNATURES_TEXT)
    r = np.corrcoef(tested.obsm["signatures"][:, 0], tested.obsm["signatures_observed"][:, 0])[0, 1]
    assert table["pearson"][0] == pytest.approx(r, abs=1e-4)
    untested = anndata.read_h5ad(scored[0] / "results/signatures/all/M3.h5ad")
    assert untested.obsm["signatures"].shape == (untested.n_obs, 3)
    assert "signatures_observed" not in untested.obsm


def test_the_report_shows_the_sets_and_says_which_have_too_few_genes(scored):
    page = Parsed((scored[0] / "results/report.html").read_text(encoding="utf-8"))
    assert "Gene sets" in page.text
    assert "12 of 12" in page.text
    assert (
        "1 gene set without a score, which needs 5 genes on the panel: FEW (2 of its 3 genes)." in page.text
    )
    log = (scored[0] / "logs/score_signatures/holdout/M2.log").read_text()
    assert "set FEW has no score: 2 of its 3 genes are on the panel and measured, and at least 5" in log


def test_sets_of_unknown_genes_are_refused_before_features(micro, panel, snakemake, tmp_path):
    study = with_sets(
        copy_study(micro, tmp_path / "micro", results=True), [["A", "", *(gene.lower() for gene in panel)]]
    )
    run = snakemake(study, "check", succeeds=False)
    assert run.output.split("Problems: 1")[1].lstrip().startswith("- signatures: sets.gmt: none of its 12")
    assert f"none of its 12 genes ({panel[0].lower()}" in " ".join(run.output.split())
    assert "did you mean" in run.output
    plan = snakemake(study, "results/signatures/known.json", "--dry-run", "--forceall")
    assert "extract_features" not in plan.jobs


def test_a_file_that_is_no_gmt_is_refused_at_once(micro, snakemake, tmp_path):
    study = with_sets(copy_study(micro, tmp_path / "micro"), [["just", "one"]])
    run = snakemake(study, "--dry-run", succeeds=False)
    assert "sets.gmt: line 1 is no set of genes; expected a GMT file" in run.output
    (study / "sets.gmt").unlink()
    run = snakemake(study, "--dry-run", succeeds=False)
    assert "config.yaml: signatures is sets.gmt, and there is no such file" in run.output
