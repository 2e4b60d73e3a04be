"""The text files that counts come with or in: each is read as a checked table, or refused."""

import gzip
import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ressat.errors import InputError

POSITION_COLUMNS = [
    "barcode",
    "in_tissue",
    "array_row",
    "array_col",
    "pxl_row_in_fullres",
    "pxl_col_in_fullres",
]
# Array positions of legacy ST; the digits are bounded so that rounding cannot overflow.
SPOT_NAME = r"(-?\d{1,9}(?:\.\d*)?)x(-?\d{1,9}(?:\.\d*)?)"


def read_positions(section: str, file: str) -> pd.DataFrame:
    """Read Space Ranger's spot positions, with a header (version 2 and later) or without.

    Parameters
    ----------
    section, file
        The section's name, for messages, and the table.

    Returns
    -------
    pandas.DataFrame
        By barcode, each once: in_tissue, array_row, array_col (int), x and y (level-0 pixels, float).

    Raises
    ------
    InputError
        If it is no such table, a position is not a number, or a barcode stands there twice.
    """
    table = read_table(section, file, header=None, dtype=str)
    cells = table.iloc[0].astype(str).str.strip()
    if cells.iloc[0].lower() == "barcode":
        table = table.iloc[1:].set_axis(cells, axis=1)
    elif len(cells) == len(POSITION_COLUMNS):
        table.columns = POSITION_COLUMNS
    if table.empty or sorted(table.columns) != sorted(POSITION_COLUMNS):
        raise InputError(
            f"a header alone, {', '.join(cells)}"
            if table.empty
            else f"{len(cells)} columns, {', '.join(cells)}",
            expected=f"{len(POSITION_COLUMNS)} columns: {', '.join(POSITION_COLUMNS)}",
            action="copy it again from Space Ranger's outs",
            section=section,
            file=file,
        )
    table.index = table["barcode"].astype(str).str.strip()
    refuse_repeated(section, file, table.index)
    numbers = _numbers(section, file, table, POSITION_COLUMNS[1:])
    places = numbers[["in_tissue", "array_row", "array_col"]].astype(int)
    # A row of pixels is a place along y.
    return places.assign(x=numbers["pxl_col_in_fullres"], y=numbers["pxl_row_in_fullres"])


def read_spot_diameter(section: str, file: str) -> float:
    """Read the diameter of a spot, in level-0 pixels, from Space Ranger's scale factors.

    Raises
    ------
    InputError
        If the file is not JSON with a positive ``spot_diameter_fullres``.
    """
    try:
        diameter = float(json.loads(Path(file).read_text(encoding="utf-8"))["spot_diameter_fullres"])
        if not 0 < diameter < np.inf:
            raise ValueError(f"spot_diameter_fullres is {diameter:g}")
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, OSError) as error:
        raise InputError(
            f"it cannot be read as scale factors ({type(error).__name__}: {error})",
            expected="JSON with a positive spot_diameter_fullres, as Space Ranger writes it",
            action="copy it again from Space Ranger's outs",
            section=section,
            file=file,
        ) from error
    return diameter


def read_legacy_counts(section: str, file: str) -> pd.DataFrame:
    """Read a counts table of legacy Spatial Transcriptomics.

    Parameters
    ----------
    section, file
        The section's name, for messages, and the table: spots x genes, rows named ``{x}x{y}``, tab- or
        comma-separated, also gzipped.

    Returns
    -------
    pandas.DataFrame
        float32, by the rounded name of the spot, each once; empty cells are NaN. Genes keep their
        names, repeated ones too.

    Raises
    ------
    InputError
        If it is no such table.
    """
    table = read_table(section, file, header=None, skiprows=1, index_col=0)
    header = _first_line(file)
    has_corner = len(header) == table.shape[1] + 1
    # R writes no cell above the names of the rows.
    if not has_corner and not (len(header) == table.shape[1] and all(header)):
        raise InputError(
            f"a header of {len(header)} cells above rows of {table.shape[1] + 1}",
            expected=f"a name and one count per gene in each row, separated by {_separator(file)[1]}s",
            action="export it again",
            section=section,
            file=file,
        )
    names = table.index.astype(str).str.strip()
    odd = names[~names.str.fullmatch(SPOT_NAME)]
    if len(odd):
        raise InputError(
            f"a row named {odd[0]!r}",
            expected="spots as rows, named {x}x{y}, and genes as columns",
            action="transpose the table if its rows are genes",
            section=section,
            file=file,
        )
    table.columns = header[int(has_corner) :]
    text = np.flatnonzero([not pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes])
    if text.size:
        column = table.iloc[:, text[0]]
        odd = column[[np.isnan(_number(cell)) for cell in column]]
        raise InputError(
            f"{[*odd, *column][0]!r} as a count of gene {table.columns[text[0]]}",
            expected="raw counts: whole numbers, 0 or more",
            action="correct the cell",
            section=section,
            file=file,
        )
    xy = names.str.extract(SPOT_NAME).astype(float)
    table.index = _spot_names(xy[0], xy[1])
    refuse_repeated(section, file, table.index)
    return table.astype(np.float32)


