"""The tables of legacy Spatial Transcriptomics: counts by spot and gene, and the places of spots."""

import csv
import re
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pandas as pd
from scipy import sparse

from ressat.base.errors import InputError, about_its_file
from ressat.base.names import unquoted
from ressat.counts.compression import read_bytes
from ressat.counts.text_cells import (
    SEPARATORS,
    finite,
    first_cells,
    read_cells,
    refuse_repeated,
    refuse_wide,
    separator_of,
    unreadable,
)

# Array positions; the digits are bounded so that rounding cannot overflow. R puts an X before a digit.
SPOT_NAME = re.compile(r"X?(-?\d{1,9}(?:\.\d*)?)x(-?\d{1,9}(?:\.\d*)?)")
# Numbers with such exponents crash pandas' parser.
LONG_EXPONENT = re.compile(rb"[0-9.][eE][+-]?\d{4}")
# More than any such table has of genes or of spots (see `refuse_wide`); and how many cells a row may
# have beyond twice those of the header, since marks within quotes are counted too.
MOST_COLUMNS, SPARE = 200_000, 100
# Rows read at a time: a table of whole numbers takes twice the memory of one in float32, most of it zeros.
ROWS = 512


@dataclass(frozen=True)
class CountsTable:
    """Counts as a table gives them.

    Attributes
    ----------
    spots
        Names by rounded array position, ``{x}x{y}``, each once.
    genes
        Names as written, including repeated ones.
    counts
        float32, shape (spots, genes).
    """

    spots: pd.Index
    genes: list[str]
    counts: sparse.csr_matrix


@about_its_file
def read_legacy_counts(file: str) -> CountsTable:
    """Read a counts table, with spots as rows and genes as columns or the other way round.

    Parameters
    ----------
    file
        The table: spots named ``{x}x{y}``, cells separated by tabs,
        commas or semicolons, plain or gzipped.

    Raises
    ------
    InputError
        If it is not such a table; the message names a cell that is not a number.
    """
    line, _, body = read_bytes(file).partition(b"\n")
    separator = separator_of(line)
    refuse_wide(line, separator, MOST_COLUMNS)
    header = _header(line, separator)
    cells = first_cells(body, separator)
    if cells > 2 * len(header) + SPARE:
        raise _uneven(header, cells, separator)
    rows, values = _body(header, body, separator)
    columns = header[len(header) - values.shape[1] :]
    row_spots, column_spots = _spot_names(rows), _spot_names(columns)
    if row_spots is not None:
        table = CountsTable(row_spots, columns, values)
    elif column_spots is not None:
        table = CountsTable(column_spots, rows, values.T.tocsr())
    else:
        odd = next(name for name in rows if not SPOT_NAME.fullmatch(name))
        raise InputError(
            f"a row named {odd!r} and a column named {columns[0]!r}",
            expected="spots as rows, named {x}x{y}, and genes as columns, or the other way round",
            action="name the spots by their array positions x and y, such as 10x21",
        )
    refuse_repeated(table.spots)
    return table


@about_its_file
def read_legacy_spots(file: str) -> pd.DataFrame:
    """Read a spot table of legacy Spatial Transcriptomics.

    Parameters
    ----------
    file
        The table: x, y (array), pixel_x, pixel_y (level-0
        pixels) and, optionally, selected (1 under tissue).

    Returns
    -------
    pandas.DataFrame
        Indexed by rounded spot name ``{x}x{y}``, each once: in_tissue (0 or 1), array_row, array_col
        (int), x and y (level-0 pixels, float).

    Raises
    ------
    InputError
        If it is not such a table, a value is not a number, or a spot occurs twice.
    """
    cells = read_cells(file)
    header, cells = cells.iloc[0].to_list(), cells.iloc[1:].reset_index(drop=True)
    columns = ["x", "y", "pixel_x", "pixel_y"]
    wrong = [name for name in columns if header.count(name) != 1]
    if wrong:
        raise InputError(
            f"no column {', '.join(wrong)}" if wrong[0] not in header else f"several columns {wrong[0]}",
            expected=f"the columns {', '.join(columns)} and, where known, selected",
            action="add or rename them",
        )
    if cells.empty:
        raise InputError(
            "only a header",
            expected="a row per spot",
            action="copy or export it again",
        )
    if header.count("selected") == 1:
        columns.append("selected")
    cells.columns = header
    numbers = finite(cells, columns)
    numbers.index = _rounded(numbers["x"], numbers["y"])
    refuse_repeated(numbers.index)
    return pd.DataFrame(
        {
            "in_tissue": numbers["selected"].eq(1).astype(int) if "selected" in columns else 1,
            "array_row": numbers["y"].round().astype(int),
            "array_col": numbers["x"].round().astype(int),
            "x": numbers["pixel_x"],
            "y": numbers["pixel_y"],
        }
    )


