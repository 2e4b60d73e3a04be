"""The ceiling stands beside the mean over the same genes, and wrong levels are seen."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from parsed_page import Parsed
from report_study import GENES, whole_study
from ressat.report.words import number_of_genes


@pytest.fixture(scope="module")
def far(tmp_path_factory, repository):
    """A study with two genes without a ceiling, and a section far below the training sections in depth."""
    study = whole_study(tmp_path_factory.mktemp("far"), without_ceiling=["CD74", "KRT19"])
    study.median_counts = {"T1": 8508.0, "T2": 12400.0, "X1": 648.0, "X2": 9000.0}
    html = study.page(repository)
    return SimpleNamespace(study=study, html=html, page=Parsed(html))


def level_rows(html):
    """Cells of the table of ceilings and levels, in words."""
    table = re.search('<table class="scores" id="levels-0">.*?</table>', html, re.DOTALL)[0]
    rows = re.findall("<tr>(.*?)</tr>", table, re.DOTALL)[1:]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub("<[^>]+>", " ", text).split()) for text in row] for row in cells]


def test_the_ceiling_stands_beside_the_mean_of_its_own_genes(far):
    tables, page = far.study.tables(), far.page
    lead = tables["per_gene"][tables["per_gene"]["layer"] == "attended"]
    both = lead.dropna(subset=["pearson", "ceiling"])
    assert set(both["gene"]) == {"ERBB2", "NA"}
    mean = both.groupby("section")["pearson"].mean().mean()
    assert abs(mean - lead["pearson"].mean()) > 0.05, "or nothing would be tested"
    assert (
        f"{mean:.2f}attended, over the genes that have a ceiling 2 genes 0.90noise ceiling of the same genes "
        f"{100 * mean / 0.9:.0f} %of the ceiling"
    ) in page.text
    twin = both.groupby("section")["pearson_depth_free"].mean().mean()
    assert f"Depth-free: {twin:.2f} of 0.85, which is {100 * twin / 0.85:.0f} %, over 2 genes." in page.text
    assert "2 genes without any are not shown" in page.text
    # Nothing else on the page calls itself a mean ceiling.
    assert len(re.findall(r"\d(?:noise|mean) ceiling", page.text)) == 1


def test_sections_have_their_shares_and_levels(far):
    rows = level_rows(far.html)
    table = far.study.whole("per_section")
    for (_, row), plain, twin in zip(
        table[table["layer"] == "attended"].iterrows(), rows[0:4:2], rows[1:4:2], strict=True
    ):
        assert plain[0].startswith(row["section"])
        assert plain[2:] == [
            "plain", "2", f"{row['mean_pearson_with_ceiling']:.2f}", "0.90",
            f"{100 * row['share_of_ceiling']:.0f} %", f"{row['mean_r2']:.2f} 4 genes",
            f"{row['mean_offset']:+.2f} 4 genes", f"{row['mean_absolute_offset']:.2f} 4 genes",
        ]  # fmt: skip
        assert twin == [
            "depth-free", "2", f"{row['mean_pearson_with_ceiling_depth_free']:.2f}", "0.85",
            f"{100 * row['share_of_ceiling_depth_free']:.0f} %",
        ]  # fmt: skip
    study = far.study.whole("summary").set_index("layer").loc["attended"]
    assert rows[4][3:6] == ["2", f"{study['mean_pearson_with_ceiling']:.2f}", "0.90"]
    assert rows[4][7] == f"{study['mean_r2']:.2f} 4 genes"


def test_a_section_far_from_training_in_depth_is_warned_of_before_the_answer(far):
    page, table = far.page, far.study.whole("per_section")
    row = table[(table["layer"] == "attended") & (table["section"] == "X1")].iloc[0]
    before = page.text[: page.text.index("How well expression")]
    side = "above" if row["mean_offset"] > 0 else "below"
    assert (
        "Section X1: far from the training sections in depth. The median spot has 648 counts, those of the "
        "training sections 8,508 to 12,400. Expression rises and falls with depth, so levels cannot be "
        f"trusted here: on average over 4 genes, the attended prediction lies {abs(row['mean_offset']):.2f} "
        f"log1p CP10k {side} what was measured, with a mean R² of {row['mean_r2']:.2f}."
    ) in before
    assert "Section X2" not in before
    assert level_rows(far.html)[0][1] == "648 training: 8,508 to 12,400 far from training"
    assert level_rows(far.html)[2][1] == "9,000 training: 8,508 to 12,400"
    assert len(re.findall("differences show the level", page.text)) == 1, "beside the maps of X1 alone"


def test_no_section_is_far_where_depths_are_alike(rendered):
    assert "far from the training" not in rendered.page.text
    assert "differences show the level" not in rendered.page.text


def test_without_any_ceiling_shares_are_undefined_and_sections_counted(tmp_path, repository):
    study = whole_study(tmp_path, without_ceiling=GENES)
    page = Parsed(study.page(repository))
    assert "undefinedattended, over the genes that have a ceiling 0 genes" in page.text
    assert "undefinedof the ceiling" in page.text
    assert "In 2 of 2 sections no gene has one; they are left out." in page.text


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 genes"), (1, "1 gene"), (1000, "1,000 genes"), (95.5, "95.5 genes on average"),
     (np.nan, "an unknown number of genes")],
)  # fmt: skip
def test_numbers_of_genes_are_said(number, words):
    assert number_of_genes(number) == words
