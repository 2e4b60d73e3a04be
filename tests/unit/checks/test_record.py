"""What a check found survives the disk; its problems stand beside the log."""

import json
from contextlib import suppress

import pytest

from ressat.base.errors import InputError
from ressat.checks.record import CheckRecord, keep_problems, read_problems

FOUND = CheckRecord("A1", 900, 800, 0.5, "sheet", 1.25, 300, 5000, 0.97, 2, ["look at the overlay"])


def test_what_was_found_is_read_again(tmp_path):
    FOUND.write(tmp_path / "A1.json")
    assert CheckRecord.read(tmp_path / "A1.json") == FOUND


def test_a_check_of_another_version_is_refused(tmp_path):
    FOUND.write(tmp_path / "A1.json")
    content = json.loads((tmp_path / "A1.json").read_text()) | {"version": 1}
    (tmp_path / "A1.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"A1\.json: file format version 1"):
        CheckRecord.read(tmp_path / "A1.json")


def test_problems_stay_until_there_are_none(tmp_path):
    log, first = tmp_path / "A1.log", InputError("it is empty", section="A1")
    with suppress(InputError), keep_problems(log) as problems:
        problems.append(first)
        raise InputError("no scale", section="A1", file="a.svs")
    assert read_problems(tmp_path / "A1.json") == ["section A1: it is empty.", "section A1: a.svs: no scale."]
    with keep_problems(log):
        pass
    assert not (tmp_path / "A1.json").exists()
    assert read_problems(tmp_path / "A1.json") == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"mpp": None}, "mpp is None"),
        ({"mpp": 0}, "mpp is 0"),
        ({"width": 0.5}, "width is 0.5"),
        ({"on_tissue": 1.5}, "on_tissue is 1.5"),
        ({"warnings": "none"}, "warnings is 'none'"),
        ({"spots": "300"}, "spots is '300'"),
    ],
)
def test_a_record_that_cannot_be_is_refused(tmp_path, entry, said):
    FOUND.write(tmp_path / "A1.json")
    (tmp_path / "A1.json").write_text(json.dumps(json.loads((tmp_path / "A1.json").read_text()) | entry))
    with pytest.raises(InputError, match=rf"A1\.json: {said}; .*; remove it and run again"):
        CheckRecord.read(tmp_path / "A1.json")