def _header(line: bytes, separator: str) -> list[str]:
    """Cells of the first line as they are: pandas would rename a gene that occurs twice."""
    try:
        cells = next(csv.reader([line.decode().rstrip("\r\n")], delimiter=separator))
        return [unquoted(cell) for cell in cells]
    except (UnicodeDecodeError, csv.Error) as error:
        raise unreadable(error) from error


def _body(header: list[str], body: bytes, separator: str) -> tuple[list[str], sparse.csr_matrix]:
    """Names of the rows, and values by row and column."""
    names: list[str] = []
    parts: list[sparse.csr_matrix] = []
    options = {"header": None, "sep": separator, "keep_default_na": False, "chunksize": ROWS}
    types = str if LONG_EXPONENT.search(body) else {0: str}
    try:
        for table in pd.read_csv(BytesIO(body), dtype=types, **options):
            rows = table.pop(0).str.strip().to_list()
            # R writes no cell above the names of the rows.
            fits = table.shape[1] == len(header) - 1 or (table.shape[1] == len(header) and all(header))
            if table.empty or not fits:
                raise _uneven(header, table.shape[1] + 1, separator)
            names += rows
            parts.append(_numbers(table, rows, header[len(header) - table.shape[1] :]))
    except (ValueError, OverflowError) as error:
        raise unreadable(error) from error
    return names, sparse.vstack(parts, format="csr")


def _numbers(table: pd.DataFrame, rows: list[str], columns: list[str]) -> sparse.csr_matrix:
    """Values of some rows; refuses a cell that is not a number."""
    kinds = np.array([kind.kind for kind in table.dtypes])
    with np.errstate(over="ignore"):  # infinite beyond float32; refused when values are checked
        if np.isin(kinds, list("iuf")).all():
            return sparse.csr_matrix(table.to_numpy(dtype=np.float32))
        for place in np.flatnonzero(~np.isin(kinds, list("iuf"))):
            for row, cell in enumerate(table.iloc[:, place]):
                if not _is_number(cell):
                    raise InputError(
                        f"{str(cell)!r} in row {rows[row]}, column {columns[place]}",
                        expected="raw counts: whole numbers, 0 or more",
                        action="correct the cell",
                    )
        return sparse.csr_matrix(table.astype(str).to_numpy(dtype=np.float64).astype(np.float32))


def _uneven(header: list[str], cells: int, separator: str) -> InputError:
    return InputError(
        f"a header of {len(header)} cells above rows of {cells}",
        expected=f"a name and one count per gene in each row, separated by {SEPARATORS[separator]}s",
        action="export it again",
    )


def _is_number(cell: object) -> bool:
    try:
        float(str(cell))
    except ValueError:
        return False
    return True


def _spot_names(names: list[str]) -> pd.Index | None:
    """Names by rounded array position; None if one is not a spot's."""
    matches = [SPOT_NAME.fullmatch(name) for name in names]
    if not matches or not all(matches):
        return None
    return _rounded(*(pd.Series([float(match[axis]) for match in matches]) for axis in (1, 2)))


def _rounded(x: pd.Series, y: pd.Series) -> pd.Index:
    """Names by rounded array position, since one file may say 10 and the other 10.0 or 9.98."""
    rounded = [values.round().astype(int).astype(str).to_numpy(dtype=object) for values in (x, y)]
    return pd.Index(rounded[0] + "x" + rounded[1], name="spot")
