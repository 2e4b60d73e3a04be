"""Files that are either complete or absent."""

import hashlib
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.ownership import check_claim, has_claim

logger = logging.getLogger("ressat")

# Version of the result files' formats; every HDF5 and JSON file that we write carries it.
FORMAT_VERSION = 3
# Entry of AnnData.uns that holds what this pipeline records.
UNS = "ressat"


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path to write to, and rename the file to ``path`` once it is complete.

    The temporary name holds the host and the process id, so that an orphan of a killed run
    that is still writing cannot touch the file of the run that took over; nor may it rename its own
    file over that one (see `ressat.base.ownership`). Leftovers are removed first: those of dead
    processes of this host and, in a job, which alone owns its results, those of other hosts.

    Parameters
    ----------
    path
        The final path; its folder is created.

    Yields
    ------
    Path
        A path in the same folder. It must exist when the block ends.

    Raises
    ------
    InputError
        If a newer run does the same job.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    check_claim()
    _remove_leftovers(path)
    temporary = path.parent / f".{path.name}.{socket.gethostname()}.{os.getpid()}.part"
    try:
        yield temporary
        check_claim()
        # Without the sync a power cut could leave the new name on an empty file.
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a UTF-8 text file in one step (see `replacing`)."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file's content as 64 hexadecimal digits."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def check_version(attrs: dict, path: str | Path) -> None:
    """Refuse a results file of another format version.

    Raises
    ------
    InputError
        If ``attrs["version"]`` is not the version that this code writes, as a whole number.
    """
    version = attrs.get("version")
    # A whole number, Python's or numpy's; "3" and 3.0 come from another program.
    is_whole = isinstance(version, Integral) and not isinstance(version, bool)
    if not is_whole or version != FORMAT_VERSION:
        raise InputError(
            f"file format version {version}"
            if is_whole or version is None
            else f"a file format version that is no whole number ({type(version).__name__} {version!r:.40})",
            expected=f"version {FORMAT_VERSION}",
            action="remove the results folder of the older version, or run with --forceall",
            file=path,
        )


def _remove_leftovers(path: Path) -> None:
    """Remove unfinished files that nobody writes any more, or whose writer may not finish them."""
    for leftover in path.parent.glob("*.part"):
        start, _, pid = leftover.name.removesuffix(".part").rpartition(".")
        host = start.removeprefix(f".{path.name}.")
        if host == start or not host or not pid.isdecimal():
            continue
        if host == socket.gethostname():
            if not _is_alive(int(pid)):
                leftover.unlink(missing_ok=True)
        elif has_claim():
            leftover.unlink(missing_ok=True)
            logger.info("removed %s, which an interrupted job on %s had left", leftover, host)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
