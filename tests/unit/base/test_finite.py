import numpy as np
import pytest

from ressat.base.finite import is_finite, not_finite

ODD = [np.nan, np.inf, -np.inf]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("odd", ODD)
def test_one_odd_number_among_many_is_found_and_placed(dtype, odd):
    values = np.random.default_rng(0).normal(size=(3000, 7)).astype(dtype)
    assert is_finite(values)
    assert not_finite(values) is None
    values[2500, 3] = odd
    assert not is_finite(values)
    spots, genes = [f"spot {i}" for i in range(3000)], [f"gene {i}" for i in range(7)]
    found = f"1 of 21000 numbers are not finite (the first is {odd:g}, at spot 2500, gene 3)"
    assert not_finite(values, spots, genes) == found


def test_opposite_infinities_do_not_cancel():
    assert not is_finite(np.array([np.inf, -np.inf, 1.0]))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_largest_numbers_are_finite_although_their_sum_is_not(dtype):
    assert is_finite(np.full(1000, np.finfo(dtype).max, dtype))


@pytest.mark.parametrize("values", [np.empty((0, 3)), np.arange(5), np.array([True]), np.float64(1.5)])
def test_whole_numbers_and_nothing_at_all_are_finite(values):
    assert is_finite(np.asarray(values))


def test_places_without_names_are_counted_from_one():
    values = np.zeros((2, 3))
    values[1, 2] = values[0, 1] = np.nan
    assert not_finite(values) == "2 of 6 numbers are not finite (the first is nan, at row 1, column 2)"
    assert not_finite(values[0]) == "1 of 3 numbers are not finite (the first is nan, at row 2)"
