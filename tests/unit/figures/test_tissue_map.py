import numpy as np
import pytest

from ressat.figures.tissue_map import bar_length, faded_tissue


@pytest.mark.parametrize(("width", "length"), [(3200, 1000), (1000, 200), (7000, 2000), (160, 50), (30, 10)])
def test_a_scale_bar_is_of_round_length_and_fits(width, length):
    assert bar_length(width) == pytest.approx(length)


def test_tissue_is_cut_to_the_spots_and_no_further():
    image = np.full((900, 700, 3), 230, np.uint8)
    centres = np.array([[200.0, 300.0], [400.0, 500.0]])
    grey, low = faded_tissue(image, centres, 20.0)
    assert (low <= [190, 290]).all()
    assert (low >= [150, 250]).all()
    height, width = grey.shape
    assert low[0] + width >= 410
    assert low[1] + height >= 510
    assert max(height, width) < 320


def test_tissue_at_the_edge_and_a_single_spot_can_be_cut():
    grey, low = faded_tissue(np.full((50, 60, 3), 230, np.uint8), np.array([[1.0, 49.0]]), 8.0)
    assert low.tolist() == [0, 37]
    assert grey.shape == (13, 13)


def test_glass_becomes_white_and_tissue_stays_darker():
    image = np.full((100, 100, 3), 220, np.uint8)
    image[40:60, 40:60] = (150, 80, 160)
    grey, low = faded_tissue(image, np.array([[20.0, 20.0], [80.0, 80.0]]), 10.0)
    assert grey[0, 0] == 255
    assert 180 < grey[50 - low[1], 50 - low[0]] < 220
