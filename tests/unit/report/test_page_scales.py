"""The report names the finest scale at which a gene is usable, and no smoothed score without its scale."""

import re

import numpy as np
import pandas as pd
import pytest

from parsed_page import Parsed
from ressat.report import genes
from ressat.report.scales import Scales, finest

PROTOCOL = "holdout, unseen patients"


def scales(**changes) -> pd.DataFrame:
    """Genes A and B at both scales, B undefined at the coarser one."""
    rows = [
        {
            "protocol": PROTOCOL, "gene": gene, "scale": scale, "scale_um_lowest": 100.4 * scale,
            "scale_um_highest": 101.2 * scale, "n_effective": 60.0 / scale, "pearson": 0.2 * scale,
            "pearson_depth_free": 0.1 * scale,
        }
        for scale in (2, 4) for gene in "AB"
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.loc[(table["gene"] == "B") & (table["scale"] == 4), ["pearson", "pearson_depth_free"]] = np.nan
    return table.assign(**changes)


def usable_genes(**finest_scales) -> pd.DataFrame:
    return pd.DataFrame(
        {"protocol": PROTOCOL, "gene": list(finest_scales), "finest_scale": finest_scales.values()}
    )


def test_genes_are_counted_at_the_finest_scale_in_pitches_and_um():
    table = usable_genes(A=0.0, B=2.0, C=4.0, D=2.0, E=np.nan)
    assert Scales(scales()).usable(table) == {
        PROTOCOL: [
            {"genes": 2, "scale": "2 spot pitches (200 µm)", "effective": 30.0},
            {"genes": 1, "scale": "4 spot pitches (400 µm)", "effective": 15.0},
        ]
    }


@pytest.mark.parametrize(
    ("lowest", "highest", "said"),
    [
        (199.0, 202.0, "2 spot pitches (200 µm)"),
        (200.0, 400.0, "2 spot pitches (200 to 400 µm)"),
        (1234.0, 1234.0, "2 spot pitches (1200 µm)"),
        (np.nan, np.nan, "2 spot pitches"),
    ],
)
def test_a_scale_has_um_where_they_are_known(lowest, highest, said):
    table = scales(scale_um_lowest=lowest, scale_um_highest=highest)
    assert Scales(table).usable(usable_genes(A=0.0))[PROTOCOL][0]["scale"] == said


def test_the_scores_of_a_gene_stand_beside_their_scales():
    assert Scales(scales()).of_gene({"protocol": PROTOCOL, "gene": "A"}) == [
        ("2 spot pitches (200 µm)", pytest.approx(0.4), pytest.approx(0.2)),
        ("4 spot pitches (400 µm)", pytest.approx(0.8), pytest.approx(0.4)),
    ]


def test_the_finest_scale_is_named():
    assert [finest(scale) for scale in (0.0, 2.0, 4.0, np.nan)] == ["spot", "2 pitches", "4 pitches", "none"]


def test_the_page_tells_scales_in_the_answer_the_table_and_every_gene(study, repository):
    html = study.page(repository)
    page = Parsed(html)
    tables = study.tables()
    usable, table = tables["usable_genes"], tables["scales"].set_index(["gene", "scale"])
    count = usable["finest_scale"].value_counts()
    # 150 px of 0.5 um.
    assert (
        f"At which scale {usable['usable'].sum()}at the spot {count.get(2, 0)}more at 2 spot pitches (150 µm)"
    ) in page.text
    assert f"{count.get(4, 0)}more at 4 spot pitches (300 µm)" in page.text
    for row in usable.to_dict("records"):
        facts = dict(page.genes[row["gene"]]["facts"])
        for scale, words in ((2, "2 spot pitches (150 µm)"), (4, "4 spot pitches (300 µm)")):
            r = table.loc[row["gene"], scale]
            assert facts[f"mean r at {words}"] == (
                f"{genes.number(r['pearson'])} ({genes.number(r['pearson_depth_free'])} depth-free)"
            )
        assert facts["finest usable scale"] == finest(row["finest_scale"])
    rows = re.findall(r'<tr data-gene="(\w+)">.*?<td data-order="([^"]*)">([^<]*)</td></tr>', html, re.DOTALL)
    assert [(gene, words) for gene, _, words in rows] == [
        (row["gene"], finest(row["finest_scale"])) for row in usable.to_dict("records")
    ]
    assert {words: float(order) for _, order, words in rows}.items() <= {
        "spot": 0.0, "2 pitches": 2.0, "4 pitches": 4.0, "none": 99.0,
    }.items()  # fmt: skip
