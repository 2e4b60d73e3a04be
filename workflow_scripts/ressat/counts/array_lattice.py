"""The lattice that the spots of an array lie on."""

import numpy as np
import pandas as pd

from ressat.stats.neighbours import spot_pitch

# In a row of a Visium array, every other column holds a spot; bins of Visium HD fill all of them.
VISIUM_COLUMNS, HD_COLUMNS = 2, 1
# More positions than this do not improve a fit to whole pixels.
MOST_FITTED = 200_000


def array_pitch(places: pd.DataFrame, columns: int = VISIUM_COLUMNS) -> float:
    """Return the distance between neighbouring spots of an array in level-0 pixels.

    Fitted to all positions, so that neither their rounding to whole pixels nor missing ones matter.

    Parameters
    ----------
    places
        array_row, array_col, x and y of each spot.
    columns
        Array columns from a spot to the next in its row: `VISIUM_COLUMNS` or `HD_COLUMNS`.
    """
    places = places.iloc[:: len(places) // MOST_FITTED + 1]
    array = np.column_stack([np.ones(len(places)), places[["array_row", "array_col"]]])
    coords = places[["x", "y"]].to_numpy(dtype=float)
    steps, _, rank, _ = np.linalg.lstsq(array, coords, rcond=None)
    return float(columns * np.hypot(*steps[2])) if rank == array.shape[1] else spot_pitch(coords)
