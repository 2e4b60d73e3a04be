import numpy as np
import pandas as pd
import pytest

from ressat.counts.array_lattice import HD_COLUMNS, array_pitch
from ressat.stats.neighbours import spot_pitch


def visium(mpp: float, angle: float = 0.0) -> pd.DataFrame:
    """All spots of an array of 100 um pitch, turned, in whole pixels."""
    row, place = np.indices((78, 64)).reshape(2, -1)
    column = 2 * place + row % 2
    return turned(row, column, column * 50 / mpp, row * 50 * np.sqrt(3) / mpp, angle)


def turned(row: np.ndarray, column: np.ndarray, x: np.ndarray, y: np.ndarray, angle: float) -> pd.DataFrame:
    places = np.stack([np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y], -1)
    table = pd.DataFrame(np.rint(places), columns=["x", "y"])
    return table.assign(array_row=row, array_col=column)


@pytest.mark.parametrize("angle", [0.0, 0.02, np.pi / 2, np.pi])
@pytest.mark.parametrize("mpp", [0.25, 0.7263, 4.0])
def test_the_pitch_of_an_array_is_not_spoilt_by_rounding(mpp, angle):
    assert array_pitch(visium(mpp, angle)) == pytest.approx(100 / mpp, rel=2e-4)


def test_the_pitch_of_an_array_is_not_spoilt_by_missing_positions():
    few = visium(0.5).sample(40, random_state=1)
    assert array_pitch(few) == pytest.approx(200, rel=2e-3)
    assert spot_pitch(few[["x", "y"]].to_numpy()) > 400


def test_the_pitch_of_a_single_row_is_the_distance_to_the_nearest():
    table = visium(0.5)
    assert array_pitch(table[table["array_row"] == 0]) == 200


@pytest.mark.parametrize("angle", [0.0, 0.02, np.pi / 2])
def test_the_pitch_of_square_bins_is_that_of_neighbouring_columns(angle):
    row, column = np.indices((700, 700)).reshape(2, -1)
    bins = turned(row, column, column * 8 / 0.2738, row * 8 / 0.2738, angle)
    assert array_pitch(bins, HD_COLUMNS) == pytest.approx(8 / 0.2738, rel=1e-4)
