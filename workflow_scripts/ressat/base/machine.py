"""Machine trouble, such as a full disk, told apart from damage and our own errors. Standard library only."""

import errno
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator

from ressat.base.errors import InputError

# What is wrong, and what to do; by the operating system's error number.
_ROOM = "make room there and run again: finished results are kept, and nothing half-written remains"
_RIGHTS = "correct its permissions or owner, or work where you may write, and run again"
_MEMORY = "give the job more memory, or run fewer jobs at a time"
_NETWORK = "check the network disk, and run again"
_CLOSE = (
    "close it there (in a notebook: file.close(), or restart its kernel) and run again; if no program has it "
    "open, its disk has no locks: set HDF5_USE_FILE_LOCKING=FALSE"
)
_NO_LOCKS = "set HDF5_USE_FILE_LOCKING=FALSE and run again, or copy the file to a local disk"
_TEMPORARY_ROOM = (
    "make room in /tmp, or set TMPDIR to a folder with room in which you may write, and run again"
)
_LIMIT = "raise the limit (ulimit -n 4096), or run fewer jobs at a time"
_TROUBLES = {
    errno.ENOSPC: ("the disk is full", _ROOM),
    errno.EDQUOT: ("the disk quota is used up", _ROOM),
    errno.EFBIG: (
        "a file became larger than the disk or a limit allows",
        "use another disk, or raise ulimit -f",
    ),
    errno.EACCES: ("permission is denied", _RIGHTS),
    errno.EPERM: ("permission is denied", _RIGHTS),
    errno.EROFS: ("the disk is read-only", _RIGHTS),
    errno.EIO: ("the disk failed while reading or writing", "check the disk, and run again"),
    errno.ESTALE: ("the network disk lost the file", _NETWORK),
    errno.ENOTCONN: ("the network disk is not connected", _NETWORK),
    errno.ETIMEDOUT: ("the network, or a disk behind it, did not answer", _NETWORK),
    errno.EHOSTDOWN: ("the network, or a disk behind it, did not answer", _NETWORK),
    errno.ENOMEM: ("memory ran out", _MEMORY),
    errno.EMFILE: ("too many files are open", _LIMIT),
    errno.ENFILE: ("too many files are open", _LIMIT),
    errno.ENOLCK: ("its disk cannot lock files", _NO_LOCKS),
    errno.EAGAIN: (
        "the machine has no room for another process or thread",
        "raise ulimit -u, or run fewer jobs",
    ),
}
_LOCKED = ("another program has the file open for writing", _CLOSE)
_NO_LOCK = ("its disk cannot lock files", _NO_LOCKS)
_GPU = (
    "the GPU's memory ran out",
    "end what else uses the GPU (nvidia-smi shows it), or lower features.batch_size",
)
_SHARED = (
    "the memory that processes share in /dev/shm ran out",
    "give it more (docker run --shm-size=8g, or --ipc=host) and run again",
)
_KILLED = ("a process of the job was killed, probably because memory ran out", _MEMORY)
_CRASHED = (
    "it is marked as open for writing by another program, or one that crashed",
    "close it there; if no program has it open, clear the mark with h5clear -s, or export the file again",
)
# Errors in locking a file, by the number that HDF5 gives for them. Disks without locks have many numbers.
_LOCK = re.compile(r"\block file")
_LOCKS = {None: _LOCKED, errno.EAGAIN: _LOCKED, errno.EACCES: _LOCKED}
# Words of libraries that give no number: regular expressions on lower-case text, of which the first counts.
_PHRASES = {
    r"file is already open for": _CRASHED,
    r"no space left.*/dev/shm|/dev/shm.*no space left|torch_shm_manager|shared memory \(shm\)"
    r"|unable to (mmap|open shared memory|resize|allocate shared memory).*</?torch_|bus error": _SHARED,
    r"(cuda|hip)\b.*out of memory|(cudnn|cublas|cusolver)_status_alloc_failed": _GPU,
    r"killed by signal: (killed|9)|exited unexpectedly|terminated abruptly": _KILLED,
    r"bad_?alloc|out of memory|(not enough|insufficient) memory|can't allocate memory"
    r"|(unable|failed|could not|couldn't) to? ?allocate|malloc of size": _TROUBLES[errno.ENOMEM],
    r"can't start new thread": _TROUBLES[errno.EAGAIN],
    r"no usable temporary (directory|file name)": (
        "no folder for temporary files can be written to, or its disk is full",
        _TEMPORARY_ROOM,
    ),
    r"no locator available for file": (
        "no folder for caches can be written to",
        "set HOME, or NUMBA_CACHE_DIR, to a folder in which you may write, and run again",
    ),
}
# A file of a library right in the folder of temporary files.
_IN_TEMPORARY = re.compile(
    re.escape(os.environ.get("TMPDIR", "/tmp").rstrip("/").lower()) + r"/[^/'\s]+(['\s]|$)"
)
# More than any machine has: the size comes from a damaged file.
_ABSURD = re.compile(r"allocate [\d.]+ [tpez]ib")
# How C libraries give the number, or the operating system's words for it, in their own messages.
_NUMBER = re.compile(r"\berrno = (\d+)", re.IGNORECASE)
_WORDS = {os.strerror(number).lower(): number for number in _TROUBLES}
_FILE = re.compile(r"\b(?:file)?name = '([^']+)'")
# The temporary names of `ressat.base.files.replacing`, which contain the host name.
_TEMPORARY = re.compile(rf"\.([^/]+)\.{re.escape(socket.gethostname())}\.\d+\.part$")


