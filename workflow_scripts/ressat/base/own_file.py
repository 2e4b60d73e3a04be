"""Reading back the files of results: whole and unchanged, or a sentence that says how to make them again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ressat.base.errors import InputError, about
from ressat.base.fields import Field, check_field
from ressat.base.files import check_version
from ressat.base.machine import machine_trouble

# An empty line ends every text file of results: what was cut short, or written by another program, lacks it.
# Readers of tables skip it.
END = "\n"
BLOCK = 1 << 20
AGAIN = "remove it and run again, which makes it anew"


@contextmanager
def own_file(path: str | Path) -> Iterator[None]:
    """Say of a file of results that it is damaged, where reading it in the block fails.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        Instead of whatever the block raises; but machine trouble, such as a lack of memory, and a file that
        is not there stay as they are.
    """
    try:
        with about(file=path):
            yield
    except FileNotFoundError:
        raise
    except InputError as error:
        error.action = error.action or AGAIN
        raise
    except Exception as error:  # damage shows as an error of almost any kind
        if machine_trouble(error) is not None:
            raise
        raise damaged(f"it cannot be read ({type(error).__name__}: {error})", path) from error


def damaged(problem: str, path: str | Path | None = None) -> InputError:
    """Return the error for a file of results that is not as it was written.

    Parameters
    ----------
    problem
        What is wrong with it.
    path
        The file; see also `ressat.base.errors.about`.
    """
    return InputError(
        problem,
        expected="the file as this pipeline wrote it, whole and unchanged",
        action=AGAIN,
        file=path,
    )


def refuse_cut(path: str | Path) -> None:
    """Refuse a text file of results that does not end with `END`.

    Raises
    ------
    InputError
        If it was cut short, changed by another program, or parts of it never reached the disk.
    """
    ending = b""
    with open(path, "rb") as file:
        while part := file.read(BLOCK):
            if b"\0" in part:
                raise damaged("it has bytes that are 0, as a crash of the machine may leave behind", path)
            ending = (ending + part)[-2:]
    if ending != b"\n\n":
        problem = "the empty line is missing that ends such a file, so rows may be missing too"
        raise damaged(problem if ending else "an empty file", path)


def read_json(path: str | Path, fields: Field | None = None) -> dict:
    """Read a JSON file of results, of this version of the format.

    Parameters
    ----------
    path
        The file.
    fields
        What its entries must be, without ``version``; None if the caller looks at them.

    Raises
    ------
    InputError
        If it is cut short, of another version of the format, or an entry is not as described.
    """
    with own_file(path):
        content = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_refuse_constant)
        if not isinstance(content, dict):
            raise damaged("it holds no object")
        check_version(content, path)
        if fields is not None:
            check_field({name: value for name, value in content.items() if name != "version"}, fields, "")
    return content


def _refuse_constant(name: str) -> None:
    raise damaged(f"the number {name} in it is not finite")
