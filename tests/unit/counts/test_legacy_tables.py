import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ressat.base.errors import InputError
from ressat.counts.legacy_tables import read_legacy_counts, read_legacy_spots

COUNTS = "\tTP53\tACTB\n10x21\t1\t0\n10x22\t3\t2\n"
TURNED = "\t10x21\t10x22\nTP53\t1\t3\nACTB\t0\t2\n"
SPOTS = "x\ty\tpixel_x\tpixel_y\tselected\n10\t21\t100.5\t200.5\t1\n10\t22\t100.5\t300.5\t0\n"
QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=200)


@pytest.mark.parametrize("name", ["c.tsv", "c.tsv.gz", "c.csv", "c.csv.gz", "c.txt"])
@pytest.mark.parametrize("separator", "\t,;")
@pytest.mark.parametrize("header", ["\tTP53\tACTB", "TP53\tACTB", '"TP53"\t"ACTB"'])  # as pandas and R write
def test_counts_with_spots_as_rows(write, name, separator, header):
    content = COUNTS.replace("\tTP53\tACTB", header).replace("\t", separator)
    table = read_legacy_counts(write(content, name))
    assert (list(table.spots), table.genes) == (["10x21", "10x22"], ["TP53", "ACTB"])
    assert table.counts.toarray().tolist() == [[1, 0], [3, 2]]
    assert table.counts.dtype == np.float32


@pytest.mark.parametrize("header", ["\t10x21\t10x22", "gene\t10x21\t10x22", '"X10x21"\t"X10x22"'])
def test_counts_with_genes_as_rows_are_turned(write, header):
    table = read_legacy_counts(write(TURNED.replace("\t10x21\t10x22", header), "c.tsv"))
    assert (list(table.spots), table.genes) == (["10x21", "10x22"], ["TP53", "ACTB"])
    assert table.counts.toarray().tolist() == [[1, 0], [3, 2]]
    assert table.counts.format == "csr"


@pytest.mark.parametrize("change", [("\n", "\r\n"), ("\n10x", "\nX10x"), ("\n10x21", '\n"10x21"')])
def test_line_ends_of_windows_and_names_of_r_are_read(write, change):
    table = read_legacy_counts(write("\ufeff" + COUNTS.replace(*change), "c.tsv"))
    assert (list(table.spots), table.genes) == (["10x21", "10x22"], ["TP53", "ACTB"])


def test_spots_are_named_by_their_rounded_place(write):
    table = read_legacy_counts(write("\tA\n9.98x21.0\t1\n10x22.\t2\n", "c.tsv"))
    assert list(table.spots) == ["10x21", "10x22"]
    places = read_legacy_spots(write("x\ty\tpixel_x\tpixel_y\n9.98\t21.02\t1\t2\n", "s.tsv"))
    assert list(places.index) == ["10x21"]


def test_genes_keep_their_names(write):
    table = read_legacy_counts(write("\tA\tNA\tA\n1x1\t1\t2\t3\n", "c.tsv"))
    assert table.genes == ["A", "NA", "A"]
    assert read_legacy_counts(write("\t1x1\nNA\t1\nnan\t2\n", "c.tsv")).genes == ["NA", "nan"]


def test_a_table_longer_than_what_is_read_at_a_time_is_whole(write):
    rows = "".join(f"{i}x1\t{i}\t1\n" for i in range(1, 1300))
    table = read_legacy_counts(write(f"\tA\tB\n{rows}", "c.tsv"))
    assert table.counts.toarray()[:, 0].tolist() == list(range(1, 1300))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "an empty file"),
        ("\tTP53\tACTB\n", "it cannot be read as a table"),
        (COUNTS + "\0" * 40, "in row"),
        (COUNTS.encode().replace(b"TP53", b"\xff\xfe"), "it cannot be read as a table"),
        (COUNTS.replace("\n1", "\n0\t1", 2), "a header of 3 cells above rows of 4"),
        (COUNTS.replace("0\n", "0\t\n").replace("2\n", "2\t\n"), "a header of 3 cells above rows of 4"),
        ("\tA\n1x1\t2\nxx1\t2\n", "a row named 'xx1' and a column named 'A'"),
        (f"\tA\n{'9' * 400}x1\t2\n", "a row named '999"),
        ("\tA\tB\n1x1\t2\tmany\n1x2\t2\t1\n", "'many' in row 1x1, column B; expected raw counts"),
        ("\tA\tB\n1x1\t\t2\n", "'' in row 1x1, column A"),
        ("\tA\tB\n1x1\tNA\t2\n", "'NA' in row 1x1, column A"),
        ("\tA\tB\n1x1\tTrue\t2\n", "'True' in row 1x1, column A"),
        ("\tA\tB\n1x1\t1e9999999999999x\t2\n", "'1e9999999999999x' in row 1x1, column A"),
        ("\tA\n1x1\t1\n1x1\t2\n", "1 spot names occur more than once (first: 1x1)"),
        ("\tA\n1.1x1\t1\n0.9x1\t2\n", "1 spot names occur more than once (first: 1x1)"),
    ],
)
def test_wrong_counts_are_refused(refusal, content, said):
    assert said in refusal(read_legacy_counts, content, "c.tsv")


