"""Files that are either whole or not there."""

import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ressat.base import keys
from ressat.base.errors import InputError


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path to write to, and rename it to ``path`` once it is whole.

    The temporary name holds the host and the process id, so that an orphan of a killed run
    that is still writing cannot touch the file of the run that took over. Leftovers of dead
    processes of this host are removed first.

    Parameters
    ----------
    path
        The final path; its folder is created.

    Yields
    ------
    Path
        A path in the same folder. It must exist when the block ends.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    host = socket.gethostname()
    start = f".{path.name}.{host}."
    for leftover in path.parent.glob("*.part"):
        pid = leftover.name.removeprefix(start).removesuffix(".part")
        if leftover.name.startswith(start) and pid.isdecimal() and not _is_alive(int(pid)):
            leftover.unlink(missing_ok=True)
    temporary = path.parent / f"{start}{os.getpid()}.part"
    try:
        yield temporary
        # Without the sync a power cut could leave the new name on an empty file.
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file as a whole (see `replacing`), in UTF-8."""
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
        If ``attrs["version"]`` is not the version that this code writes.
    """
    found = attrs.get("version")
    if found is None or int(found) != keys.FORMAT_VERSION:
        raise InputError(
            f"file format version {found}",
            expected=f"version {keys.FORMAT_VERSION}",
            action="remove the results folder of the older version, or run with --forceall",
            file=path,
        )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
