"""A run killed at any moment and taken up again ends in the same results."""

import os
import signal
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path

import psutil
import pytest

from studies import content, copy_study, start

KILLS = 4


def wait_for(condition, process: subprocess.Popen, limit_s: float = 300) -> bool:
    """Wait until a condition holds; False if the process ended first."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if condition():
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.02)
    pytest.fail("the run did not get there")


def kill_everything(process: subprocess.Popen) -> None:
    """SIGKILL to snakemake and to all its jobs, at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def kill_snakemake(process: subprocess.Popen) -> None:
    """SIGKILL to snakemake alone: its jobs must end by themselves, before a new run makes the same files."""
    jobs = psutil.Process(process.pid).children(recursive=True)
    assert jobs
    process.kill()
    _, alive = psutil.wait_procs(jobs, timeout=30)
    assert alive == []
    process.communicate()


@pytest.fixture(scope="module")
def taken_up_again(micro, snakemake, tmp_path_factory) -> Path:
    """A micro-study that is killed while different files are being written, and resumed each time."""
    study = copy_study(micro, tmp_path_factory.mktemp("killed") / "micro")
    results = study / "results"
    moments = [
        lambda: any((study / "data").rglob("*.part")),
        lambda: any(results.glob("tiles/.*.part")) or any(results.glob("tiles/*.h5")),
        lambda: any(results.glob("features/.*.part")),
        lambda: any(results.glob("folds/*/genes.tsv")),
    ]
    assert len(moments) == KILLS
    killed = 0
    kills = [kill_snakemake, kill_everything] if sys.platform == "linux" else [kill_everything]
    for moment, kill in zip(moments, cycle(kills), strict=False):
        process = start(study, "--rerun-incomplete")
        if wait_for(moment, process):
            kill(process)
            killed += 1
        else:
            process.communicate()
        snakemake(study, "--unlock")
    assert killed == KILLS
    snakemake(study, "--rerun-incomplete")
    return study


def test_results_are_those_of_an_undisturbed_run(micro, taken_up_again):
    names = sorted(file.relative_to(micro) for file in (micro / "results").rglob("*") if file.is_file())
    assert len(names) > 30
    assert [name for name in names if content(taken_up_again / name) != content(micro / name)] == []


def test_nothing_unfinished_is_left(taken_up_again, snakemake):
    assert "Nothing to be done" in snakemake(taken_up_again, "--dry-run").output
    assert list((taken_up_again / "results").rglob("*.part")) == []
