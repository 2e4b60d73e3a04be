"""Machine trouble, such as a full disk, told apart from our own errors. Standard library only."""

import errno
import os
import re
import socket
from collections.abc import Iterator

from ressat.base.errors import InputError

# What is wrong, and what to do; by the operating system's error number.
_ROOM = "make room there and run again: finished results are kept, and nothing half-written remains"
_RIGHTS = "correct its permissions or owner, or work where you may write, and run again"
_TROUBLES = {
    errno.ENOSPC: ("the disk is full", _ROOM),
    errno.EDQUOT: ("the disk quota is used up", _ROOM),
    errno.EACCES: ("permission is denied", _RIGHTS),
    errno.EPERM: ("permission is denied", _RIGHTS),
    errno.EROFS: ("the disk is read-only", _RIGHTS),
    errno.EIO: ("the disk failed while reading or writing", "check the disk, and run again"),
    errno.ESTALE: ("the network disk lost the file", "check the network disk, and run again"),
    errno.ENOMEM: ("memory ran out", "give the job more memory, or run fewer jobs at a time"),
}
# How C libraries give the number, or the operating system's words for it, in their own messages.
_NUMBER = re.compile(r"\berrno = (\d+)", re.IGNORECASE)
_WORDS = {os.strerror(number).lower(): number for number in _TROUBLES}
_FILE = re.compile(r"filename = '([^']+)'")
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
        The sentence; None for errors in the code.
    """
    for one in _chain(error):
        number = _number(one)
        if number is not None:
            trouble, action = _TROUBLES[number]
            return InputError(trouble, action=action, file=_file(one))
    return None


def refuse_machine_trouble(error: BaseException) -> None:
    """Raise the sentence of `machine_trouble`, if there is one: before a file is called damaged.

    Raises
    ------
    InputError
        If the error comes from the machine.
    """
    trouble = machine_trouble(error)
    if trouble:
        raise trouble from error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    ids: set[int] = set()
    while error is not None and id(error) not in ids:
        ids.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _number(error: BaseException) -> int | None:
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    number = getattr(error, "errno", None)
    if number in _TROUBLES:
        return number
    text = str(error).lower()
    match = _NUMBER.search(text)
    if match and int(match[1]) in _TROUBLES:
        return int(match[1])
    return next((number for words, number in _WORDS.items() if words in text), None)


def _file(error: BaseException) -> str | None:
    """The file concerned, by its final name."""
    match = _FILE.search(str(error))
    name = match[1] if match else getattr(error, "filename", None)
    return None if name is None else _TEMPORARY.sub(r"\1", str(name))
