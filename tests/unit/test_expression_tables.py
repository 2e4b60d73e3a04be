import gzip
import json
import random

import numpy as np
import pytest

from ressat.errors import InputError
from ressat.expression_tables import (
    POSITION_COLUMNS,
    read_legacy_counts,
    read_legacy_spots,
    read_positions,
    read_spot_diameter,
)

POSITIONS = ["AAA-1,1,0,0,200,100", "CCC-1,0,0,2,200,300", "GGG-1,1,1,1,373,200"]
COUNTS = "\tTP53\tACTB\n10x21\t1\t0\n10x22\t3\t2\n"
SPOTS = "x\ty\tpixel_x\tpixel_y\tselected\n10\t21\t100.5\t200.5\t1\n10\t22\t100.5\t300.5\t0\n"


@pytest.fixture
def write(tmp_path):
    def write(content: str | bytes, name: str) -> str:
        content = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return str(tmp_path / name)

    return write


@pytest.fixture
def refusal(write):
    def refusal(read: object, content: str | bytes, name: str) -> str:
        with pytest.raises(InputError) as caught:
            read("S1", write(content, name))
        assert str(caught.value).startswith("section S1: ")
        assert name in str(caught.value)
        assert caught.value.expected
        assert caught.value.action
        return str(caught.value)

    return refusal


@pytest.mark.parametrize("header", [[], [",".join(POSITION_COLUMNS)]])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_positions_with_and_without_header(write, header, ending, mark):
    file = write(mark + ending.join([*header, *POSITIONS, ""]).encode(), "tissue_positions.csv")
    table = read_positions("S1", file)
    assert list(table.index) == ["AAA-1", "CCC-1", "GGG-1"]
    assert table["in_tissue"].tolist() == [1, 0, 1]
    assert table[["array_row", "array_col"]].to_numpy().tolist() == [[0, 0], [0, 2], [1, 1]]
    # The first pixel number of the file is the row, so y.
    assert table[["x", "y"]].to_numpy().tolist() == [[100, 200], [300, 200], [200, 373]]


def test_the_header_says_which_column_is_which(write):
    swapped = ["barcode,in_tissue,array_row,array_col,pxl_col_in_fullres,pxl_row_in_fullres", POSITIONS[0]]
    table = read_positions("S1", write("\n".join(swapped), "tissue_positions.csv"))
    assert table[["x", "y"]].to_numpy().tolist() == [[200, 100]]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "it cannot be read as a table"),
        ([",".join(POSITION_COLUMNS)], "a header alone"),
        (["AAA-1,1,0,0,200"], "5 columns, AAA-1, 1, 0, 0, 200; expected 6 columns: barcode, in_tissue"),
        ([POSITIONS[0].replace(",", "\t")], "1 columns"),
        (["barcode,in_tissue,row,col,y,x", POSITIONS[0]], "6 columns, barcode, in_tissue, row"),
        ([*POSITIONS, "TTT-1,1,0,0,,100"], "nan as pxl_row_in_fullres in row TTT-1; expected a number"),
        ([*POSITIONS, "TTT-1,1,0,0,20O,100"], "20O as pxl_row_in_fullres in row TTT-1"),
        ([*POSITIONS, "TTT-1,1,0,0,inf,100"], "inf as pxl_row_in_fullres in row TTT-1"),
        ([*POSITIONS, "TTT-1,1,0,0,1,2,3"], "it cannot be read as a table"),
        ([*POSITIONS, POSITIONS[0]], "1 names of spots stand there more than once (first: AAA-1)"),
    ],
)
def test_wrong_positions_are_refused(refusal, lines, said):
    assert said in refusal(read_positions, "\n".join(lines), "tissue_positions.csv")


def test_the_spot_diameter(write):
    factors = {"spot_diameter_fullres": 89.4, "tissue_hires_scalef": 0.17}
    assert read_spot_diameter("S1", write(json.dumps(factors), "scalefactors_json.json")) == 89.4


DIAMETERS = "null", '"x"', "NaN", "0", "-1", "1e999", "[1]", "9" * 400


@pytest.mark.parametrize(
    "content",
    ["", "[]", "null", "{}", '{"spot_diameter_fullres": ', "[" * 100_000, b"\xff\xfe"]
    + [f'{{"spot_diameter_fullres": {value}}}' for value in DIAMETERS],
    ids=lambda content: repr(content[:40]),
)
def test_wrong_scale_factors_are_refused(refusal, content):
    said = refusal(read_spot_diameter, content, "scalefactors_json.json")
    assert "expected JSON with a positive spot_diameter_fullres" in said


@pytest.mark.parametrize("name", ["c.tsv", "c.tsv.gz", "c.csv", "c.csv.gz", "c.txt"])
@pytest.mark.parametrize("header", ["\tTP53\tACTB", "TP53\tACTB", '"TP53"\t"ACTB"'])  # as pandas and R write
def test_legacy_counts(write, name, header):
    content = COUNTS.replace("\tTP53\tACTB", header)
    table = read_legacy_counts("S1", write(content.replace("\t", "," if "csv" in name else "\t"), name))
    assert (list(table.index), list(table.columns)) == (["10x21", "10x22"], ["TP53", "ACTB"])
    assert table.to_numpy().tolist() == [[1, 0], [3, 2]]
    assert (table.dtypes == np.float32).all()


def test_legacy_spots_are_named_by_their_rounded_place(write):
    table = read_legacy_counts("S1", write("\tA\n9.98x21.0\t1\n10x22.\t2\n", "c.tsv"))
    assert list(table.index) == ["10x21", "10x22"]
    table = read_legacy_spots("S1", write("x\ty\tpixel_x\tpixel_y\n9.98\t21.02\t1\t2\n", "s.tsv"))
    assert list(table.index) == ["10x21"]


