"""Files of results that are read again: whole and unchanged, or named with what to do."""

import json
import math

import h5py
import pytest

from ressat.base.errors import InputError
from ressat.base.fields import ANY_TEXT, NAME, ListOf, Number, Optional, Record, check_field
from ressat.base.files import FORMAT_VERSION
from ressat.base.own_file import own_file, read_json, refuse_cut

FIELDS = Record(
    {
        "section": ANY_TEXT,
        "spots": Number(0, 10, whole=True),
        "share": Optional(Number(0, 1)),
        "names": ListOf(NAME),
    }
)
GOOD = {"section": "C2", "spots": 3, "share": 0.5, "names": ["a", "b"], "version": FORMAT_VERSION}


def refused(path) -> str:
    with pytest.raises(InputError) as caught:
        read_json(path, FIELDS)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.expected
    assert "run again" in caught.value.action or "--forceall" in caught.value.action
    return str(caught.value)


@pytest.mark.parametrize("entry", [{}, {"share": None}, {"share": 1}, {"names": []}])
def test_what_is_as_described_is_read(tmp_path, entry):
    (tmp_path / "C2.json").write_text(json.dumps(GOOD | entry))
    assert read_json(tmp_path / "C2.json", FIELDS) == GOOD | entry


@pytest.mark.parametrize("kept", [0.0, 0.2, 0.5, 0.9, 0.99])
def test_half_a_file_is_refused(tmp_path, kept):
    text = json.dumps(GOOD)
    (tmp_path / "C2.json").write_text(text[: int(kept * len(text))])
    assert "it cannot be read (JSONDecodeError" in refused(tmp_path / "C2.json")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"spots": "3"}, "spots is '3'"),
        ({"spots": 3.0}, "spots is 3.0"),
        ({"spots": True}, "spots is True"),
        ({"spots": -1}, "spots is -1"),
        ({"share": 2}, "share is 2"),
        ({"share": math.nan}, "the number NaN in it is not finite"),
        ({"share": -math.inf}, "the number -Infinity in it is not finite"),
        ({"names": "ab"}, "names is 'ab'"),
        ({"names": ["a", 3]}, "names[1] is 3"),
        ({"names": ["<b>"]}, "names[0] is '<b>'"),
        ({"section": None}, "section is None"),
        ({"added": 1}, "it has the unknown entry 'added'"),
        ({"version": str(FORMAT_VERSION)}, "a file format version that is no whole number (str '3')"),
        ({"version": float(FORMAT_VERSION)}, "a file format version that is no whole number (float 3.0)"),
        ({"version": True}, "a file format version that is no whole number (bool True)"),
        ({"version": None}, "file format version None"),
        ({"version": 99}, f"file format version 99; expected version {FORMAT_VERSION}"),
    ],
)
def test_an_entry_of_another_kind_is_named(tmp_path, entry, said):
    (tmp_path / "C2.json").write_text(json.dumps(GOOD | entry))
    assert said in refused(tmp_path / "C2.json")


@pytest.mark.parametrize("content", ["[1, 2]", "3", "null", "\0\0\0\0", "[" * 100_000])
def test_other_json_is_refused(tmp_path, content):
    (tmp_path / "C2.json").write_text(content)
    refused(tmp_path / "C2.json")


def test_missing_entries_are_named(tmp_path):
    for name in ("section", "spots", "names"):
        (tmp_path / "C2.json").write_text(json.dumps({key: GOOD[key] for key in GOOD if key != name}))
        assert f"{name} is missing" in refused(tmp_path / "C2.json")


@pytest.mark.parametrize("kept", [0, 50, 1000])
def test_half_an_hdf5_file_is_refused(tmp_path, kept):
    path = tmp_path / "C2.h5"
    with h5py.File(path, "w") as file:
        file["coords"] = list(range(1000))
    path.write_bytes(path.read_bytes()[:kept])
    with (
        pytest.raises(InputError, match=r"C2\.h5: it cannot be read .*; remove it and run again"),
        own_file(path),
    ):
        h5py.File(path)


@pytest.mark.parametrize(
    "error", [MemoryError(), PermissionError(13, "Permission denied"), FileNotFoundError(2, "x")]
)
def test_the_machine_s_trouble_and_a_missing_file_are_no_damage(error):
    with pytest.raises(type(error)), own_file("C2.h5"):
        raise error


@pytest.mark.parametrize("content", ["", "a\n", "a\nb", "a\n\nb\n", "\n"])
def test_a_list_without_its_end_is_refused(tmp_path, content):
    (tmp_path / "C2.genes.txt").write_text(content)
    with pytest.raises(InputError, match=r"C2\.genes\.txt: (an empty file|the empty line is missing)"):
        refuse_cut(tmp_path / "C2.genes.txt")


def test_a_value_that_contains_itself_ends_the_check():
    endless = []
    endless.append(endless)
    with pytest.raises(InputError, match=r"names\[0\] is a list of 1"):
        check_field({"names": endless}, Record({"names": ListOf(NAME)}), "")
