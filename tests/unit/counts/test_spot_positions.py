import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ressat.base.errors import InputError
from ressat.counts.spot_positions import POSITION_COLUMNS, ScaleFactors, read_positions, read_scale_factors

POSITIONS = ["AAA-1,1,0,0,200,100", "CCC-1,0,0,2,200,300", "GGG-1,1,1,1,373,200"]
HEADER = ",".join(POSITION_COLUMNS)
QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=150)


@pytest.mark.parametrize("header", [[], [HEADER], [HEADER.upper()], [f'"{HEADER}"'.replace(",", '","')]])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["tissue_positions.csv", "tissue_positions.csv.gz"])
def test_positions_with_and_without_header(write, header, ending, mark, name):
    table = read_positions(write(mark + ending.join([*header, *POSITIONS, ""]).encode(), name))
    assert list(table.index) == ["AAA-1", "CCC-1", "GGG-1"]
    assert table["in_tissue"].tolist() == [1, 0, 1]
    assert table[["array_row", "array_col"]].to_numpy().tolist() == [[0, 0], [0, 2], [1, 1]]
    # The first pixel number of the file is the row, so y.
    assert table[["x", "y"]].to_numpy().tolist() == [[100, 200], [300, 200], [200, 373]]


def test_quoted_and_padded_cells_are_read(write):
    line = ", ".join(f'"{cell}"' for cell in POSITIONS[0].split(","))
    with_quotes = read_positions(write(line.replace(", ", ","), "tissue_positions_list.csv"))
    padded = read_positions(write(POSITIONS[0].replace(",", " , "), "tissue_positions_list.csv"))
    assert with_quotes.equals(padded)
    assert with_quotes.equals(read_positions(write(" " + line, "tissue_positions_list.csv")))
    assert list(padded.index) == ["AAA-1"]


def test_the_header_says_which_column_is_which(write):
    swapped = ["in_tissue,barcode,array_row,array_col,pxl_col_in_fullres,pxl_row_in_fullres,note"]
    table = read_positions(write("\n".join([*swapped, "1,AAA-1,0,0,200,100,x"]), "p.csv"))
    assert table[["x", "y"]].to_numpy().tolist() == [[200, 100]]
    assert list(table.index) == ["AAA-1"]


@pytest.mark.parametrize("indexed", [False, True])
def test_parquet_positions(tmp_path, indexed):
    cells = [line.split(",") for line in POSITIONS]
    table = pd.DataFrame(cells, columns=POSITION_COLUMNS).astype(dict.fromkeys(POSITION_COLUMNS[1:], float))
    file = tmp_path / "tissue_positions.parquet"
    (table.set_index("barcode") if indexed else table).to_parquet(file)
    places = read_positions(str(file))
    assert places.loc["GGG-1"].to_list() == [1, 1, 1, 200, 373]
    assert [kind.kind for kind in places.dtypes] == list("iiiff")


def test_real_parquet_positions(shared):
    folder = shared / "data/spaceranger/visiumio/binned_outputs/square_002um/spatial"
    places = read_positions(str(folder / "tissue_positions.parquet"))
    assert len(places) == 10
    place = places.loc["s_002um_00305_01021-1"]
    assert (place["array_row"], place["array_col"]) == (305, 1021)
    assert (round(place["x"], 3), round(place["y"], 3)) == (13608.743, 2385.629)
    assert read_scale_factors(str(folder / "scalefactors_json.json")) == ScaleFactors(
        7.303953797779634, 0.2505533, 0.02505533, 2.0, 0.2738242950835738
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "an empty file"),
        ([HEADER], "only a header"),
        (["AAA-1,1,0,0,200"], "5 columns, aaa-1, 1, 0, 0, 200; expected 6 columns: barcode, in_tissue"),
        (["barcode,in_tissue,row,col,y,x", POSITIONS[0]], "6 columns, barcode, in_tissue, row"),
        ([f"{HEADER},barcode", f"{POSITIONS[0]},A"], "7 columns"),
        ([*POSITIONS, "TTT-1,1,0,0,,100"], "'' as pxl_row_in_fullres in row TTT-1; expected a number"),
        ([*POSITIONS, "TTT-1,1,0,0,20O,100"], "'20O' as pxl_row_in_fullres in row TTT-1"),
        ([*POSITIONS, "TTT-1,1,0,0,inf,100"], "'inf' as pxl_row_in_fullres in row TTT-1"),
        ([*POSITIONS, "TTT-1,1,0,0,1e999999999999,100"], "'1e999999999999' as pxl_row_in_fullres"),
        ([*POSITIONS, "TTT-1,1,0.5,0,200,100"], "0.5 as array_row in row TTT-1; expected a whole number"),
        ([*POSITIONS, "TTT-1,2,0,0,200,100"], "2 as in_tissue in row TTT-1; expected 0 or 1"),
        ([*POSITIONS, "TTT-1,1,0,0,1,2,3"], "it cannot be read as a table"),
        ([*POSITIONS, POSITIONS[0]], "1 spot names occur more than once (first: AAA-1)"),
    ],
)
def test_wrong_positions_are_refused(refusal, lines, said):
    assert said in refusal(read_positions, "\n".join(lines), "tissue_positions.csv")


