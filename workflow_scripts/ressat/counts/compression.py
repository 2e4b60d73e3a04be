"""Opening files that may be compressed, judged by content: browsers and archives change names."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from ressat.base.errors import InputError, about_its_file
from ressat.base.machine import refuse_trouble

GZIP = b"\x1f\x8b"
# How other archives begin, for the message.
ARCHIVES = {b"PK\x03\x04": "a zip archive", b"BZh": "a bzip2 archive", b"\xfd7zXZ": "an xz archive"}
# A gzipped file may unpack to this many bytes whatever its size, and else to so many times what was read of
# it: tables pack to a tenth, or to a hundredth where 99 % of the counts are zeros. Runs of one character, as
# in an archive made to fill the memory, pack to a thousandth.
ALWAYS_FITS, PLAUSIBLY_PACKED = 1 << 29, 100
# What reading a damaged archive or an unreadable file raises.
READING_ERRORS = (OSError, EOFError, zlib.error)


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, unpacked if it is gzipped.

    Raises
    ------
    InputError
        If it cannot be opened, is empty, or is an archive of another kind.
    """
    try:
        raw = open(file, "rb")  # noqa: SIM115 (closed below, as gzip does not)
        start = raw.read(6)
    except OSError as error:
        refuse_trouble(error)
        raise _refused(f"it cannot be read ({error.strerror or error})") from error
    with raw:
        if not start:
            raise _refused("an empty file")
        kind = next((kind for magic, kind in ARCHIVES.items() if start.startswith(magic)), None)
        if kind:
            raise _refused(kind, action="unpack it, or compress it with gzip")
        raw.seek(0)
        if start.startswith(GZIP):
            with io.BufferedReader(_Unpacked(raw), 1 << 20) as unpacked:
                yield unpacked
        else:
            yield raw


@about_its_file
def read_bytes(file: str) -> bytes:
    """Return a file's content, unpacked if it is gzipped, without a byte-order mark.

    Raises
    ------
    InputError
        If it cannot be read, has no content, or is an archive of another kind or a damaged one.
    """
    try:
        with opened(file) as handle:
            content = handle.read().removeprefix(b"\xef\xbb\xbf")
    except READING_ERRORS as error:
        refuse_trouble(error)
        raise _refused(f"it cannot be read ({error})") from error
    if not content.strip():
        raise _refused("an empty file")
    return content


class _Unpacked(io.RawIOBase):
    """The content of a gzipped file, which is refused once it is more than one of its size can hold."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed, self._content, self._size = packed, gzip.GzipFile(fileobj=packed), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        number = self._content.readinto(buffer)
        self._size += number
        if self._size > max(ALWAYS_FITS, PLAUSIBLY_PACKED * self._packed.tell()):
            raise InputError(
                f"{self._packed.tell() / 1e6:.3g} MB of it unpack to more than {self._size / 1e6:.0f} MB",
                expected=f"a table, which unpacks to at most {PLAUSIBLY_PACKED} times its size",
                action="look at what it holds, and export the table again",
            )
        return number


def _refused(problem: str, action: str = "copy or export it again") -> InputError:
    return InputError(problem, expected="a whole file, plain or gzipped", action=action)
