import csv

import numpy as np
import pandas as pd
import pytest

from ressat.base.errors import InputError
from ressat.base.tables import read_table, write_table


def test_a_table_reads_as_it_was_written(tmp_path):
    table = pd.DataFrame(
        {
            "gene": ["NA", "nan", "12", "TP53"],
            "spot": ["10x12", "007", "nan", "r1c2"],
            "patient": ["01", "P2", "", "None"],
            "pearson": [0.123456, np.nan, -1e-7, 1.0],
            "n_spots": [10, 20, 30, 40],
            "usable": [True, False, True, False],
            "claim": ["no claim", "a, b", "c; d", "e"],
        }
    )
    write_table(table, tmp_path / "table.tsv")
    text = ("gene", "spot", "patient", "claim")
    pd.testing.assert_frame_equal(read_table(tmp_path / "table.tsv", text), table)


def test_an_undefined_number_is_written_as_such(tmp_path):
    write_table(pd.DataFrame({"pearson": [np.nan, 0.1234567]}), tmp_path / "table.tsv")
    assert (tmp_path / "table.tsv").read_text() == "pearson\nnan\n0.123457\n\n"


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    write_table(pd.DataFrame({"gene": [], "pearson": []}), tmp_path / "table.tsv")
    assert list(read_table(tmp_path / "table.tsv", ["gene"]).columns) == ["gene", "pearson"]


def test_genes_called_by_numbers_stay_text(tmp_path):
    (tmp_path / "genes.tsv").write_text("gene\tscore\n1000\t1.5\nNA\t1.0\n\n")
    panel = read_table(tmp_path / "genes.tsv", ["gene"])
    assert panel["gene"].tolist() == ["1000", "NA"]
    assert panel["score"].tolist() == [1.5, 1.0]


def test_text_that_a_spreadsheet_takes_for_a_formula_is_text_and_numbers_stay_numbers(tmp_path):
    table = pd.DataFrame(
        {
            "gene": ["=1+1", "-", "+x", "@SUM(A1)", "\tx", "\rx", "'=x", "TP53"],
            "patient": ["-01", "-01", "P2", "P2", "P2", "P2", "'", "=HYPERLINK(A1)"],
            "pearson": [-0.5, 0.25, -1e-7, 1.0, -1.0, 0.0, np.nan, 2.0],
            "rank": [-1, 2, 3, 4, 5, 6, 7, 8],
        }
    )
    path = tmp_path / "table.tsv"
    write_table(table, path)
    lines = path.read_bytes().decode().split("\n")
    assert lines[1] == "'=1+1\t'-01\t-0.5\t-1"
    assert lines[2] == "'-\t'-01\t0.25\t2"
    assert lines[8] == "TP53\t'=HYPERLINK(A1)\t2\t8"
    cells = [cell for line in lines[1:-1] for cell in line.split("\t")[:2]]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\r"))]
    pd.testing.assert_frame_equal(read_table(path, ["gene", "patient"]), table)


def test_categories_that_look_like_formulas_come_back_as_text(tmp_path):
    table = pd.DataFrame({"layer": pd.Categorical(["+a", "b", "+a"]), "section": ["-S1", "S2", "-S1"]})
    write_table(table, tmp_path / "table.tsv")
    assert (tmp_path / "table.tsv").read_text() == "layer\tsection\n'+a\t'-S1\nb\tS2\n'+a\t'-S1\n\n"
    back = read_table(tmp_path / "table.tsv", ["layer", "section"])
    assert back["layer"].tolist() == ["+a", "b", "+a"]
    assert back["section"].tolist() == ["-S1", "S2", "-S1"]


def test_other_programs_read_the_rows_and_nothing_else(tmp_path):
    table = pd.DataFrame({"gene": ["TP53", "ACTB"], "score": [0.5, np.nan]})
    write_table(table, tmp_path / "table.tsv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "table.tsv", sep="\t"), table)
    with open(tmp_path / "table.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["gene"] for row in rows] == ["TP53", "ACTB"]


LINES = ["gene\tscore\n", "TP53\t1.5\n", "ACTB\t0.5\n", "EGFR\tnan\n", "\n"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "an empty file"),
        ("".join(LINES[:1]), "the empty line is missing"),
        ("".join(LINES[:3]), "the empty line is missing"),
        ("".join(LINES[:-1]), "the empty line is missing"),
        ("".join(LINES)[:-9], "the empty line is missing"),
        ("".join(LINES).replace("ACTB\t0.5", "ACTB"), "row 2 has no score"),
        ("".join(LINES).replace("ACTB\t0.5", "ACTB\t0.5\t7"), "cannot be read"),
        ("".join(LINES).replace("TP53\t1.5", "TP53\t1.5\t7"), "cannot be read|longer than the header"),
        ("".join(LINES).replace("gene", "name"), "the column gene is missing"),
        ("".join(LINES).replace("0.5", "a half"), "cannot be read"),
        ("".join(LINES).replace("0.5", "inf"), "column score has an infinite number"),
        ("".join(LINES).replace("ACTB", "AC\0TB").replace("0.5", "\0\0"), "bytes that are 0"),
    ],
)
def test_a_table_that_is_not_whole_is_refused(tmp_path, content, said):
    (tmp_path / "table.tsv").write_text(content)
    with pytest.raises(InputError, match=rf"table\.tsv: .*({said}).*; remove it and run again") as caught:
        read_table(tmp_path / "table.tsv", ["gene"])
    assert caught.value.file == str(tmp_path / "table.tsv")


def test_a_table_that_is_not_there_is_not_called_damaged(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "table.tsv", ["gene"])
