import os
from pathlib import Path

import pytest

from ressat.base.errors import InputError
from ressat.workflow.schema import sheet_schema
from ressat.workflow.sheet import Section, read_sheet

HEADER = "sample\tslide\texpression\tspots\tpatient\trole\tmpp"
ROWS = [
    "A1\tA1.svs\tA1/outs\t\tA\ttrain\t",
    "B1\tB1.jpg\tB1.tsv.gz\tB1_spots.tsv\tB\ttest\t0.735",
    "C1\tC1.tif\t\t\t\tpredict\t",
]
INCLUDE = "sample\tslide\trole\tinclude"
ROW = "A\ta.svs\tpredict\t"


@pytest.fixture(scope="module")
def schema(repository):
    return sheet_schema(repository / "schemas")


@pytest.fixture
def read(tmp_path, schema):
    def read(*lines: str, ending: str = "\n", encoding: str = "utf-8") -> dict[str, Section]:
        path = tmp_path / "samples.tsv"
        path.write_bytes("".join(line + ending for line in lines).encode(encoding))
        return read_sheet(path, schema)

    return read


@pytest.fixture
def refusal(read, tmp_path):
    def refusal(*lines: str, **how: str) -> str:
        with pytest.raises(InputError) as caught:
            read(*lines, **how)
        assert str(tmp_path / "samples.tsv") in str(caught.value)
        return str(caught.value)

    return refusal


def test_every_column_is_read_and_defaults_are_filled_in(read, tmp_path):
    assert read(HEADER, *ROWS) == {
        "A1": Section("A1", tmp_path / "A1.svs", tmp_path / "A1/outs", None, "A", "train", None),
        "B1": Section(
            "B1", tmp_path / "B1.jpg", tmp_path / "B1.tsv.gz", tmp_path / "B1_spots.tsv", "B", "test", 0.735
        ),
        "C1": Section("C1", tmp_path / "C1.tif", None, None, "C1", "predict", None),
    }


def test_columns_may_stand_in_any_order_and_optional_ones_may_be_missing(read):
    sections = read("role\tsample\tslide", "predict\tZ\tz.svs", "predict\tA\ta.svs")
    assert [(s.sample, s.patient, s.mpp) for s in sections.values()] == [("Z", "Z", None), ("A", "A", None)]


@pytest.mark.parametrize(
    ("ending", "encoding"), [("\r\n", "utf-8"), ("\r\n", "utf-8-sig"), ("\r", "utf-8"), ("\n", "utf-8-sig")]
)
def test_windows_line_ends_and_byte_order_marks_change_nothing(read, ending, encoding):
    assert read(HEADER, *ROWS, ending=ending, encoding=encoding) == read(HEADER, *ROWS)


def test_stray_spaces_blank_lines_and_blank_columns_change_nothing(read):
    spaced = [line.replace("\t", " \t  ") + " \t\t" for line in (HEADER, *ROWS)]
    assert read("", *spaced[:2], "", " \t ", *spaced[2:], "") == read(HEADER, *ROWS)


@pytest.mark.parametrize("cell", ["yes", "Yes", "YES", "true", "True", "1", "", "NA"])
def test_a_section_is_included_where_the_column_says_so_or_nothing(read, cell):
    assert read(INCLUDE, ROW + cell)["A"].include


@pytest.mark.parametrize("cell", ["no", "No", "NO", "false", "FALSE", "0"])
def test_a_section_is_left_out_where_the_column_says_no(read, cell):
    sections = read(INCLUDE, ROW + cell, ROW.replace("A", "B") + "yes")
    assert [section.include for section in sections.values()] == [False, True]


