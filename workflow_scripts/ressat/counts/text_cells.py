"""Tables of text as they stand in the file, and their columns as numbers."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pandas as pd

from ressat.base.errors import InputError
from ressat.counts.packed_files import read_bytes

SEPARATORS = {"\t": "tab", ",": "comma", ";": "semicolon"}
# Beyond a billion there is no pixel and no array position.
LARGEST = 1e9


def read_cells(section: str, file: str) -> pd.DataFrame:
    """Read a table, tab-, comma- or semicolon-separated, as text, without taking its first line for a header.

    Parameters
    ----------
    section, file
        The section's name, for messages, and the table, plain or gzipped.

    Returns
    -------
    pandas.DataFrame
        Text, stripped; empty where there is nothing.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    content = read_bytes(section, file)
    separator = separator_of(content.split(b"\n", 1)[0])
    try:
        # As text: of numbers with endless exponents pandas' parser can crash.
        cells = pd.read_csv(
            BytesIO(content), sep=separator, header=None, dtype=str, keep_default_na=False, na_filter=False
        )
    except (ValueError, OverflowError) as error:
        raise unreadable(section, file, error) from error
    return cells.apply(lambda column: column.str.strip())


def separator_of(line: bytes) -> str:
    """Return what separates the cells of a line: a tab wherever there is one."""
    return next((mark for mark in SEPARATORS if mark.encode() in line), "\t")


def unreadable(section: str, file: str, error: Exception) -> InputError:
    """Say that a file is no table."""
    return InputError(
        f"it cannot be read as a table ({str(error).strip()})",
        expected="text in UTF-8, its cells separated by tabs or commas, as many in each row",
        action="copy or export it again",
        section=section,
        file=file,
    )


def finite(section: str, file: str, cells: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns as finite float64, the index kept.

    Raises
    ------
    InputError
        Naming the first cell that is no such number, and its row.
    """
    numbers = pd.DataFrame({name: _floats(cells[name]) for name in columns}, index=cells.index)
    odd = np.argwhere(~(numbers.abs() < LARGEST).to_numpy())
    if len(odd):
        row, column = odd[0]
        raise InputError(
            f"{cells[columns[column]].iat[row]!r} as {columns[column]} in row {cells.index[row]}",
            expected="a number",
            action="correct or remove the row",
            section=section,
            file=file,
        )
    return numbers


def whole(section: str, file: str, numbers: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns as int.

    Raises
    ------
    InputError
        Naming the first number that is not whole, and its row.
    """
    odd = np.argwhere((numbers[columns] % 1 != 0).to_numpy())
    if len(odd):
        row, column = odd[0]
        raise InputError(
            f"{numbers[columns].iat[row, column]:g} as {columns[column]} in row {numbers.index[row]}",
            expected="a whole number",
            action="correct or remove the row",
            section=section,
            file=file,
        )
    return numbers[columns].astype(int)


def refuse_repeated(section: str, file: str, names: pd.Index) -> None:
    """Refuse names of spots of which one stands there twice.

    Raises
    ------
    InputError
        Naming the first.
    """
    repeated = names[names.duplicated()]
    if len(repeated):
        raise InputError(
            f"{len(repeated)} names of spots stand there more than once (first: {repeated[0]})",
            expected="each spot once",
            action="remove the repeated ones",
            section=section,
            file=file,
        )


def _floats(cells: pd.Series) -> np.ndarray:
    """Numbers, NaN for what is none."""
    try:
        return cells.to_numpy(dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return np.array([_number(cell) for cell in cells], dtype=np.float64)


def _number(cell: object) -> float:
    try:
        return float(cell)
    except (ValueError, TypeError, OverflowError):
        return np.nan
