import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ressat.base.spreadsheet import as_text, restored

FORMULAS = ["=1+1", "+x", "-", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\uff1d1", "\uff20A1"]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_becomes_text_and_comes_back(cell):
    assert as_text(cell) == f"'{cell}"
    assert restored(f"'{cell}") == cell
    assert restored(as_text(f"'{cell}")) == f"'{cell}"


@pytest.mark.parametrize("cell", ["TP53", "HLA-A", "", "'", "5'", "'quoted'", "A=1", "''"])
def test_other_text_stays_as_it_is(cell):
    assert as_text(cell) == restored(cell) == cell


@settings(deadline=None, derandomize=True, database=None)
@given(st.text(alphabet="'=+-@\t\ra1\uff0b", max_size=6))
def test_every_text_comes_back_and_none_starts_a_formula(cell):
    written = as_text(cell)
    assert restored(written) == cell
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\uff0b"))
