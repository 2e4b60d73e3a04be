import numpy as np
import pandas as pd

from ressat.base.tables import read_table, write_table
from ressat.model.text_columns import PANEL


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
    text = ("gene", "spot", "patient", "claim", "another")
    pd.testing.assert_frame_equal(read_table(tmp_path / "table.tsv", text), table)


def test_an_undefined_number_is_written_as_such(tmp_path):
    write_table(pd.DataFrame({"pearson": [np.nan, 0.1234567]}), tmp_path / "table.tsv")
    assert (tmp_path / "table.tsv").read_text() == "pearson\nnan\n0.123457\n"


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    write_table(pd.DataFrame({"gene": [], "pearson": []}), tmp_path / "table.tsv")
    assert list(read_table(tmp_path / "table.tsv", ["gene"]).columns) == ["gene", "pearson"]


def test_a_panel_of_numbers_stays_text(tmp_path):
    (tmp_path / "genes.tsv").write_text("gene\tscore\n1000\t1.5\nNA\t1.0\n")
    panel = read_table(tmp_path / "genes.tsv", PANEL)
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
    assert (tmp_path / "table.tsv").read_text() == "layer\tsection\n'+a\t'-S1\nb\tS2\n'+a\t'-S1\n"
    back = read_table(tmp_path / "table.tsv", ["layer", "section"])
    assert back["layer"].tolist() == ["+a", "b", "+a"]
    assert back["section"].tolist() == ["-S1", "S2", "-S1"]
