"""GPUs that are counted and shared; a fake `nvidia-smi` stands for the driver."""

import select
import subprocess
import sys

import pytest

from ressat.base.gpu import count_gpus

LISTED = "GPU 0: NVIDIA H200 (UUID: GPU-1)\nGPU 1: NVIDIA H200 (UUID: GPU-2)\n"

CLAIM = """
import sys
from ressat.base.gpu import claim_gpu
first = claim_gpu(("one", "two"), sys.argv[1])
print(first, claim_gpu(("one", "two"), sys.argv[1]), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Put a program named nvidia-smi first on PATH."""

    def install(script: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return install


def test_gpus_are_those_that_the_driver_lists(driver):
    driver(f"printf '{LISTED}'")
    assert count_gpus() == 2


@pytest.mark.parametrize(
    ("visible", "count"),
    [
        ("", 0),
        ("-1", 0),
        ("1", 1),
        ("0,1", 2),
        ("0,1,2", 2),
        ("0,-1,1", 1),
        ("7", 0),
        ("1,0,1", 2),
        ("GPU-2", 1),
        ("GPU-2,GPU-1", 2),
        ("GPU-3", 0),
        ("GPU-", 0),
        ("NoDevFiles", 0),
    ],
)
def test_hidden_gpus_do_not_count(driver, monkeypatch, visible, count):
    driver(f"printf '{LISTED}'")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert count_gpus() == count


def test_a_driver_that_does_not_answer_means_no_gpu(driver):
    driver("echo 'NVIDIA-SMI has failed' >&2; exit 9")
    assert count_gpus() == 0


def test_no_driver_means_no_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert count_gpus() == 0


@pytest.fixture
def job(repository, tmp_path):
    """Start a process that claims one of two GPUs and keeps it until its input is closed."""
    started = []

    def start() -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=repository / "workflow_scripts",
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_jobs_get_gpus_of_their_own_and_wait_for_one_that_is_given_back(job):
    first, second = job(), job()
    taken = [process.stdout.readline() for process in (first, second)]
    assert sorted(taken) == ["0 0\n", "1 1\n"]
    third = job()
    waits_s = 2
    assert select.select([third.stdout], [], [], waits_s)[0] == []
    first.kill()
    assert third.stdout.readline() == taken[0]
