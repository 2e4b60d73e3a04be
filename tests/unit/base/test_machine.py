"""Trouble of the machine is known in whatever words a library tells it."""

import errno
import socket

import pytest

from ressat.base.machine import machine_trouble

HOST = socket.gethostname()
H5PY = f"""Can't decrement id ref count (file write failed: time = Tue Nov 24 02:00:57 2026
, filename = 'results/features/.C2.h5.{HOST}.6939.part', file descriptor = 3, errno = 28, error message =
'No space left on device', buf = 0x555d83739b70, total write size = 681, offset = 697677)"""
VIPS = "results/slides/.C2.tiff.vm.12.part: write error\nsystem error: No space left on device\nvips2tiff"


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (RuntimeError(H5PY), "the disk is full"),
        (ValueError(VIPS), "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "a.h5"), "permission is denied"),
        (OSError(errno.EROFS, "Read-only file system"), "the disk is read-only"),
        (OSError(errno.EIO, "Input/output error"), "the disk failed"),
        (MemoryError(), "memory ran out"),
    ],
)
def test_it_is_recognised(error, found):
    assert machine_trouble(error).problem.startswith(found)
    assert machine_trouble(error).action


def test_the_file_goes_by_its_final_name():
    assert machine_trouble(RuntimeError(H5PY)).file == "results/features/C2.h5"
    assert machine_trouble(OSError(28, "full", f"results/.a.b.h5.{HOST}.1.part")).file == "results/a.b.h5"
    assert machine_trouble(OSError(28, "full")).file is None


def test_it_is_found_among_the_causes():
    error = RuntimeError("the writer failed")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert machine_trouble(error).problem == "the disk is full"


@pytest.mark.parametrize("error", [ValueError("shapes differ"), FileNotFoundError(2, "gone"), KeyError("x")])
def test_errors_of_the_code_are_none(error):
    assert machine_trouble(error) is None
