"""The process keeps what it frees, or has it as it was."""

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ressat.features import memory

FAULTS = """
import resource, sys
from ressat.features.memory import keep_freed_memory
if sys.argv[1] == "kept" and not keep_freed_memory():
    sys.exit("not glibc")
bytearray(1 << 27)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    bytearray(1 << 27)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_what_was_freed_is_used_again_without_page_faults(repository):
    def faults(how: str) -> int:
        command = [sys.executable, "-c", FAULTS, how]
        run = subprocess.run(command, cwd=repository / "workflow_scripts", capture_output=True, text=True)
        if run.returncode:
            pytest.skip(run.stderr)
        return int(run.stdout)

    assert faults("kept") * 10 < faults("given back")


@pytest.mark.parametrize(
    ("most", "asked"),
    [
        (2**31 - 1, [(-3, 2**31 - 1), (-1, 2**31 - 1)]),
        # Trimming alone would fix the other threshold where it is lowest.
        (2**25, [(-3, 2**31 - 1), (-3, 2**25)]),
    ],
)
def test_an_old_glibc_takes_less_and_is_left_alone_otherwise(monkeypatch, most, asked):
    found = []

    def mallopt(which: int, value: int) -> int:
        found.append((which, value))
        return int(value <= most)

    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(mallopt=mallopt))
    assert memory.keep_freed_memory() == (most > 2**25)
    assert found == asked


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert not memory.keep_freed_memory()
