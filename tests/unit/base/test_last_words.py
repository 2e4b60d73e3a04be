"""What a job said last can be told from its log, even if it was killed."""

import os
import signal
import subprocess
import sys

import pytest

from ressat.base.last_words import last_words

SCRIPT = """
import os, signal, sys
from ressat.base.errors import InputError
from ressat.base.joblog import job_log
with job_log(sys.argv[1], sys.argv[2]) as log:
    log.info("3060 x 2612 px")
    log.warning("2 spots are left out")
"""


@pytest.fixture
def log_of(repository, tmp_path):
    """Run a job whose body goes on in the block; gives its log."""

    def run(body, title="fit_stain S4"):
        script = SCRIPT + "".join(f"    {line}\n" for line in body.splitlines())
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "job.log"), title],
            env=os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")},
            stderr=subprocess.DEVNULL,
            timeout=60,
        )
        return tmp_path / "job.log"

    return run


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("raise InputError('no tissue', action='look', section='S4')", "section S4: no tissue; look."),
        ("raise InputError('two\\nlines', file='a.svs')", "a.svs: two lines."),
        ("try:\n    1 / 0\nexcept Exception as e:\n    raise InputError('cut short') from e", "cut short."),
        ("raise KeyboardInterrupt", "it was interrupted."),
    ],
)
def test_the_sentence_of_an_error(log_of, body, sentence):
    assert last_words(log_of(body)) == sentence


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("OSError(28, 'No space left', 'results/S4.h5')", "results/S4.h5: the disk is full; make room"),
        ("MemoryError()", "memory ran out; give the job more"),
    ],
)
def test_trouble_of_the_machine(log_of, error, words):
    assert last_words(log_of(f"raise {error}")).startswith(words)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise RuntimeError('shapes differ')", "RuntimeError: shapes differ"),
        ("assert False", "AssertionError"),
    ],
)
def test_a_bug_is_named(log_of, body, error):
    assert last_words(log_of(body)) == (
        f"failed with an error that is not the input's fault, {error}; its log has the whole trace."
    )


@pytest.mark.parametrize("title", ["fit_stain S4", "train_model P2"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSEGV])
def test_a_job_that_was_killed(log_of, title, end):
    said = last_words(log_of(f"os.kill(os.getpid(), {int(end)})", title))
    assert said.startswith("it was killed before it could say why, probably for lack of memory")
    assert f"--set-resources {title.split()[0]}:mem_mb=" in said


@pytest.mark.parametrize("body", ["pass", "log.info('done')"])
def test_a_job_that_finished_has_none(log_of, body):
    assert last_words(log_of(body)) == ""


def test_a_job_without_a_log(tmp_path):
    assert last_words(tmp_path / "no.log").startswith("it left no log")
