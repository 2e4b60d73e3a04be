import os
import time

import pytest

from ressat.base.errors import InputError
from ressat.base.joblog import job_log
from ressat.workflow.failures import (
    NOT_ACCEPTED,
    NOT_STARTED,
    Failure,
    failures_of,
    read_failures,
    still_failing,
    write_failures,
)


def job(log, outputs=(), since=0.0, rule="tile_slide", **wildcards) -> Failure:
    return Failure.of_job(rule, wildcards, str(log), outputs, since)


def log_of(path, error: Exception | None = None) -> str:
    """The log of a job that ends with an error, or finishes."""
    try:
        with job_log(str(path), "tile_slide S1"):
            if error:
                raise error
    except SystemExit:
        pass
    return str(path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InputError("half a slide", file="a.svs", section="S1"), "section S1: a.svs: half a slide."),
        (InputError("no tile", expected="one", action="look"), "no tile; expected one; look."),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (None, NOT_ACCEPTED),
    ],
)
def test_a_failure_has_the_sentence_of_its_log(tmp_path, error, words):
    failure = job(log_of(tmp_path / "S1.log", error), sample="S1")
    assert words in failure.sentence
    assert (failure.sample, failure.fold, failure.title) == ("S1", None, "tile_slide S1")


def test_a_job_that_was_killed_says_so(tmp_path):
    (tmp_path / "S1.log").write_text("2026-01-01 00:00:00,000 INFO started tile_slide S1\n")
    assert "it was killed" in job(tmp_path / "S1.log", sample="S1").sentence


@pytest.mark.parametrize("age_s", [3600, 10])
def test_the_log_of_an_earlier_run_is_not_taken_for_this_ones(tmp_path, age_s):
    log, now = log_of(tmp_path / "S1.log", InputError("yesterday's error")), time.time()
    os.utime(log, (now - age_s, now - age_s))
    assert job(log, since=now - 1).sentence == NOT_STARTED
    assert job(log, since=now - age_s - 1).sentence == "yesterday's error."
    assert job(tmp_path / "none.log", since=now).sentence == NOT_STARTED


def test_failures_are_read_as_they_were_written_until_they_are_mended(tmp_path):
    file, output = tmp_path / "logs/failed.json", tmp_path / "S2.h5"
    failures = [
        job(log_of(tmp_path / "1.log", InputError("one")), [str(tmp_path / "S1.h5")], sample="S1"),
        job(log_of(tmp_path / "2.log", InputError("two")), [str(output)], rule="x", sample="S2", fold="all"),
    ]
    assert [one.title for one in failures] == ["tile_slide S1", "x all/S2"]
    write_failures(file, failures)
    assert read_failures(file) == failures
    output.touch()
    assert read_failures(file) == failures[:1]
    write_failures(file, [])
    assert not file.exists()
    assert read_failures(file) == []


WRONG_KINDS = (
    '{"version": 3, "jobs": '
    '[{"rule": 1, "sample": [], "fold": {}, "sentence": 3, "log": null, "outputs": [1]}]}'
)


@pytest.mark.parametrize(
    "text",
    [
        *("{", "[]", '{"jobs": [{}], "version": 3}', '{"jobs": 1, "version": 3}', "\x00"),
        *('{"jobs": [], "version": 2}', "[" * 100_000, WRONG_KINDS),
    ],
    ids=range(8),
)
def test_a_damaged_list_is_refused(tmp_path, text):
    (tmp_path / "failed.json").write_text(text)
    with pytest.raises(InputError, match=r"failed\.json: .*; remove it: the next run"):
        read_failures(tmp_path / "failed.json")


def test_of_a_group_those_at_work_failed(tmp_path):
    done, outputs = tmp_path / "S1.h5", [str(tmp_path / f"{name}.h5") for name in ("S1", "S2", "S3")]
    done.touch()
    logs = [
        log_of(tmp_path / "1.log"),
        log_of(tmp_path / "2.log", InputError("two")),
        str(tmp_path / "3.log"),
    ]
    group = [
        (rule, {"sample": "S1"}, log, [output])
        for rule, log, output in zip(("tile_slide", "fit_stain", "third"), logs, outputs, strict=True)
    ]
    assert [one.sentence for one in failures_of(group, 0.0)] == ["two."]
    assert [one.rule for one in failures_of(group[::2], 0.0)] == ["third"]
    assert [one.sentence for one in failures_of(group[:1], 0.0)] == [NOT_ACCEPTED]


def test_what_failed_before_holds_until_it_is_made_or_fails_again(tmp_path):
    there = tmp_path / "there.h5"
    there.touch()
    first, second = (job("1.log", ["none"], sample=name) for name in ("S1", "S2"))
    mended = job("3.log", [str(there)], sample="S3")
    own = job("4.log", ["results/available/folds/all/sections.tsv"], rule="check_leakage", fold="all")
    earlier = [first, second, mended, own]
    assert still_failing(earlier, [first], {"none", str(there)}) == [second]
    assert still_failing(earlier, [], {"results/report.html"}) == []
    assert still_failing(earlier, [], None) == [first, second, own]
