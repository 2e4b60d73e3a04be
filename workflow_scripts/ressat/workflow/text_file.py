"""Reading the text files that a study consists of, config and sheet. Standard library only."""

import os
import stat
from pathlib import Path

from ressat.base.errors import InputError

# Bytes. Ten times what a sheet of a thousand sections or a panel of all genes takes.
LARGEST = 10_000_000


def read_study_file(path: str | Path, *, expected: str, action: str, encoding: str = "utf-8") -> str:
    """Read a text file whose size is bounded, and which is a file: a pipe or a device may never end.

    Parameters
    ----------
    path
        The file.
    expected, action
        For messages about one that is no text, such as ``"a tab-separated table"``.
    encoding
        ``utf-8``, or ``utf-8-sig`` where a spreadsheet may have left its mark.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InputError
        If it cannot be read, is no file, is too large, or is not text in UTF-8.
    """
    try:
        about = os.stat(path)
        if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
            raise InputError(
                f"{_kind(about.st_mode)}, not a file",
                expected=expected,
                action="write what it gives to a file, and name that",
                file=path,
            )
        if about.st_size > LARGEST:
            raise InputError(
                f"a file of {about.st_size / 1e6:.0f} MB",
                expected=f"{expected} of at most {LARGEST / 1e6:.0f} MB",
                action="correct its path: this is another file",
                file=path,
            )
        return Path(path).read_text(encoding=encoding)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(
            f"it cannot be read ({error.strerror})",
            expected=expected,
            action="correct its path or permissions",
            file=path,
        ) from error
    except UnicodeDecodeError as error:
        raise InputError("not a text file in UTF-8", expected=expected, action=action, file=path) from error


def _kind(mode: int) -> str:
    """What stands in a file's place, in words."""
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