def test_an_endless_number_is_infinite(write):
    for number in ("9" * 400, "1e99999999999999999999"):
        table = read_legacy_counts(write(f"\tA\tB\n1x1\t{number}\t1\n", "c.tsv"))
        assert table.counts.toarray().tolist() == [[np.inf, 1]]


def test_the_places_of_spots(write):
    for content in (SPOTS, SPOTS.replace("x\ty", " x \ty", 1), SPOTS.replace("\t", ",")):
        table = read_legacy_spots(write(content, "s.tsv"))
        assert list(table.index) == ["10x21", "10x22"]
        assert table[["in_tissue", "array_row", "array_col"]].to_numpy().tolist() == [
            [1, 21, 10],
            [0, 22, 10],
        ]
        assert table[["x", "y"]].to_numpy().tolist() == [[100.5, 200.5], [100.5, 300.5]]


def test_all_spots_are_under_tissue_where_nothing_else_is_said(write):
    content = "\n".join(line.rsplit("\t", 1)[0] for line in SPOTS.splitlines())
    assert read_legacy_spots(write(content, "s.tsv"))["in_tissue"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "an empty file"),
        (SPOTS.splitlines()[0], "only a header"),
        (SPOTS.replace("pixel_x", "px"), "no column pixel_x; expected the columns x, y, pixel_x, pixel_y"),
        (SPOTS.replace("pixel_y", "pixel_x"), "several columns pixel_x"),
        (SPOTS.replace("100.5", "left"), "'left' as pixel_x in row 0; expected a number"),
        (SPOTS.replace("100.5", ""), "'' as pixel_x in row 0"),
        (SPOTS.replace("100.5", "-inf"), "'-inf' as pixel_x in row 0"),
        (SPOTS.replace("\n10\t", "\nten\t"), "'ten' as x in row 0"),
        (SPOTS.replace("\t0\n", "\tno\n"), "'no' as selected in row 1"),
        (SPOTS.replace("\t22\t", "\t21\t"), "1 spot names occur more than once (first: 10x21)"),
    ],
)
def test_wrong_places_of_spots_are_refused(refusal, content, said):
    assert said in refusal(read_legacy_spots, content, "s.tsv")


CELL = st.sampled_from(["1x1", "2x1", "X3x1", "A", "0", "1", "2.5", "1e99999999999x", "nan", "", '"', "ü"])
TABLE = st.lists(st.lists(CELL, min_size=1, max_size=4).map("\t".join), max_size=5).map("\n".join)


@QUICK
@given(text=TABLE, head=st.sampled_from(["", "\tA\tB\n", "\t1x1\t2x1\n"]))
def test_whatever_stands_in_counts_gives_a_table_or_the_one_error(tmp_path_factory, text, head):
    file = tmp_path_factory.getbasetemp() / "fuzzed_counts.tsv"
    file.write_text(head + text, encoding="utf-8")
    try:
        table = read_legacy_counts(str(file))
    except InputError:
        return
    assert table.counts.shape == (len(table.spots), len(table.genes))


@QUICK
@given(text=TABLE, head=st.sampled_from(["", "x\ty\tpixel_x\tpixel_y\n"]))
def test_whatever_stands_in_places_gives_a_table_or_the_one_error(tmp_path_factory, text, head):
    file = tmp_path_factory.getbasetemp() / "fuzzed_spots.tsv"
    file.write_text(head + text, encoding="utf-8")
    try:
        assert read_legacy_spots(str(file)).notna().all(axis=None)
    except InputError:
        return


@QUICK
@given(changes=st.lists(st.tuples(st.integers(0, 999), st.binary(max_size=3)), min_size=1, max_size=5))
@pytest.mark.parametrize(("read", "content"), [(read_legacy_counts, COUNTS), (read_legacy_spots, SPOTS)])
def test_a_damaged_table_gives_a_table_or_the_one_error(tmp_path_factory, read, content, changes):
    damaged = bytearray(content.encode())
    for at, value in changes:
        damaged[at % (len(damaged) + 1) : at % (len(damaged) + 1) + 1] = value
    file = tmp_path_factory.getbasetemp() / "damaged.tsv"
    file.write_bytes(damaged)
    try:
        read(str(file))
    except InputError:
        return


@pytest.mark.parametrize(
    ("cells", "genes"),
    [('"HLA,A","TP53"', ["HLA,A", "TP53"]), (' "TP53" ,"A""B"', ["TP53", 'A"B'])],
)
def test_separators_and_quotes_within_a_quoted_name_belong_to_it(write, cells, genes):
    content = COUNTS.replace("\t", ",").replace("TP53,ACTB", cells)
    assert read_legacy_counts(write(content, "c.csv")).genes == genes


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("\t" + "g\t" * 300_000, "a first line of 300002 cells"),
        ("\tA\tB\n1x1\t" + "1\t" * 300_000, "a header of 3 cells above rows of 300002"),
    ],
)
@pytest.mark.parametrize("name", ["c.tsv", "c.tsv.gz"])
def test_a_line_without_end_is_refused_before_a_column_is_made_of_each_cell(refusal, content, said, name):
    assert said in refusal(read_legacy_counts, content, name)


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_a_spot_table_of_one_endless_line_is_refused(refusal, separator):
    assert "a first line of 50001 cells" in refusal(read_legacy_spots, f"x{separator}" * 50_000, "s.tsv")
