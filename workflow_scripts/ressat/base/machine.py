"""Trouble of the machine, such as a full disk: told apart from errors of ours. Standard library only."""

import errno
import os
import re
import socket
from collections.abc import Iterator

from ressat.base.errors import InputError

# What is wrong, and what to do; by the operating system's number.
_ROOM = "make room there and run again: what was finished is kept, and nothing half-written"
_RIGHTS = "correct its permissions or owner, or work where you may write, and run again"
_TROUBLES = {
    errno.ENOSPC: ("the disk is full", _ROOM),
    errno.EDQUOT: ("the disk quota is used up", _ROOM),
    errno.EACCES: ("permission is denied", _RIGHTS),
    errno.EPERM: ("permission is denied", _RIGHTS),
    errno.EROFS: ("the disk can be read only", _RIGHTS),
    errno.EIO: ("the disk failed while reading or writing", "check the disk, and run again"),
    errno.ESTALE: ("the network disk lost the file", "check the network disk, and run again"),
    errno.ENOMEM: ("memory ran out", "give the job more memory, or run fewer jobs at a time"),
}
# How libraries in C tell the number, or the operating system's words for it, in messages of their own.
_NUMBER = re.compile(r"\berrno = (\d+)", re.IGNORECASE)
_WORDS = {os.strerror(number).lower(): number for number in _TROUBLES}
_FILE = re.compile(r"filename = '([^']+)'")
# The temporary names of `ressat.base.files.replacing`, which hold the host's.
_TEMPORARY = re.compile(rf"\.([^/]+)\.{re.escape(socket.gethostname())}\.\d+\.part$")


def machine_trouble(error: BaseException) -> InputError | None:
    """Tell whether an error comes from the machine, and say so in a sentence.

    Parameters
    ----------
    error
        Any exception; those that it was raised from are looked at too.

    Returns
    -------
    InputError or None
        The sentence; None for errors of the code.
    """
    for one in _chain(error):
        number = _number(one)
        if number is not None:
            found, action = _TROUBLES[number]
            return InputError(found, action=action, file=_file(one))
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _number(error: BaseException) -> int | None:
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    number = getattr(error, "errno", None)
    if number in _TROUBLES:
        return number
    text = str(error).lower()
    told = _NUMBER.search(text)
    if told and int(told[1]) in _TROUBLES:
        return int(told[1])
    return next((number for words, number in _WORDS.items() if words in text), None)


def _file(error: BaseException) -> str | None:
    """The file concerned, by its final name."""
    told = _FILE.search(str(error))
    name = told[1] if told else getattr(error, "filename", None)
    return None if name is None else _TEMPORARY.sub(r"\1", str(name))
