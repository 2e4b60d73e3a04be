"""What lies at a path that is no readable file: a dead link, a pipe, a device. Standard library only."""

import os
import stat
from pathlib import Path

from ressat.base.errors import InputError

# What can be opened like a file, but may have no end, or make a reader wait for ever.
SPECIAL = {
    stat.S_ISFIFO: "a named pipe (FIFO)",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a character device",
    stat.S_ISBLK: "a block device",
}


def dead_link(path: str | os.PathLike) -> str | None:
    """Say which link on the way to a path leads nowhere.

    Parameters
    ----------
    path
        A path at which nothing is.

    Returns
    -------
    str or None
        A clause that names the link and what it points to; None if no link is to blame.
    """
    for part in (*reversed(Path(path).parents), Path(path)):
        if os.path.islink(part) and not os.path.exists(part):
            return (
                f"{'it' if part == Path(path) else part} is a link to {os.readlink(part)}, which is not there"
            )
    return None


def refuse_special(path: str | os.PathLike) -> None:
    """Refuse pipes, sockets and devices, without opening them.

    Raises
    ------
    InputError
        If the path leads to one. What is not there, or may not be looked at, is left to the reader.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return
    kind = next((words for is_kind, words in SPECIAL.items() if is_kind(mode)), None)
    if kind:
        raise InputError(
            f"{kind}, not a file",
            expected="a file on a disk",
            action="write the data into a file, and give that one",
            file=path,
        )
