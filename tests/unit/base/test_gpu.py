"""GPUs that are counted and shared; a fake `nvidia-smi` stands for the driver."""

import os
import re
import select
import subprocess
import sys

import pytest

from ressat.base.errors import InputError
from ressat.base.gpu import claim_gpu, count_gpus

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


@pytest.mark.parametrize("number", [1, 2])
def test_a_wait_has_an_end_that_says_who_has_the_gpus(job, tmp_path, number):
    holders = [job() for _ in range(2)]
    for process in holders:
        process.stdout.readline()
    names = ("one", "two")[:number]
    with pytest.raises(InputError) as refused:
        claim_gpu(names, tmp_path, deadline_s=0.1)
    named = set(re.findall(r"process (\d+)", str(refused.value)))
    assert named <= {str(process.pid) for process in holders}
    assert len(named) == number


def own(tmp_path):
    return tmp_path / f"ressat-{os.getuid()}"


@pytest.mark.parametrize("kind", ["link", "file", "open to others"])
def test_a_folder_of_locks_that_is_not_ones_own_is_refused(tmp_path, kind):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    if kind == "link":
        own(tmp_path).symlink_to(elsewhere)
    elif kind == "file":
        own(tmp_path).touch(0o600)
    else:
        own(tmp_path).mkdir()
        own(tmp_path).chmod(0o777)
    with pytest.raises(InputError, match=r"the locks of GPUs belong.*set TMPDIR"):
        claim_gpu((kind,), tmp_path)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
@pytest.mark.parametrize("user", [65534, 12345])
def test_a_folder_of_locks_of_another_user_is_refused(tmp_path, user):
    own(tmp_path).mkdir(mode=0o700)
    os.chown(own(tmp_path), user, user)
    with pytest.raises(InputError, match=f"a folder of user {user} with the permissions 700"):
        claim_gpu((f"of {user}",), tmp_path)


@pytest.mark.parametrize("target", ["kept.txt", "not there"])
def test_a_lock_that_is_a_link_is_not_followed(tmp_path, target):
    (tmp_path / "kept.txt").write_text("kept")
    own(tmp_path).mkdir(mode=0o700)
    (own(tmp_path) / "gpu-x.lock").symlink_to(tmp_path / target)
    with pytest.raises(OSError, match="symbolic links"):
        claim_gpu(("x",), tmp_path, deadline_s=len(target))
    assert (tmp_path / "kept.txt").read_text() == "kept"
    assert not (tmp_path / "not there").exists()
