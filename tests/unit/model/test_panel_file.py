"""The gene panel is read whole, or not at all."""

import pandas as pd
import pytest

from ressat.base.errors import InputError
from ressat.base.tables import write_table
from ressat.model.panel_file import read_panel

PANEL = pd.DataFrame(
    {
        "gene": ["ERBB2", "CD74", "ACTB", "NA"],
        "score": [4.5, 3.5, 2.5, 1.5],
        "mean": [1.5, 2.5, 3.5, 4.5],
        "method": "hvg",
        "hvg_rank": [1.0, 2.0, 3.0, 4.0],
        "heg_rank": [4.0, 3.0, 2.0, 1.0],
        "svg_rank": [2.0, 1.0, float("nan"), 3.0],
        "sections": "A,B",
    }
)


def test_a_panel_is_read_as_it_was_written(tmp_path):
    write_table(PANEL, tmp_path / "genes.tsv")
    pd.testing.assert_frame_equal(read_panel(tmp_path / "genes.tsv"), PANEL, check_dtype=False)


@pytest.mark.parametrize(
    ("panel", "said"),
    [
        (PANEL.head(2), "genes are missing: the places in heg_rank are not 1 to 2"),
        (PANEL.drop(index=1), "genes are missing: the places in hvg_rank"),
        (PANEL.tail(3), "genes are missing: the places in hvg_rank"),
        (PANEL.head(0), "it names no gene"),
        (PANEL.assign(gene=["A", "B", "A", "C"]), "gene A is there twice"),
        (PANEL.drop(columns="svg_rank"), "the column svg_rank is missing"),
        (PANEL.drop(columns="sections"), "the column sections is missing"),
    ],
)
def test_a_panel_that_lacks_something_is_refused(tmp_path, panel, said):
    write_table(panel, tmp_path / "genes.tsv")
    with pytest.raises(InputError, match=rf"genes\.tsv: {said}.*; remove it and run again"):
        read_panel(tmp_path / "genes.tsv")


@pytest.mark.parametrize("lines", [1, 2, 4, 5])
def test_half_a_panel_is_refused(tmp_path, lines):
    path = tmp_path / "genes.tsv"
    write_table(PANEL, path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:lines]))
    with pytest.raises(InputError, match=r"genes\.tsv: the empty line is missing"):
        read_panel(path)
