"""Trouble of the machine is known in whatever words a library tells it."""

import errno
import signal
import socket
import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch

from ressat.base.errors import InputError
from ressat.base.machine import machine_trouble, refuse_trouble

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


LOCK = "Unable to synchronously open file (unable to lock file, errno = {}, error message = '{}')"


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (BlockingIOError(11, LOCK.format(11, "Resource temporarily unavailable")), "another program"),
        (RuntimeError("unable to lock file: Resource temporarily unavailable"), "another program"),
        (OSError(37, LOCK.format(37, "No locks available")), "its disk cannot lock files"),
        (OSError(LOCK.format(38, "Function not implemented")), "its disk cannot lock files"),
        (OSError(LOCK.format(95, "Operation not supported")), "its disk cannot lock files"),
        (OSError(37, "No locks available"), "its disk cannot lock files"),
        (OSError("unable to open file (file is already open for write/SWMR write)"), "it is marked as open"),
        (OSError("file is already open for read-only"), "it is marked as open"),
        (OSError(errno.EMFILE, "Too many open files"), "too many files are open"),
        (ValueError("Couldn't open slide.svs: Too many open files"), "too many files are open"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), "the GPU's memory"),
        (RuntimeError("CUDA error: out of memory"), "the GPU's memory"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "the GPU's memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you wanted 99 bytes."), "memory ran"),
        (RuntimeError("std::bad_alloc"), "memory ran out"),
        (ValueError("vips_tracked: out of memory --- size == 500MB"), "memory ran out"),
        (MemoryError("Unable to allocate 31.2 GiB for an array with shape (9, 9)"), "memory ran out"),
        (OSError("Insufficient memory (case 4)"), "memory ran out"),
        (RuntimeError("DataLoader worker (pid 77) is killed by signal: Killed. "), "a process of the job"),
        (RuntimeError("DataLoader worker (pid(s) 5, 6) exited unexpectedly"), "a process of the job"),
        (subprocess.CalledProcessError(-signal.SIGKILL, "tool"), "a process of the job was killed"),
        (RuntimeError("unable to mmap 104857600 bytes from file </torch_1_2_0>: Cannot allocate memory (12)"),
         "the memory that processes share"),
        (RuntimeError("Might be caused by insufficient shared memory (shm)."), "the memory that processes"),
        (OSError(28, "No space left on device", "/dev/shm/sem.x"), "the memory that processes share"),
        (RuntimeError("can't start new thread"), "the machine has no room"),
        (BlockingIOError(11, "Resource temporarily unavailable"), "the machine has no room"),
        (FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), "no folder"),
        (OSError(28, "No space left on device", "/tmp/tmpab12"), "the disk of temporary files"),
        (ValueError("write /tmp/vips-7-1.v\nsystem error: No space left on device"), "the disk of temp"),
        (OSError(28, "No space left on device", "/tmp/study/S1.h5"), "the disk is full"),
        (RuntimeError("cannot cache: no locator available for file x.py"), "no folder for caches"),
        (ValueError("Error tokenizing data. C error: out of memory"), "memory ran out"),
        (OSError(errno.ENOTCONN, "Transport endpoint is not connected"), "the network disk is not connected"),
    ],
)  # fmt: skip
def test_other_words_are_recognised_too(error, found):
    trouble = machine_trouble(error)
    assert trouble.problem.startswith(found)
    assert "copy" not in trouble.action or "local disk" in trouble.action
    with pytest.raises(InputError, match=found):
        refuse_trouble(error)


def test_a_real_lock_of_hdf5_is_recognised(tmp_path):
    holder = (
        "import h5py, sys; f = h5py.File(sys.argv[1], sys.argv[2]); print(1, flush=True); sys.stdin.read()"
    )
    for mode in ("w", "a"):
        file = tmp_path / f"{mode}.h5"
        command = [sys.executable, "-c", holder, str(file), mode]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            with pytest.raises(OSError, match="lock") as refused:
                h5py.File(file)
            process.stdin.close()
        assert "HDF5_USE_FILE_LOCKING" in machine_trouble(refused.value).action


@pytest.mark.parametrize("name", ["results/features/S1.h5", "/data/a b.h5ad"])
def test_the_file_is_named_in_the_words_of_hdf5_for_opening(name):
    text = f"Unable to open file (name = '{name}', errno = 13, error message = 'x', flags = 0)"
    assert machine_trouble(OSError(text)).file == name


@pytest.mark.parametrize("size", ["7.28 TiB", "1.00 PiB"])
def test_a_size_that_no_machine_has_is_damage(size):
    assert machine_trouble(MemoryError(f"Unable to allocate {size} for an array")) is None


def test_memory_that_numpy_cannot_get_is_recognised_or_damage():
    with pytest.raises(MemoryError) as refused:
        np.empty(1 << 60, np.uint8)
    assert machine_trouble(refused.value) is None


@pytest.mark.parametrize(
    "error",
    [
        ValueError("shapes differ"),
        FileNotFoundError(2, "gone"),
        KeyError("x"),
        OSError("truncated file: eof = 96"),
        EOFError("ended early"),
        OSError("file signature not found"),
    ],
)
def test_errors_of_the_code_are_none(error):
    assert machine_trouble(error) is None
