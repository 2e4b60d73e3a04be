"""Where the spots of a Space Ranger run lie, and at which scale: its positions and scale factors."""

import json
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ressat.base.errors import InputError, about_its_file
from ressat.base.machine import refuse_trouble
from ressat.counts.compression import read_bytes
from ressat.counts.parquet_file import read_flat_columns
from ressat.counts.text_cells import finite, read_cells, refuse_repeated, whole

POSITION_COLUMNS = [
    "barcode",
    "in_tissue",
    "array_row",
    "array_col",
    "pxl_row_in_fullres",
    "pxl_col_in_fullres",
]


@dataclass(frozen=True)
class ScaleFactors:
    """What Space Ranger says about its scales.

    Attributes
    ----------
    spot_px
        Diameter of a spot, or edge of a bin, level-0 pixels.
    hires_scale, lowres_scale
        Pixels of its hires and lowres images per level-0 pixel; None where it does not say.
    bin_um, mpp
        Edge of a bin, um, and um per pixel, of Visium HD; else None.
    """

    spot_px: float
    hires_scale: float | None = None
    lowres_scale: float | None = None
    bin_um: float | None = None
    mpp: float | None = None


@about_its_file
def read_positions(file: str) -> pd.DataFrame:
    """Read Space Ranger's spot positions: a table with or, in old versions, without a header, or parquet.

    Parameters
    ----------
    file
        The table.

    Returns
    -------
    pandas.DataFrame
        Indexed by barcode, each once: in_tissue (0 or 1), array_row, array_col (int), x and y (level-0
        pixels, float).

    Raises
    ------
    InputError
        If it is not such a table, a position is not a number, or a barcode occurs twice.
    """
    table = _read_parquet(file) if file.endswith(".parquet") else _read_text(file)
    cells = [str(name) for name in table.columns]
    wrong = any(number != 1 for number in _times(cells).values())
    if table.empty or wrong:
        raise InputError(
            f"{len(cells)} columns, {', '.join(cells[:8])}"
            if wrong
            else f"only a header, {', '.join(cells)}",
            expected=f"{len(POSITION_COLUMNS)} columns: {', '.join(POSITION_COLUMNS)}",
            action="copy it again from Space Ranger's outs",
        )
    table.index = table["barcode"].astype(str)
    refuse_repeated(table.index)
    numbers = finite(table, POSITION_COLUMNS[1:])
    places = whole(numbers, POSITION_COLUMNS[1:4])
    odd = places.index[~places["in_tissue"].isin([0, 1])]
    if len(odd):
        raise InputError(
            f"{places.loc[odd[0], 'in_tissue']} as in_tissue in row {odd[0]}",
            expected="0 or 1",
            action="copy it again from Space Ranger's outs",
        )
    # A row of pixels is a place along y.
    return places.assign(x=numbers["pxl_col_in_fullres"], y=numbers["pxl_row_in_fullres"])


def _times(cells: list[str]) -> dict[str, int]:
    times = Counter(cells)
    return {name: times[name] for name in POSITION_COLUMNS}


def _read_text(file: str) -> pd.DataFrame:
    cells = read_cells(file)
    first = cells.iloc[0].str.lower()
    if first.isin(POSITION_COLUMNS).any():
        return cells.iloc[1:].set_axis(first.to_list(), axis=1)
    if cells.shape[1] == len(POSITION_COLUMNS):
        return cells.set_axis(POSITION_COLUMNS, axis=1)
    return cells.set_axis(first.to_list(), axis=1)


def _read_parquet(file: str) -> pd.DataFrame:
    try:
        return read_flat_columns(file, POSITION_COLUMNS)
    except InputError:
        raise
    except Exception as error:  # pyarrow raises many kinds of errors for a broken file
        refuse_trouble(error)
        raise InputError(
            f"it cannot be read as parquet ({error})",
            expected="tissue_positions.parquet as Space Ranger writes it",
            action="copy it again from Space Ranger's outs",
        ) from error


@about_its_file
def read_scale_factors(file: str) -> ScaleFactors:
    """Read Space Ranger's ``scalefactors_json.json``.

    Raises
    ------
    InputError
        If the file is not JSON with a positive ``spot_diameter_fullres``, or another factor is not a positive
        number.
    """
    content = read_bytes(file)
    try:
        factors = dict(json.loads(content.decode()))
        return ScaleFactors(
            _factor(factors, "spot_diameter_fullres"),
            _factor(factors, "tissue_hires_scalef") if "tissue_hires_scalef" in factors else None,
            _factor(factors, "tissue_lowres_scalef") if "tissue_lowres_scalef" in factors else None,
            _factor(factors, "bin_size_um") if "bin_size_um" in factors else None,
            _factor(factors, "microns_per_pixel") if "microns_per_pixel" in factors else None,
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(
            f"it cannot be read as scale factors ({type(error).__name__}: {error})",
            expected="JSON with a positive spot_diameter_fullres, as Space Ranger writes it",
            action="copy it again from Space Ranger's outs",
        ) from error


def _factor(factors: dict, name: str) -> float:
    value = float(factors[name])
    if not 0 < value < np.inf:
        raise ValueError(f"{name} is {value:g}")
    return value
