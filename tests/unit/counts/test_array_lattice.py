import numpy as np
import pandas as pd
import pytest

from ressat.base.errors import InputError
from ressat.counts.array_lattice import HD_COLUMNS, VISIUM_COLUMNS, array_pitch
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


def bins(angle: float = 0.0) -> pd.DataFrame:
    """60 x 50 bins of Visium HD, 29.2 px wide."""
    row, column = np.indices((60, 50)).reshape(2, -1)
    return turned(row, column, column * 29.2, row * 29.2, angle)


def refusal(places: pd.DataFrame, columns: int = VISIUM_COLUMNS) -> InputError:
    with pytest.raises(InputError) as caught:
        array_pitch(places, columns)
    assert caught.value.expected
    assert caught.value.action
    return caught.value


def permuted(places: pd.DataFrame) -> np.ndarray:
    return np.random.default_rng(0).permutation(len(places))


def next_one(places: pd.DataFrame) -> np.ndarray:
    return np.roll(np.arange(len(places)), 1)


def by_columns(places: pd.DataFrame) -> np.ndarray:
    return np.lexsort((places["array_row"], places["array_col"]))


@pytest.mark.parametrize("order", [permuted, next_one, by_columns])
@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi])
def test_places_in_another_order_than_the_array_are_refused(order, angle):
    for table, columns in ((visium(0.5, angle), VISIUM_COLUMNS), (bins(angle), HD_COLUMNS)):
        table[["x", "y"]] = table[["x", "y"]].to_numpy()[order(table)]
        error = refusal(table, columns)
        assert "spots are not where array_row and array_col put them" in str(error)
        neighbours = 200 if columns == VISIUM_COLUMNS else 29
        assert f"neighbours are {neighbours} px apart" in str(error)
        assert "in another order or one row off" in error.action


@pytest.mark.parametrize("mpp", [0.5, 3.0])
@pytest.mark.parametrize("angle", [0.0, np.pi / 2, 0.1])
def test_exchanged_and_gapless_array_positions_are_named(mpp, angle):
    table = visium(mpp, angle)
    swapped = table.rename(columns={"array_row": "array_col", "array_col": "array_row"})
    assert str(refusal(swapped)).startswith("array_row and array_col are in each other's place")
    gapless = table.assign(array_col=table["array_col"] // 2)
    assert str(refusal(gapless)).startswith("array_col is counted without gaps")


@pytest.mark.parametrize(("x", "y"), [(1.3, 1), (1, 0.7)])
def test_a_stretched_image_is_refused(x, y):
    table = visium(0.5)
    assert "from row to row of the array there are" in str(
        refusal(table.assign(x=table["x"] * x, y=table["y"] * y))
    )


@pytest.mark.parametrize("skew", [0.3, -0.35])
def test_rows_and_columns_that_are_not_at_right_angles_are_refused(skew):
    table = bins()
    sheared = table.assign(x=table["x"] + skew * table["y"])
    assert "not at right angles" in str(refusal(sheared, HD_COLUMNS))


@pytest.mark.parametrize("kind", ["some wrong", "distorted", "few"])
def test_what_real_arrays_show_is_no_fault(kind):
    table = visium(0.5)
    rng = np.random.default_rng(0)
    if kind == "some wrong":
        table.loc[rng.choice(len(table), 20, replace=False), ["x", "y"]] += 400
    elif kind == "distorted":
        # Stitching and registration bend an image by some pixels in thousands.
        table["x"] += 15 * np.sin(table["y"] / 3000) + rng.normal(0, 4, len(table))
    else:
        table = table.sample(25, random_state=3)
    assert array_pitch(table) == pytest.approx(200, rel=5e-3)


def test_a_map_in_perspective_is_no_fault():
    row, column = np.indices((400, 400)).reshape(2, -1)
    x, y = column * 7.3, row * 7.3
    depth = 1 + 2e-6 * x + 3e-6 * y
    table = pd.DataFrame({"array_row": row, "array_col": column, "x": x / depth, "y": y / depth})
    assert array_pitch(table, HD_COLUMNS) == pytest.approx(7.3, rel=0.03)
    table[["x", "y"]] = np.roll(table[["x", "y"]].to_numpy(), 1, axis=0)
    assert "not where array_row and array_col" in str(refusal(table, HD_COLUMNS))


@pytest.mark.parametrize("dummy", [-5000.0, 0.0])
def test_places_of_spots_outside_tissue_may_be_anything(dummy):
    table = visium(0.5).assign(in_tissue=1)
    table.loc[table.index % 7 == 0, ["in_tissue", "y"]] = 0, dummy
    assert array_pitch(table) == pytest.approx(200, rel=1e-3)
    table[["x", "y"]] = table[["x", "y"]].to_numpy()[permuted(table)]
    assert "not where array_row and array_col" in str(refusal(table))


def test_spots_at_one_place_have_no_distance():
    assert array_pitch(visium(0.5).assign(x=5.0, y=9.0)) == pytest.approx(0, abs=1e-6)
