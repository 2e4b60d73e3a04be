"""Means over boxes are those of the pixels in them."""

import numpy as np
import pytest

from ressat.tiles.boxes import BoxMeans

IMAGE = np.random.default_rng(0).random((20, 30))


@pytest.mark.parametrize("edge", [1, 4, 7])
def test_a_box_within_the_image(edge):
    first = round(10 - edge / 2), round(12 - edge / 2)
    expected = IMAGE[first[1] : first[1] + edge, first[0] : first[0] + edge].mean()
    assert BoxMeans(IMAGE).at(np.array([10]), np.array([12]), edge) == pytest.approx(expected)


def test_what_lies_outside_counts_as_nothing():
    means = BoxMeans(np.ones((10, 10), dtype=bool)).at(np.array([0, 5, 50]), np.array([5, 5, 50]), 4)
    assert means.tolist() == [0.5, 1.0, 0.0]


def test_the_sum_of_the_image():
    assert BoxMeans(IMAGE).total == pytest.approx(IMAGE.sum())
