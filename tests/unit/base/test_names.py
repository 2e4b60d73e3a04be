"""Names that are equal in all but form are told, and what nobody sees is shown."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ressat.base.names import (
    alike,
    alike_path,
    alike_path_hint,
    gene_name,
    is_hidden,
    name_key,
    opens_a_quote,
    spelled_out,
    unquoted,
    visible,
)

SAME = [
    ("Zoë", "Zoe\u0308"),  # the accent as a character of its own
    ("García", "GARCI\u0301A"),
    ("Case 7", "case7"),
    ("Case 7", "Case\u00a07"),  # a blank that does not break
    ("K12", "K12\u200b"),  # zero-width space
    ("K12", "\ufeffK12"),  # byte-order mark
    ("K12", "K\u00ad12"),  # soft hyphen
    ("K12", "K12\ufe0f"),  # variation selector
    ("K12", "\u202aK12"),  # what Windows puts before a copied path
    ("K12", "K1\u20602\u3164"),  # word joiner, Hangul filler
    ("K12", "\uff2b\uff11\uff12"),  # full width
    ("Strauß", "STRAUSS"),
    ("ﬁeld", "field"),  # a ligature
    ("K-12", "K\u201312"),  # en dash
    ("K-12", "K\u201112"),  # a hyphen that does not break
    ("O'Neill", "O\u2019Neill"),
    ("\u00fc", "u\u200b\u0308"),  # an invisible character between a letter and its accent
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_names_that_are_equal_in_all_but_form_are_told(one, other):
    assert name_key(one) == name_key(other)
    assert alike(["Q", one, other, one]) == [(one, other)]
    assert spelled_out(one) != spelled_out(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("K1", "K2"),
        ("K1", "K11"),
        ("Müller", "Muller"),
        ("A-B", "AB"),
        ("A_B", "A-B"),
        ("O", "0"),
        ("-", "'"),
    ],
)
def test_names_that_differ_in_more_are_others(one, other):
    assert name_key(one) != name_key(other)
    assert alike([one, other]) == []


@given(st.text())
def test_a_key_is_its_own_key_and_all_forms_have_it(name):
    key = name_key(name)
    assert name_key(key) == key
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert name_key(unicodedata.normalize(form, name)) == key


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("Gapdh", "Gapdh"),
        ("GAPDH", "GAPDH"),
        (" dl ", "dl"),
        ("Dl\u200b", "Dl"),
        ("\ufeffActb\u00a0", "Actb"),
        ("\uff34\uff30\uff15\uff13", "TP53"),
        ("HLA-A", "HLA-A"),
        ("TNF\u00b5", "TNF\u03bc"),  # the micro sign is the Greek letter
        ("Su(H)", "Su(H)"),
    ],
)
def test_a_genes_name_keeps_its_case(cell, name):
    assert gene_name(cell) == name


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_a_genes_name_of_plain_characters_stays_as_it_is(name):
    assert gene_name(name) == name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("K1\u200b", "K1\\u200b"),
        ("a\u00adb", "a\\xadb"),
        ("a\u00a0b\u3000", "a\\xa0b\\u3000"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("x\U000e0101", "x\\U000e0101"),
        ("Zürich, 5 µm", "Zürich, 5 µm"),
        ("विश्व", "विश्व"),  # accents belong to many scripts
        ("latin-1 \udce9", "latin-1 \\udce9"),
        ("two\nlines\t", "two\nlines\t"),
    ],
)
def test_what_nobody_sees_is_shown_as_an_escape(text, shown):
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("cell", "content"),
    [
        ('"K1"', "K1"),
        (' "K 1" ', "K 1"),
        ('"Doe, ""Jim"" J"', 'Doe, "Jim" J'),  # Excel
        ('"Doe, \\"Jim\\" J"', 'Doe, "Jim" J'),  # R
        ("\u201cK1\u201d", "K1"),
        ('""', ""),
        ('"', '"'),
        ('5" slide', '5" slide'),
        ("'K1'", "'K1'"),
    ],
)
def test_quotes_around_a_cell_are_no_part_of_it(cell, content):
    assert unquoted(cell) == content


@pytest.mark.parametrize(("cell", "opens"), [('"K1', True), ('"', True), ('"K1"', False), ('5"', False)])
def test_a_quote_that_nothing_closes_is_told(cell, opens):
    assert opens_a_quote(cell) is opens


@pytest.mark.parametrize(
    ("present", "written"),
    [
        ("Zoe\u0308.svs", "Zoë.svs"),
        ("Zoë.svs", "Zoe\u0308.svs"),
        ("Scan 1.tiff", "scan 1.tiff"),
        ("scan.tiff", "scan.tiff\u200b"),
        ("Zoe\u0308/scan.tiff", "Zoë/scan.tiff"),
    ],
)
def test_a_missing_path_is_looked_for_in_other_forms(tmp_path, present, written):
    (tmp_path / present).parent.mkdir(exist_ok=True)
    (tmp_path / present).touch()
    assert alike_path(tmp_path / written) == str(tmp_path / present.split("/")[0])
    assert spelled_out(str(tmp_path / present.split("/")[0])) in alike_path_hint(tmp_path / written)


def test_a_relative_path_is_looked_for_where_it_begins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Zoe\u0308").mkdir()
    assert alike_path("Zoë/scan.tiff") == "Zoe\u0308"


def test_the_same_letters_come_before_the_same_but_for_case(tmp_path):
    for name in ("ZOË.svs", "Zoe\u0308.svs"):
        (tmp_path / name).touch()
    assert alike_path(tmp_path / "Zoë.svs") == str(tmp_path / "Zoe\u0308.svs")
    assert alike_path(tmp_path / "zOë.svs") is None  # either may be meant


@pytest.mark.parametrize("written", ["other.svs", "none/at/all.svs", "a\0b", "x" * 5000])
def test_a_path_that_is_like_no_other_has_no_hint(tmp_path, written):
    (tmp_path / "scan.svs").touch()
    assert alike_path_hint(tmp_path / written) is None


@pytest.mark.parametrize(
    ("name", "hidden"), [("._a.h5", True), (".DS_Store", True), ("a.h5", False), ("_a", False)]
)
def test_hidden_names_begin_with_a_dot(name, hidden):
    assert is_hidden(name) is hidden