def test_a_gene_named_twice_keeps_its_name(write):
    table = read_legacy_counts("S1", write("\tA\tB\tA\n1x1\t1\t2\t3\n", "c.tsv"))
    assert list(table.columns) == ["A", "B", "A"]


def test_an_empty_cell_of_counts_is_nan_and_no_zero(write):
    assert np.isnan(read_legacy_counts("S1", write("\tA\tB\n1x1\t\t2\n", "c.tsv")).iloc[0, 0])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it cannot be read as a table"),
        ("\tTP53\tACTB\n", "it cannot be read as a table"),
        (COUNTS + "\0" * 40, "a row named"),
        (COUNTS.encode().replace(b"TP53", b"\xff\xfe"), "it cannot be read as a table"),
        (COUNTS.replace("\t", ","), "a table without values; expected one row per spot, its cells separ"),
        (COUNTS.replace("\n1", "\n0\t1", 2), "a header of 3 cells above rows of 4"),
        (COUNTS.replace("0\n", "0\t\n").replace("2\n", "2\t\n"), "a header of 3 cells above rows of 4"),
        ("\t10x21\t10x22\nTP53\t1\t3\n", "a row named 'TP53'; expected spots as rows"),
        ("\tA\n1x1\t2\nxx1\t2\n", "a row named 'xx1'"),
        (f"\tA\n{'9' * 400}x1\t2\n", "a row named '999"),
        ("\tA\tB\n1x1\t2\tmany\n1x2\t2\t1\n", "'many' as a count of gene B; expected raw counts"),
        (f"\tA\n1x1\t{'9' * 400}\n", "as a count of gene A"),
        ("\tA\n1x1\t1\n1x1\t2\n", "1 names of spots stand there more than once (first: 1x1)"),
        ("\tA\n1.1x1\t1\n0.9x1\t2\n", "1 names of spots stand there more than once (first: 1x1)"),
    ],
)
def test_wrong_legacy_counts_are_refused(refusal, content, said):
    assert said in refusal(read_legacy_counts, content, "c.tsv")


def test_a_truncated_archive_is_refused(tmp_path):
    luck = random.Random(1)
    whole = gzip.compress(("\tA\n" + "".join(f"1x{i}\t{luck.random()}\n" for i in range(2000))).encode())
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    for content in (whole[: len(whole) // 2], bytes(damaged), b"no archive"):
        (tmp_path / "c.tsv.gz").write_bytes(content)
        with pytest.raises(InputError, match="it cannot be read as a table"):
            read_legacy_counts("S1", str(tmp_path / "c.tsv.gz"))


def test_legacy_spots(write):
    table = read_legacy_spots("S1", write(SPOTS.replace("x\ty", " x \ty"), "s.tsv"))
    assert list(table.index) == ["10x21", "10x22"]
    assert table[["in_tissue", "array_row", "array_col"]].to_numpy().tolist() == [[1, 21, 10], [0, 22, 10]]
    assert table[["x", "y"]].to_numpy().tolist() == [[100.5, 200.5], [100.5, 300.5]]


def test_all_legacy_spots_are_under_tissue_where_nothing_else_is_said(write):
    content = "\n".join(line.rsplit("\t", 1)[0] for line in SPOTS.splitlines())
    assert read_legacy_spots("S1", write(content, "s.tsv"))["in_tissue"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it cannot be read as a table"),
        (SPOTS.splitlines()[0], "a table without values"),
        (SPOTS.replace("pixel_x", "px"), "no column pixel_x; expected the columns x, y, pixel_x, pixel_y"),
        (SPOTS.replace("\t", ","), "no column x, y, pixel_x, pixel_y"),
        (SPOTS.replace("100.5", "left"), "left as pixel_x in row 0; expected a number"),
        (SPOTS.replace("100.5", ""), "nan as pixel_x in row 0"),
        (SPOTS.replace("100.5", "-inf"), "-inf as pixel_x in row 0"),
        (SPOTS.replace("\n10\t", "\nten\t"), "ten as x in row 0"),
        (SPOTS.replace("\t0\n", "\tno\n"), "no as selected in row 1"),
        (SPOTS.replace("\t22\t", "\t21\t"), "1 names of spots stand there more than once (first: 10x21)"),
    ],
)
def test_wrong_legacy_spots_are_refused(refusal, content, said):
    assert said in refusal(read_legacy_spots, content, "s.tsv")


@pytest.mark.parametrize(
    ("read", "name", "content"),
    [
        (read_positions, "p.csv", "\n".join([",".join(POSITION_COLUMNS), *POSITIONS])),
        (read_positions, "p.csv", "\n".join(POSITIONS)),
        (read_spot_diameter, "f.json", '{"spot_diameter_fullres": 89.4, "tissue_hires_scalef": 0.17}'),
        (read_legacy_counts, "c.tsv", COUNTS),
        (read_legacy_spots, "s.tsv", SPOTS),
    ],
)
def test_a_damaged_file_gives_a_table_or_the_one_error(tmp_path, read, name, content):
    luck = random.Random(1)
    for _ in range(150):
        damaged = bytearray(content.encode())
        for _ in range(luck.randint(1, 5)):
            at = luck.randrange(len(damaged))
            damaged[at : at + luck.choice([0, 1, 9])] = luck.choice(
                [luck.randbytes(2), b"\t", b",", b"\n", b'"', b"\0", b"1.5", b"-", b"9" * 40]
            )
        (tmp_path / name).write_bytes(damaged)
        try:
            read("S1", str(tmp_path / name))
        except InputError:
            continue
