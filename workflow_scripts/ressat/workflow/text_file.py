"""Reading the text files that a study consists of, config and sheet. Standard library only."""

import os
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.path_kind import refuse_special

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
        refuse_special(path)
        size = os.path.getsize(path)
        if size > LARGEST:
            raise InputError(
                f"a file of {size / 1e6:.0f} MB",
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