def test_how_counts_are_read_is_told_by_columns_of_their_own(read, tmp_path):
    header = "sample\tslide\texpression\trole\tbin_um\tlayer\ttable\tregion\tsubset"
    row = "\ta.svs\tx\ttrain\t"
    sections = read(
        header,
        *(f"A{row}8", f"B{row}16", f"C{row}\traw counts", f"D{row}\t\ttable 1\tspots_1"),
        *(f"E{row}\t\t\t\t-2", f"F{row}\t\t\t\tsample id=P 7"),
    )
    assert [section.counts_options for section in sections.values()] == [
        {"bin_um": 8},
        {"bin_um": 16},
        {"layer": "raw counts"},
        {"table": "table 1", "region": "spots_1"},
        {"subset": "-2"},
        {"subset": "sample id=P 7"},
    ]
    assert [section.counts_options for section in read(HEADER, *ROWS).values()] == [
        {},
        {"spots": tmp_path / "B1_spots.tsv"},
        {},
    ]


@pytest.mark.parametrize("blank", ["NA", "NaN", "nan", " "])
def test_what_a_spreadsheet_writes_for_nothing_is_nothing(read, blank):
    assert read(HEADER, f"C1\tC1.tif\t{blank}\t{blank}\t{blank}\tpredict\t{blank}") == read(HEADER, ROWS[2])


def test_an_empty_cell_at_the_end_may_be_left_out(read):
    assert read(HEADER, ROWS[2].rstrip("\t")) == read(HEADER, ROWS[2])


def test_paths_are_relative_to_the_sheet_and_hold_variables(read, tmp_path, monkeypatch):
    monkeypatch.setenv("RESSAT_TEST_DATA", "/data/study")
    row = "A\t../slides/a.svs\t$RESSAT_TEST_DATA/a/outs\t${RESSAT_TEST_DATA}/x\tP\ttrain\t"
    section = read(HEADER, row)["A"]
    assert section.slide == tmp_path / "../slides/a.svs"
    assert (section.expression, section.spots) == (Path("/data/study/a/outs"), Path("/data/study/x"))


def test_a_relative_sheet_gives_relative_paths(read, schema, tmp_path, monkeypatch):
    read(HEADER, *ROWS)
    monkeypatch.chdir(tmp_path)
    assert read_sheet("samples.tsv", schema)["A1"].slide == Path("A1.svs")


