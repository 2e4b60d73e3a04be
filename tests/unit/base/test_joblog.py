"""A job's log has the whole story; the screen has one sentence."""

import os
import re
import subprocess
import sys

import pytest

START = """
import logging, warnings
from ressat.base.errors import InputError
from ressat.base.joblog import job_log
with job_log("job.log", "tile_slide C2") as log:
    log.info("9270 x 9900 px")
"""


@pytest.fixture
def run(repository, tmp_path):
    """Run a script whose body goes on in the block; gives status, stdout, stderr and the log."""

    def run(body):
        script = START + "".join(f"    {line}\n" for line in body.splitlines()) + "print('after')\n"
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr, (tmp_path / "job.log").read_text(encoding="utf-8")

    return run


def test_a_job_that_ends_well_is_silent_and_logged(run):
    status, stdout, stderr, log = run("log.info('\u00b5m')")
    assert (status, stdout, stderr) == (0, "after\n", "")
    first, *lines, last = [line.split(" ", 2)[2] for line in log.splitlines()]
    assert re.fullmatch(r"INFO started tile_slide C2 as process \d+ of \S+", first)
    assert lines == ["INFO 9270 x 9900 px", "INFO \u00b5m"]
    assert re.fullmatch(r"INFO finished after \d+\.\d\d s", last)


def test_an_input_error_is_one_sentence_on_the_screen_and_a_trace_in_the_log(run):
    body = (
        "def deep():\n    raise InputError('no tissue', action='look', section='C2', file='C2.svs')\ndeep()"
    )
    status, stdout, stderr, log = run(body)
    assert (status, stdout) == (1, "")
    assert stderr == "tile_slide C2: section C2: C2.svs: no tissue; look.\n"
    assert "Traceback (most recent call last)" in log
    assert "in deep" in log
    assert "section C2: C2.svs: no tissue; look." in log
    assert "finished" not in log


def test_the_cause_of_an_input_error_is_in_the_log(run):
    body = "try:\n    open('gone')\nexcept OSError as error:\n    raise InputError('not there') from error"
    status, _, stderr, log = run(body)
    assert (status, stderr) == (1, "tile_slide C2: not there.\n")
    assert "FileNotFoundError" in log


def test_a_bug_of_ours_is_logged_and_shown_with_its_trace(run):
    status, stdout, stderr, log = run("1 / 0")
    assert (status, stdout) == (1, "")
    for text in (stderr, log):
        assert "ZeroDivisionError" in text
        assert "Traceback" in text
        assert "not the input's fault" in text


def test_our_warnings_are_shown_and_logged_once(run):
    status, _, stderr, log = run("log.warning('stain normalisation is left out')")
    assert (status, stderr) == (0, "tile_slide C2: WARNING: stain normalisation is left out\n")
    assert log.count("WARNING stain normalisation is left out") == 1


@pytest.mark.parametrize(
    "body",
    [
        "warnings.warn('obsolete')",
        "warnings.warn('obsolete', FutureWarning)",
        "logging.getLogger('tifffile').warning('obsolete')",
        "logging.getLogger('anndata').error('obsolete')",
    ],
)
def test_warnings_of_libraries_go_to_the_log_alone(run, body):
    status, stdout, stderr, log = run(body)
    assert (status, stdout, stderr) == (0, "after\n", "")
    assert log.count("obsolete") >= 1


def test_chatter_of_libraries_goes_nowhere(run):
    _, _, stderr, log = run("logging.getLogger('matplotlib').info('chatter')")
    assert "chatter" not in stderr + log


def test_a_library_module_says_what_it_does_in_the_same_log(run):
    _, _, stderr, log = run("logging.getLogger('ressat').info('from the library')")
    assert (stderr, log.count("INFO from the library")) == ("", 1)


def test_a_second_run_starts_a_new_log(run):
    run("log.info('first')")
    *_, log = run("log.info('second')")
    assert "first" not in log
    assert "second" in log


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("OSError(28, 'No space left', 'results/C2.h5')", "results/C2.h5: the disk is full; make room"),
        ("OSError(13, 'Permission denied', 'C2.h5')", "C2.h5: permission is denied; correct"),
        ("MemoryError()", "memory ran out; give the job more memory"),
    ],
)
def test_trouble_of_the_machine_is_one_sentence_too(run, error, words):
    status, stdout, stderr, log = run(f"raise {error}")
    assert (status, stdout) == (1, "")
    assert stderr.startswith("tile_slide C2: ")
    assert words in stderr
    assert stderr.count("\n") == 1
    assert "Traceback (most recent call last)" in log


def test_trouble_is_told_though_the_log_cannot_be_written(run):
    status, _, stderr, _ = run(
        "import os\n"
        "log_file = logging.getLogger().handlers[-1].stream.fileno()\n"
        "os.dup2(os.open('/dev/full', os.O_WRONLY), log_file)\n"
        "raise OSError(28, 'No space left on device', 'a.h5')"
    )
    assert status == 1
    assert stderr.startswith("tile_slide C2: a.h5: the disk is full; make room there")
    assert stderr.count("\n") == 1


FULL_LOG = """import os
log_file = logging.getLogger().handlers[-1].stream.fileno()
os.dup2(os.open('/dev/full', os.O_WRONLY), log_file)
log.info('9270 spots')
"""


def test_a_log_that_cannot_be_written_stops_no_job(run):
    status, stdout, stderr, _ = run(FULL_LOG)
    assert (status, stdout, stderr) == (0, "after\n", "")


def test_a_log_that_cannot_be_written_hides_no_sentence(run):
    status, _, stderr, _ = run(FULL_LOG + "raise InputError('no tissue', file='C2.svs')")
    assert (status, stderr) == (1, "tile_slide C2: C2.svs: no tissue.\n")


def test_a_log_that_cannot_be_written_hides_no_bug(run):
    status, _, stderr, _ = run(FULL_LOG + "1 / 0")
    assert status == 1
    assert stderr.count("Traceback") == 1
    assert "ZeroDivisionError" in stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_log_of_another_user_is_said_in_one_sentence(repository, tmp_path):
    log = tmp_path / "job.log"
    log.write_text("of root")
    script = START.replace("job.log", str(log)).replace("\nwith", "\nimport os\nos.setuid(65534)\nwith")
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"tile_slide C2: {log}: permission is denied; correct")
    assert done.stderr.count("\n") == 1