def read_legacy_spots(section: str, file: str) -> pd.DataFrame:
    """Read a spot table of legacy Spatial Transcriptomics.

    Parameters
    ----------
    section, file
        The section's name, for messages, and the table: x, y (array), pixel_x, pixel_y (level-0
        pixels) and, optionally, selected (1 under tissue).

    Returns
    -------
    pandas.DataFrame
        By the rounded name of the spot ``{x}x{y}``, each once: in_tissue, array_row, array_col (int),
        x and y (level-0 pixels, float).

    Raises
    ------
    InputError
        If it is no such table, a value is not a number, or a spot stands there twice.
    """
    table = read_table(section, file, dtype=str)
    table.columns = table.columns.astype(str).str.strip()
    columns = ["x", "y", "pixel_x", "pixel_y"]
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise InputError(
            f"no column {', '.join(missing)}",
            expected=f"the columns {', '.join(columns)}, separated by {_separator(file)[1]}s",
            action="add or rename them",
            section=section,
            file=file,
        )
    if "selected" in table.columns:
        columns.append("selected")
    numbers = _numbers(section, file, table, columns)
    numbers.index = _spot_names(numbers["x"], numbers["y"])
    refuse_repeated(section, file, numbers.index)
    return pd.DataFrame(
        {
            "in_tissue": numbers["selected"].eq(1).astype(int) if "selected" in columns else 1,
            "array_row": numbers["y"].round().astype(int),
            "array_col": numbers["x"].round().astype(int),
            "x": numbers["pixel_x"],
            "y": numbers["pixel_y"],
        }
    )


def read_table(section: str, file: str, **options: object) -> pd.DataFrame:
    """Read a table, comma-separated where its name says csv and else tab-separated, also gzipped.

    Parameters
    ----------
    section, file
        The section's name, for messages, and the table.
    **options
        Of `pandas.read_csv`.

    Raises
    ------
    InputError
        If it cannot be read or has no row.
    """
    separator, name = _separator(file)
    try:
        table = pd.read_csv(file, sep=separator, **options)
    except (ValueError, OSError, EOFError, OverflowError, zlib.error) as error:
        raise InputError(
            f"it cannot be read as a table ({str(error).strip()})",
            expected=f"a {name}-separated table",
            action="copy or export it again",
            section=section,
            file=file,
        ) from error
    if table.empty:
        raise InputError(
            "a table without values",
            expected=f"one row per spot, its cells separated by {name}s",
            action="copy or export it again",
            section=section,
            file=file,
        )
    return table


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


def _separator(file: str) -> tuple[str, str]:
    return (",", "comma") if Path(file).name.lower().endswith((".csv", ".csv.gz")) else ("\t", "tab")


def _first_line(file: str) -> list[str]:
    """Cells of the header as they are: pandas would rename a gene that stands there twice."""
    opened = gzip.open if Path(file).suffix.lower() == ".gz" else open
    with opened(file, "rt", encoding="utf-8-sig") as handle:
        line = handle.readline()
    return [cell.strip().strip('"') for cell in line.split(_separator(file)[0])]


def _spot_names(x: pd.Series, y: pd.Series) -> pd.Index:
    """Names by rounded array position, since one file may say 10 and the other 10.0 or 9.98."""
    rounded = [values.round().astype(int).astype(str).to_numpy(dtype=object) for values in (x, y)]
    return pd.Index(rounded[0] + "x" + rounded[1], name="spot")


def _number(cell: object) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan


def _numbers(section: str, file: str, table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns as finite float64."""
    numbers = table[columns].map(_number)
    # Beyond a billion there is no pixel and no array position.
    odd = np.argwhere(~(numbers.abs() < 1e9).to_numpy())
    if len(odd):
        row, column = odd[0]
        raise InputError(
            f"{table[columns].iat[row, column]} as {columns[column]} in row {table.index[row]}",
            expected="a number",
            action="correct or remove the row",
            section=section,
            file=file,
        )
    return numbers