def test_a_variable_that_is_not_set_is_named_with_section_and_column(refusal, monkeypatch):
    monkeypatch.delenv("RESSAT_TEST_DATA", raising=False)
    message = refusal(HEADER, "A\t$RESSAT_TEST_DATA/a.svs\ta/outs\t\t\ttrain\t")
    assert "section A: " in message
    assert "slide is $RESSAT_TEST_DATA/a.svs, and the environment variable RESSAT_TEST_DATA" in message


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "an empty sample sheet"),
        (["", " "], "an empty sample sheet"),
        ([HEADER], "no section; expected at least one row below the header"),
        ([HEADER, ROWS[0], ROWS[2], ROWS[0]], "line 4 names section A1 again; expected each sample once"),
        ([HEADER, "A1\ta.svs\tx\t\t\tTrain\t"], 'line 2: role is "Train"; expected train, test or predict'),
        ([HEADER, "A1\ta.svs\tx\t\t\t\t"], "line 2: role is missing; expected train, test or predict"),
        ([HEADER, "\ta.svs\tx\t\t\ttrain\t"], "line 2: sample is missing"),
        ([HEADER, "A 1\ta.svs\tx\t\t\ttrain\t"], 'sample is "A 1"; expected a name of letters, digits, _'),
        ([HEADER, "../A\ta.svs\tx\t\t\ttrain\t"], 'sample is "../A"; expected a name of letters'),
        ([HEADER, "A\t\tx\t\t\ttrain\t"], "slide is missing; expected the path of the H&E image"),
        ([HEADER, "A\ta.svs\tx\t\t\ttrain\t0,5"], 'mpp is "0,5"; expected um per pixel'),
        ([HEADER, "A\ta.svs\tx\t\t\ttrain\t0.0"], 'mpp is "0.0"; expected um per pixel'),
        ([HEADER, "A\ta.svs\tx\t\t\ttrain\t-1"], 'mpp is "-1"; expected um per pixel'),
        ([HEADER, "A\ta.svs\tx\t\t\ttrain\t\tmore"], "line 2 has 8 cells, the header has 7"),
        ([HEADER, "A\ta.svs\tx\t\t\tpredict"], "line 2 has role predict and names counts"),
        ([HEADER, "A\ta.svs\t\t\t\ttest"], "line 2 has role test and no counts"),
        (["sample\tslide", "A\ta.svs"], "line 1: role is missing; expected train, test or predict"),
        (["", "sample\tslides\trole", "A\ta.svs\ttrain"], "line 2: the unknown name slides; expected one of"),
        (["sample\tslides\trole", "A\ta.svs\ttrain"], "did you mean slide?"),
        (["Sample\tslide\trole", "A\ta.svs\ttrain"], "did you mean sample?"),
        (["sample\tslide\trole\tpatien", "A\ta.svs\tpredict\t"], "did you mean patient?"),
        (["sample\tslide\trole\tslide", "A\ta.svs\ttrain\tb"], "the column slide is in the header twice"),
        (["sample\tslide\t\trole", "A\ta.svs\t\ttrain"], "a column without a name"),
        ([HEADER.replace("\t", ","), "A,a.svs"], "a header of one column"),
        ([INCLUDE, ROW + "maybe"], 'line 2: include is "maybe"; expected yes or no'),
        ([INCLUDE, ROW + "no"], "no section to include, of 1; expected at least one row"),
        ([INCLUDE, ROW + "no", ROW + "yes"], "line 3 names section A again; expected each sample once"),
        (
            [INCLUDE.replace("include", "bin_um"), ROW + "8um"],
            'line 2: bin_um is "8um"; expected the edge of',
        ),
        (
            [INCLUDE.replace("include", "bin_um"), ROW + "0"],
            'line 2: bin_um is "0"; expected the edge of the',
        ),
        (
            [INCLUDE.replace("include", "bin_um"), ROW + "8.0"],
            'line 2: bin_um is "8.0"; expected the edge of',
        ),
        ([INCLUDE.replace("include", "regions"), ROW], "did you mean region?"),
        (
            [INCLUDE.replace("include", "subset"), ROW + "=A"],
            'line 2: subset is "=A"; expected a column of obs',
        ),
        (
            [INCLUDE.replace("include", "subset"), ROW + "batch="],
            'subset is "batch="; expected a column of obs',
        ),
        ([HEADER, "Prélèvement\ta.svs\tx\t\t\ttrain"], 'sample is "Prélèvement"; expected a name of letters'),
        ([HEADER, "A\ta.svs\tx\t\t\ttrain\t1" + 400 * "0"], "line 2: mpp is 10000000000000000000..., which"),
        (
            [HEADER, "A\ta.svs\tx\t\t\ttrain\t0." + 400 * "0" + "1"],
            "line 2: mpp is 0.000000000000000000..., wh",
        ),
        (
            [HEADER, *ROWS[:2], "A,a.svs,a/outs,,,train,0.5"],
            "line 4 has 1 cell, the header has 7; expected one",
        ),
        (
            [HEADER, "A\ta.svs,a/outs,,,train,0.5"],
            "line 2 has 2 cells, the header has 7; expected one cell per",
        ),
        (
            [HEADER, "A,a.svs\ta/outs,,,train,0.5"],
            "line 2 has 2 cells, the header has 7; expected one cell per",
        ),
        (["sample,slide\trole", "A,a.svs\ttrain"], "line 1: the unknown name sample,slide; expected one of"),
        ([line.replace("\t", ";") for line in (HEADER, ROWS[2])], "a header of one column, 'sample;slide;"),
        ([HEADER, "A,a.svs,a/outs,,,train,"], "line 2 has 1 cell, the header has 7; expected one cell per"),
    ],
)
def test_a_wrong_sheet_is_refused_with_the_line(refusal, lines, said):
    message = refusal(*lines)
    assert said in message
    assert message.count(";") > 0, "the message says what to do"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_a_sheet_in_another_encoding_is_refused(refusal, encoding):
    message = refusal(HEADER, *ROWS, encoding=encoding)
    assert "not a text file in UTF-8; expected a tab-separated table; save it as" in message


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["sample\tslide", "A\ta.svs"],
            "{}, line 1: role is missing; expected train, test or predict; add it.",
        ),
        (
            [HEADER, ROWS[0], ROWS[0]],
            "{}: line 3 names section A1 again; expected each sample once; rename one of them.",
        ),
        (
            [HEADER, "A1\ta.svs\tx\t\t\tcontrol"],
            '{}, line 2: role is "control"; expected train, test or predict; correct it.',
        ),
        (
            [line.replace("\t", ",") for line in ("sample\tslide\trole", "A\ta.svs\tpredict")],
            "{}: a header of one column, 'sample,slide,role'; expected columns separated by tabs; "
            "save the sheet as tab-separated text.",
        ),
        (
            [HEADER, ROWS[0], ROWS[2].replace("\t", ",")],
            "{}: line 3 has 1 cell, the header has 7; expected one cell per column, separated by tabs; "
            "separate the cells by tabs, not by commas or spaces.",
        ),
        (
            [INCLUDE, ROW + "no", ROW.replace("A", "B") + "0"],
            "{}: no section to include, of 2; expected at least one row below the header, with include yes "
            "or empty; set include to yes for the sections to use.",
        ),
    ],
)
@pytest.mark.parametrize(("ending", "encoding"), [("\n", "utf-8"), ("\r\n", "utf-8-sig")])
def test_a_message_says_file_line_what_was_found_what_expected_and_what_to_do(
    refusal, tmp_path, lines, said, ending, encoding
):
    message = refusal(*lines, ending=ending, encoding=encoding)
    assert message == said.format(tmp_path / "samples.tsv")


