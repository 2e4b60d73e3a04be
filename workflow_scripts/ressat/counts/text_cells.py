"""Text tables as written in the file, and their columns as numbers."""

import re
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pandas as pd

from ressat.base.errors import InputError, about_its_file
from ressat.base.machine import machine_trouble
from ressat.base.names import unquoted
from ressat.counts.compression import read_bytes

FIRST_LINE = re.compile(rb"[^\r\n]+")
SEPARATORS = {"\t": "tab", ",": "comma", ";": "semicolon"}
# Tables of places, features and barcodes have about ten columns at most. pandas makes as many as the first
# line has cells, however many these are.
MOST_COLUMNS = 1000
# No pixel or array position is beyond a billion.
LARGEST = 1e9


@about_its_file
def read_cells(file: str) -> pd.DataFrame:
    """Read a tab-, comma- or semicolon-separated table as text, without treating its first line as a header.

    Parameters
    ----------
    file
        The table, plain or gzipped.

    Returns
    -------
    pandas.DataFrame
        Text without blanks and quotes around it; empty where there is nothing.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    content = read_bytes(file)
    separator = separator_of(content.split(b"\n", 1)[0])
    refuse_wide(content, separator, MOST_COLUMNS)
    try:
        # As text: numbers with very long exponents can crash pandas' parser.
        cells = pd.read_csv(
            BytesIO(content), sep=separator, header=None, dtype=str, keep_default_na=False, na_filter=False
        )
    except (ValueError, OverflowError) as error:
        raise unreadable(error) from error
    return cells.apply(_bare)


def separator_of(line: bytes) -> str:
    """Return what separates the cells of a line: a tab wherever there is one."""
    return next((mark for mark in SEPARATORS if mark.encode() in line), "\t")


def refuse_wide(content: bytes, separator: str, most: int) -> None:
    """Refuse a table by its first line, before a column is made for each of its cells.

    Raises
    ------
    InputError
        If that line has more cells than ``most``.
    """
    cells = first_cells(content, separator)
    if cells > most:
        raise InputError(
            f"a first line of {cells} cells",
            expected=f"a table of up to {most} columns, with a line for each row",
            action="look at what it holds, and export it again",
        )


def first_cells(content: bytes, separator: str) -> int:
    """Return how many cells the first line that is not empty has, those in quotes not told apart."""
    line = FIRST_LINE.search(content)
    return 1 + content.count(separator.encode(), *line.span()) if line else 0


def unreadable(error: Exception) -> InputError:
    """Say that a file is not a table, or that the machine could not read it."""
    return machine_trouble(error) or InputError(
        f"it cannot be read as a table ({str(error).strip()})",
        expected="text in UTF-8, its cells separated by tabs or commas, as many in each row",
        action="copy or export it again",
    )


def finite(cells: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns as finite float64, the index kept.

    Raises
    ------
    InputError
        If a cell is not such a number; names the first one and its row.
    """
    numbers = pd.DataFrame({name: _floats(cells[name]) for name in columns}, index=cells.index)
    odd = np.argwhere(~(numbers.abs() < LARGEST).to_numpy())
    if len(odd):
        row, column = odd[0]
        raise InputError(
            f"{cells[columns[column]].iat[row]!r} as {columns[column]} in row {cells.index[row]}",
            expected="a number",
            action="correct or remove the row",
        )
    return numbers


def whole(numbers: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns as int.

    Raises
    ------
    InputError
        If a number is not whole; names the first one and its row.
    """
    odd = np.argwhere((numbers[columns] % 1 != 0).to_numpy())
    if len(odd):
        row, column = odd[0]
        raise InputError(
            f"{numbers[columns].iat[row, column]:g} as {columns[column]} in row {numbers.index[row]}",
            expected="a whole number",
            action="correct or remove the row",
        )
    return numbers[columns].astype(int)


def refuse_repeated(names: pd.Index) -> None:
    """Refuse spot names of which any occurs more than once.

    Raises
    ------
    InputError
        If one does; names the first.
    """
    repeated = names[names.duplicated()]
    if len(repeated):
        raise InputError(
            f"{len(repeated)} spot names occur more than once (first: {repeated[0]})",
            expected="each spot once",
            action="remove the repeated ones; if they are of several sections, give each a file of its own",
        )


def _bare(column: pd.Series) -> pd.Series:
    """Cells without blanks around them, and without quotes that stood behind a blank."""
    column = column.str.strip()
    return column.map(unquoted) if column.str.startswith('"').any() else column


def _floats(cells: pd.Series) -> np.ndarray:
    """Numbers, NaN for what is not one."""
    try:
        return cells.to_numpy(dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return np.array([_number(cell) for cell in cells], dtype=np.float64)


def _number(cell: object) -> float:
    try:
        return float(cell)
    except (ValueError, TypeError, OverflowError):
        return np.nan