@pytest.mark.parametrize("content", [b"", b"text", b"PAR1 and no more PAR1"])
def test_a_damaged_parquet_file_is_refused(refusal, content):
    assert "it cannot be read as parquet" in refusal(read_positions, content, "tissue_positions.parquet")


@pytest.mark.parametrize("name", ["scalefactors_json.json", "scalefactors_json.json.gz"])
def test_scale_factors(write, name):
    factors = {"spot_diameter_fullres": 89.4, "tissue_hires_scalef": 0.17}
    assert read_scale_factors(write(json.dumps(factors), name)) == ScaleFactors(89.4, 0.17)


DIAMETERS = "null", '"x"', "NaN", "0", "-1", "1e999", "[1]", "9" * 400


@pytest.mark.parametrize(
    "content",
    ["[]", "null", "{}", '{"spot_diameter_fullres": ', "[" * 100_000, b"\xff\xfe"]
    + ['{"spot_diameter_fullres": 1, "tissue_hires_scalef": -1}']
    + [f'{{"spot_diameter_fullres": {value}}}' for value in DIAMETERS],
    ids=lambda content: repr(content[:40]),
)
def test_wrong_scale_factors_are_refused(refusal, content):
    said = refusal(read_scale_factors, content, "scalefactors_json.json")
    assert "expected JSON with a positive spot_diameter_fullres" in said


CELL = st.sampled_from(
    ["AAA-1", "1", "0", "200", "-3.5", "1e9999999999", "nan", "", '"', "ü", "\0", "9" * 40]
)


@QUICK
@given(lines=st.lists(st.lists(CELL, max_size=8), max_size=5), header=st.booleans())
def test_whatever_stands_in_positions_gives_a_table_or_the_one_error(tmp_path_factory, lines, header):
    file = tmp_path_factory.getbasetemp() / "fuzzed_positions.csv"
    text = "\n".join([*[HEADER] * header, *(",".join(line) for line in lines)])
    file.write_text(text, encoding="utf-8")
    try:
        table = read_positions(str(file))
    except InputError:
        return
    assert list(table.columns) == ["in_tissue", "array_row", "array_col", "x", "y"]
    assert table.notna().all(axis=None)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["spot_diameter_fullres", "bin_size_um", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@QUICK
@given(content=JSON.map(json.dumps).map(str.encode) | st.binary(max_size=60))
def test_whatever_stands_in_scale_factors_gives_them_or_the_one_error(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "fuzzed_factors.json"
    file.write_bytes(content)
    try:
        assert read_scale_factors(str(file)).spot_px > 0
    except InputError:
        return


@QUICK
@given(at=st.integers(0, 2000), value=st.integers(0, 255), cut=st.integers(0, 2000))
def test_a_changed_or_cut_parquet_file_gives_a_table_or_the_one_error(tmp_path_factory, at, value, cut):
    file = tmp_path_factory.getbasetemp() / "fuzzed.parquet"
    cells = [line.split(",") for line in POSITIONS]
    pd.DataFrame(cells, columns=POSITION_COLUMNS).to_parquet(file)
    content = bytearray(file.read_bytes())
    content[at % len(content)] = value
    file.write_bytes(content[: len(content) - cut] if cut % 3 == 0 else content)
    try:
        read_positions(str(file))
    except InputError:
        return