def machine_trouble(error: BaseException) -> InputError | None:
    """Tell whether an error comes from the machine, and say so in a sentence.

    Parameters
    ----------
    error
        Any exception; those that it was raised from are checked too.

    Returns
    -------
    InputError or None
        The sentence; None for damaged files and errors in the code.
    """
    for one in _chain(error):
        trouble = _trouble(one)
        if trouble is not None:
            problem, action = trouble
            return InputError(problem, action=action, file=_file(one))
    return None


def refuse_trouble(error: BaseException) -> None:
    """Raise an error that comes from the machine as such; called before an error is taken for a damaged file.

    Raises
    ------
    InputError
        The sentence of `machine_trouble`, if there is one.
    """
    trouble = machine_trouble(error)
    if trouble is not None:
        raise trouble from error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    ids: set[int] = set()
    while error is not None and id(error) not in ids:
        ids.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _trouble(error: BaseException) -> tuple[str, str] | None:
    text = str(error).lower()
    if _ABSURD.search(text):
        return None
    if isinstance(error, MemoryError):
        return _TROUBLES[errno.ENOMEM]
    if isinstance(error, subprocess.CalledProcessError) and error.returncode == -signal.SIGKILL:
        return _KILLED
    match = _NUMBER.search(text)
    number = getattr(error, "errno", None) or (int(match[1]) if match else None)
    if _LOCK.search(text):
        return _LOCKS.get(number, _NO_LOCK)
    phrase = next((words for words in _PHRASES if re.search(words, text, re.DOTALL)), None)
    if phrase is not None:
        return _PHRASES[phrase]
    if number not in _TROUBLES:
        number = next((number for words, number in _WORDS.items() if words in text), None)
    if number in (errno.ENOSPC, errno.EDQUOT) and _IN_TEMPORARY.search(text):
        return "the disk of temporary files is full", _TEMPORARY_ROOM
    return _TROUBLES.get(number)


def _file(error: BaseException) -> str | None:
    """The file concerned, by its final name."""
    match = _FILE.search(str(error))
    name = match[1] if match else getattr(error, "filename", None)
    return None if name is None else _TEMPORARY.sub(r"\1", str(name))
