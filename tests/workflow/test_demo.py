"""The demo study keeps what the README says of it."""

import pandas as pd
import pytest

from studies import copy_study


@pytest.fixture(scope="module")
def demo(repository, snakemake, tmp_path_factory):
    study = copy_study(repository / "demo", tmp_path_factory.mktemp("demo"))
    snakemake(study)
    return study


@pytest.fixture(scope="module")
def scores(demo) -> pd.DataFrame:
    """Headline scores of the test patient by gene, with what was planted."""
    per_gene = pd.read_csv(demo / "results/evaluation/per_gene.tsv", sep="\t")
    rows = per_gene[(per_gene["model"] == "ressat") & (per_gene["layer"] == "attended")].set_index("gene")
    truth = pd.read_csv(demo / "data/P3_A/truth.tsv", sep="\t").set_index("gene")
    assert set(rows["patient"]) == {"P3"}
    return rows.join(truth, how="inner")


def test_planted_genes_are_predicted(scores):
    planted = scores[scores["kind"] == "planted"]
    assert len(planted) == 40
    assert planted["pearson"].mean() > 0.5


def test_noise_genes_are_not(scores):
    noise = scores[scores["kind"] == "noise"]
    assert len(noise) == 20
    assert abs(noise["pearson"].mean()) < 0.1


def test_a_section_without_counts_is_predicted_too(demo):
    table = pd.read_parquet(demo / "results/predictions/all/P4_A.parquet")
    assert len(table) > 100
    assert table.notna().all(axis=None)


def test_the_report_is_written(demo):
    assert (demo / "results/report.html").stat().st_size < 10_000_000
