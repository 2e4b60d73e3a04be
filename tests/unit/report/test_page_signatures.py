"""The page's table of gene sets."""

import re

import numpy as np
import pandas as pd
import pytest

from parsed_page import Parsed
from ressat.base.tables import write_table
from ressat.evaluation.signatures import SIGNATURES
from ressat.report.signatures import signatures


def row(signature, section, patient, r, ceiling, genes=6, **more):
    names = {"protocol": "holdout, unseen patients", "fold": "holdout", "genes": "A,B"}
    scores = {
        "pearson": r, "pearson_depth_free": r - 0.1, "tuned_ridge": 0.2, "tuned_ridge_depth_free": 0.1,
        "fdr": 0.01, "fdr_depth_free": 0.2, "ceiling": ceiling, "ceiling_depth_free": np.nan,
    }  # fmt: skip
    about = {"signature": signature, "section": section, "patient": patient, "n_listed": 9, "n_genes": genes}
    return names | scores | about | more


@pytest.fixture
def table(tmp_path):
    """Two sections of one patient and one of another."""
    nothing = dict.fromkeys(("tuned_ridge", "fdr", "pearson_depth_free", "fdr_depth_free"), np.nan)
    rows = [
        row("<b>LOW</b>", "X1", "P1", 0.1, np.nan),
        *(
            row("SET", *of)
            for of in (("X1", "P1", 0.2, np.nan), ("X2", "P1", 0.4, 0.8), ("X3", "P2", 0.7, 0.9))
        ),
        row("FEW", "X1", "P1", np.nan, np.nan, genes=4, **nothing),
    ]
    write_table(pd.DataFrame(rows).reindex(columns=SIGNATURES), tmp_path / "signatures.tsv")
    return tmp_path / "signatures.tsv"


def test_sets_are_averaged_over_patients_and_their_ceiling_over_the_same_sections(table):
    (page,) = signatures(table)
    assert [one["signature"] for one in page["rows"]] == ["SET", "<b>LOW</b>"], "the better predicted first"
    found = page["rows"][0]
    assert found["pearson"] == pytest.approx((0.3 + 0.7) / 2)
    assert found["pearson_depth_free"] == pytest.approx(0.4)
    assert found["pearson_with_ceiling"] == pytest.approx((0.4 + 0.7) / 2)
    assert found["ceiling"] == pytest.approx(0.85)
    assert (found["n_with_ceiling"], found["n_with_ceiling_depth_free"]) == (2, 0)
    assert (found["n_predicted"], found["n_predicted_depth_free"], found["n_sections"]) == (3, 0, 3)
    assert [one["signature"] for one in page["without"]] == ["FEW"]


def test_the_page_has_the_table_and_names_sets_with_too_few_genes(study, table, repository):
    study.signatures = str(table)
    html = study.page(repository)
    page = Parsed(html)
    (line,) = re.findall('<th scope="row">SET</th>.*?</tr>', html, re.DOTALL)
    cells = [re.sub("<[^>]+>", " ", cell).split() for cell in re.findall("<td[^>]*>(.*?)</td>", line)]
    assert [" ".join(cell) for cell in cells] == [
        "6 of 9", "0.50 0.40 depth-free", "0.20 0.10 depth-free", "3 of 3 0 depth-free", "0.55",
        "0.85 2 sections",
    ]  # fmt: skip
    assert (
        "1 gene set without a score, which needs 5 genes on the panel: FEW (4 of its 9 genes)." in page.text
    )
    assert "<b>LOW</b>" in page.text, "and as text alone"
    assert "&lt;b&gt;LOW&lt;/b&gt;" in html


def test_without_gene_sets_the_page_does_not_speak_of_them(rendered):
    assert signatures([]) == []
    assert "Gene sets" not in rendered.page.text
