"""The lattice that the spots of an array lie on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ressat.base.errors import InputError
from ressat.stats.neighbours import spot_pitch

# In a row of a Visium array, every other column holds a spot; bins of Visium HD fill all of them.
VISIUM_COLUMNS, HD_COLUMNS = 2, 1
# More positions than this do not improve a fit to whole pixels.
MOST_FITTED = 200_000
# A spot farther than this from where the array says it is, in pitches, is at another spot's place: rounding
# and the distortion of real images stay far below. A small share of such spots may be mistakes of their own.
OFF, MOST_OFF = 0.25, 0.05
# Space Ranger places the bins of Visium HD by a perspective map, which a fit of straight steps misses by more
# than a small bin. So a spot is off only if it is by this share of the array's extent too.
OFF_EXTENT = 0.002
# Rows and columns of a real image are at right angles and of the array's proportions within this.
SKEW, UNEVEN = 0.1, 0.1
ARRAY, COORDS = ["array_row", "array_col"], ["x", "y"]


@dataclass(frozen=True)
class _Lattice:
    """A fit of places to array positions: steps from row to row and from column to column, pixels."""

    row: np.ndarray
    column: np.ndarray
    # Distances of the spots from the fit, pixels.
    residuals: np.ndarray
    # Distance of neighbouring spots if places and array positions are matched in any order, pixels.
    pitch: float
    # Diagonal of the box around all places, pixels.
    extent: float

    @property
    def is_off(self) -> np.ndarray:
        """Which spots lie at another spot's place, boolean."""
        return self.residuals > max(OFF * self.pitch, OFF_EXTENT * self.extent)


def array_pitch(places: pd.DataFrame, columns: int = VISIUM_COLUMNS) -> float:
    """Return the distance between neighbouring spots of an array in level-0 pixels.

    Fitted to all positions, so that neither their rounding to whole pixels nor missing ones matter.

    Parameters
    ----------
    places
        array_row, array_col, x and y of each spot, and in_tissue if known.
    columns
        Array columns from a spot to the next in its row: `VISIUM_COLUMNS` or `HD_COLUMNS`.

    Raises
    ------
    InputError
        If the places do not follow the array positions, or these are not counted as the platform counts them.
    """
    places = places.iloc[:: len(places) // MOST_FITTED + 1]
    lattice = _fit(places, columns)
    if lattice is None:
        return spot_pitch(places[COORDS].to_numpy(dtype=float))
    if lattice.is_off.mean() > MOST_OFF and "in_tissue" in places:
        # Tools write any number for spots outside tissue, which are left out.
        lattice = _fit(places[places["in_tissue"] == 1], columns) or lattice
    # Spots that all lie at one place are refused by their distance.
    if lattice.pitch > 0:
        _refuse_other_order(lattice)
        _refuse_other_columns(lattice, columns)
    return float(columns * np.hypot(*lattice.column))


def _fit(places: pd.DataFrame, columns: int) -> _Lattice | None:
    """Fit a lattice; None where the positions do not span one, as those of a single row."""
    array = np.column_stack([np.ones(len(places)), places[ARRAY]])
    coords = places[COORDS].to_numpy(dtype=float)
    steps, _, rank, _ = np.linalg.lstsq(array, coords, rcond=None)
    if rank < array.shape[1]:
        return None
    residuals = np.hypot(*(coords - array @ steps).T)
    # The ratio of the areas that places and array positions cover is the same in any order of either.
    area = np.sqrt(max(0, np.linalg.det(np.cov(coords.T))) / np.linalg.det(np.cov(array[:, 1:].T)))
    # A cell of the array, a row high and a column wide, is sqrt(3)/2 x 1/2 pitches in Visium.
    cell = np.sqrt(3) / 4 if columns == VISIUM_COLUMNS else 1.0
    extent = float(np.hypot(*np.ptp(coords, axis=0)))
    return _Lattice(steps[1], steps[2], residuals, float(np.sqrt(area / cell)), extent)


def _refuse_other_order(lattice: _Lattice) -> None:
    off = lattice.is_off
    if off.mean() > MOST_OFF:
        typical = np.median(lattice.residuals)
        raise InputError(
            f"{off.sum()} of {len(off)} spots are not where array_row and array_col put them (half of all "
            f"are {typical:.0f} px off or more, and neighbours are {lattice.pitch:.0f} px apart)",
            expected="x and y that follow the array positions",
            action="check that both are of the same spots in the same order: places may have been assigned "
            "in another order or one row off, or shapes matched by numbers that begin with 0 in one and 1 in "
            "the other",
        )


def _refuse_other_columns(lattice: _Lattice, columns: int) -> None:
    row, column = np.hypot(*lattice.row), np.hypot(*lattice.column)
    proper = np.sqrt(3) if columns == VISIUM_COLUMNS else 1.0
    expected = (
        f"array_row and array_col as Space Ranger writes them, where a row is {proper:.2f} columns wide"
    )
    if abs(row / column / proper - 1) > UNEVEN:
        causes = {
            1 / proper: ("array_row and array_col are in each other's place", "exchange them"),
            proper / columns: (
                "array_col is counted without gaps",
                "in a row of Visium, spots are in every other column: 0, 2, 4 or 1, 3, 5",
            ),
        }
        for ratio, (cause, action) in causes.items():
            if abs(row / column / ratio - 1) <= UNEVEN:
                raise InputError(cause, expected=expected, action=action)
        raise InputError(
            f"from row to row of the array there are {row:.3g} px, from column to column {column:.3g} px",
            expected=expected,
            action="correct array_row and array_col, or x and y if the image was stretched",
        )
    if abs(lattice.row @ lattice.column) > SKEW * row * column:
        raise InputError(
            "rows and columns of the array are not at right angles",
            expected="x and y in pixels of the slide",
            action="correct x and y, or array_row and array_col",
        )
