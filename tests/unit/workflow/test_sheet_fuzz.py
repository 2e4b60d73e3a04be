import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ressat.base.errors import InputError
from ressat.workflow.schema import sheet_schema
from ressat.workflow.sheet import Section, read_sheet

COLUMNS = ["sample", "slide", "expression", "spots", "patient", "role", "mpp", "include", "bin_um", "region"]
ROWS = [
    ["A1", "A1.svs", "A1/outs", "", "A", "train", "", "yes", "8", ""],
    ["B1", "B1.jpg", "B1.tsv", "B1_spots.tsv", "B", "test", "0.735", "no", "", "region 1"],
    ["C1", "~/C1.tif", "", "", "", "predict", "1", "", "", ""],
]
SHEET = "\n".join("\t".join(cells) for cells in [COLUMNS, *ROWS]).encode()
CELL = st.one_of(
    st.sampled_from([cell for row in ROWS for cell in row]),
    st.sampled_from(
        ["NA", "0", "no", "~", "~x/y", "$HOME/a", "${", "$x", "1e5", "inf", "9" * 400, "a,b", '"']
    ),
    st.text(max_size=5),
)
ROLE = st.sampled_from(["train", "test", "predict"])
QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=150)


@pytest.fixture(scope="module")
def schema(repository):
    return sheet_schema(repository / "schemas")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "samples.tsv"


def sections_or_none(content: bytes, file, schema) -> dict[str, Section] | None:
    """What a sheet holds; None where it is refused, in one sentence that names it."""
    file.write_bytes(content)
    try:
        sections = read_sheet(file, schema)
    except InputError as error:
        message = str(error)
        sections = None
    if sections is None:
        assert str(file) in message
        assert len(message.splitlines()) == 1
        return None
    assert any(section.include for section in sections.values())
    for name, section in sections.items():
        assert name == section.sample
        assert (section.expression is None) == (section.role == "predict")
        assert section.mpp is None or 0 < section.mpp < math.inf
        assert "\0" not in str(section.slide)
    return sections


def test_the_sheet_that_is_damaged_below_is_right(file, schema):
    assert list(sections_or_none(SHEET, file, schema)) == ["A1", "B1", "C1"]


@QUICK
@given(
    header=st.lists(CELL | st.sampled_from(COLUMNS), max_size=5), rows=st.lists(st.lists(CELL), max_size=4)
)
def test_any_table_gives_sections_or_the_one_error(file, schema, header, rows):
    text = "\n".join("\t".join(cells) for cells in [header, *rows])
    sections_or_none(text.encode("utf-8", "surrogatepass"), file, schema)


@QUICK
@given(
    order=st.permutations(COLUMNS),
    changes=st.lists(
        st.tuples(ROLE, st.dictionaries(st.sampled_from(COLUMNS), CELL, max_size=2)), max_size=4
    ),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_cells_give_sections_or_the_one_error(file, schema, order, changes, ending):
    lines = ["\t".join(order)]
    for number, (role, changed) in enumerate(changes):
        counts = "" if role == "predict" else "outs"
        row = {"sample": f"S{number}", "slide": "a.svs", "expression": counts, "role": role} | changed
        lines.append("\t".join(row.get(column, "") for column in order))
    sections_or_none(ending.join(lines).encode("utf-8", "surrogatepass"), file, schema)


@QUICK
@given(content=st.binary(max_size=80), head=st.sampled_from([b"", SHEET, SHEET + b"\n", b"\xef\xbb\xbf"]))
def test_any_bytes_give_sections_or_the_one_error(file, schema, content, head):
    sections_or_none(head + content, file, schema)


@QUICK
@given(
    changes=st.lists(
        st.tuples(
            st.integers(0, len(SHEET)),
            st.integers(0, 9),
            st.sampled_from([b"\t", b"\n", b"\0", b"$x", b",", b" "]) | st.binary(max_size=3),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_damaged_sheet_gives_sections_or_the_one_error(file, schema, changes):
    damaged = bytearray(SHEET)
    for at, width, value in changes:
        damaged[at : at + width] = value
    sections_or_none(bytes(damaged), file, schema)