def test_a_comma_in_a_path_is_no_mistake(read, tmp_path):
    assert read("sample\tslide\trole", "A\ta, b.svs\tpredict")["A"].slide == tmp_path / "a, b.svs"


def test_a_missing_sheet_says_what_one_looks_like(tmp_path, schema):
    with pytest.raises(InputError, match="no such sample sheet; expected a tab-separated table"):
        read_sheet(tmp_path / "none.tsv", schema)
    with pytest.raises(InputError, match="it cannot be read"):
        read_sheet(tmp_path, schema)


@pytest.mark.parametrize(
    "name", ["<b>P1</b>", "P1 > P2", "</script", "P\x07", "P\x7f1", "P\x9b31m", "P\u20281", "P" * 101]
)
def test_patients_that_a_web_page_would_take_for_markup_are_refused(refusal, name):
    message = refusal("sample\tslide\tpatient\trole", f"S1\ta.svs\t{name}\tpredict")
    assert "patient is " in message
    assert "expected a name of at most 100 characters, without <, > and control characters" in message


@pytest.mark.parametrize("name", ["<S1>", "S1&amp;", "S'1", 'S"1', "S\x011", "S" * 101])
def test_sections_that_a_web_page_would_take_for_markup_are_refused(refusal, name):
    assert "expected a name of letters, digits, _ and -, at most 100" in refusal(
        INCLUDE, f"{name}\ta.svs\tpredict\tyes"
    )


@pytest.mark.parametrize(
    "name",
    [
        "Müller",
        "P 1",
        "P\u00a01",
        "患者7",
        "क्\u200dष",
        "=P1",
        "P1 (left); 2024/03",
        "O'Neil",
        "P1 & P2",
        'P"1"',
    ],
)
def test_other_patients_keep_their_names(read, name):
    sections = read("sample\tslide\tpatient\trole", f"S1\ta.svs\t{name}\tpredict")
    assert sections["S1"].patient == name


def test_a_sheet_that_is_no_file_is_not_waited_for(tmp_path, schema):
    os.mkfifo(tmp_path / "samples.tsv")
    with pytest.raises(InputError, match=r"samples\.tsv: a named pipe .*, not a file"):
        read_sheet(tmp_path / "samples.tsv", schema)
    with pytest.raises(InputError, match="/dev/zero: a character device, not a file"):
        read_sheet("/dev/zero", schema)


