"""A Git LFS pointer: the few lines that stand for a file which Git has not fetched. Standard library only."""

import os
import re

from ressat.base.errors import InputError

START = b"version https://git-lfs.github.com/spec/"
LONGEST = 1024  # bytes, by its specification
SIZE = re.compile(rb"^size (\d+)", re.MULTILINE)


def refuse_pointer(path: str | os.PathLike) -> None:
    """Refuse a file that is a Git LFS pointer.

    Raises
    ------
    InputError
        If it is one. What is no file, or cannot be read, is left to the reader.
    """
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > LONGEST:
            return
        with open(path, "rb") as handle:
            text = handle.read(LONGEST)
    except OSError:
        return
    if not text.startswith(START):
        return
    size = SIZE.search(text)
    raise InputError(
        "a Git LFS pointer, not the file itself" + (f" ({int(size[1])} bytes)" if size else ""),
        expected="the file that it stands for",
        action="run git lfs pull in its repository, or download the file by itself",
        file=path,
    )