def quoted(line: str) -> str:
    """As R's write.table writes text."""
    return "\t".join(f'"{cell}"' if cell else "" for cell in line.split("\t"))


def test_quotes_around_cells_are_no_part_of_them(read, tmp_path):
    assert read(*map(quoted, (HEADER, *ROWS))) == read(HEADER, *ROWS)
    row = 'A\t"slides, 2024/a.svs"\t"a ""b""/outs"\t"NA"\t"Roe, R"\t"train"\t'
    section = read(HEADER, row)["A"]
    assert (section.slide, section.expression) == (tmp_path / "slides, 2024/a.svs", tmp_path / 'a "b"/outs')
    assert (section.patient, section.spots) == ("Roe, R", None)


@pytest.mark.parametrize("cell", ['"P', '"'])
def test_a_quote_that_nothing_closes_is_refused(refusal, cell):
    said = f"line 2 has a quote that nothing closes, in the cell {cell}; expected cells without quotes"
    assert said in refusal(HEADER, f"A\ta.svs\ta/outs\t\t{cell}\ttrain\t")


@pytest.mark.parametrize("rows", [1, 3])
def test_names_of_rows_are_refused_with_how_to_leave_them_out(refusal, rows):
    lines = [quoted(f"{row}\tA{row}\ta{row}.svs\tpredict") for row in range(1, 1 + rows)]
    message = refusal(quoted("sample\tslide\trole"), *lines)
    assert "line 2 has 4 cells, the header has 3" in message
    assert "row.names = FALSE" in message


@pytest.mark.parametrize("cell", ["\u200b", "\ufeff \u00a0"])
def test_a_cell_of_invisible_characters_is_empty(read, cell):
    assert read(HEADER, f"C1\tC1.tif\t{cell}\t\t{cell}\tpredict\t") == read(HEADER, ROWS[2])


@pytest.mark.parametrize("char", ["\u2028", "\x85", "\x0c"])
def test_only_line_ends_end_a_line(refusal, char):
    shown = char.encode("unicode_escape").decode().replace("\\x0c", "\\f")
    assert f'line 2: patient is "A{shown}B"' in refusal(HEADER, ROWS[0].replace("\tA\t", f"\tA{char}B\t"))


@pytest.mark.parametrize(("cell", "shown"), [("train\u200b", "train\\u200b"), ("te\u00adst", "te\\xadst")])
def test_invisible_characters_of_a_cell_are_shown(refusal, cell, shown):
    assert f'role is "{shown}"; expected train' in refusal(HEADER, f"A\ta.svs\ta/outs\t\t\t{cell}\t")


def test_a_missing_sheet_is_looked_for_in_other_forms(tmp_path, schema):
    (tmp_path / "cohorte\u0301.tsv").touch()
    with pytest.raises(InputError, match=r"cohorte\\u0301.tsv' is there, and differs from"):
        read_sheet(tmp_path / "cohorté.tsv", schema)


def test_features_made_elsewhere_are_named_with_their_patches(read, tmp_path):
    section = read("sample\tslide\trole\tfeatures\tpatches", "A\ta.svs\tpredict\ta.h5\tb.h5")["A"]
    assert (section.features, section.patches) == (tmp_path / "a.h5", tmp_path / "b.h5")


@pytest.mark.parametrize("role", ["train", "test"])
def test_features_made_elsewhere_are_for_sections_without_counts(refusal, role):
    said = refusal("sample\tslide\texpression\trole\tfeatures", f"A\ta.svs\ta.h5ad\t{role}\ta.h5")
    assert (
        f"section A: {{}}: line 2 has role {role} and names features that were made elsewhere"
        in said.replace(said.split(": ")[1], "{}")
    )


def test_patches_without_features_are_refused(refusal):
    said = refusal("sample\tslide\trole\tfeatures\tpatches", "A\ta.svs\tpredict\t\tb.h5")
    assert "line 2 names patches and no features" in said
