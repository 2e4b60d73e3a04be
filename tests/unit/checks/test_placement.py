"""Where spots lie on a slide is told from where they might lie instead."""

import numpy as np
import pytest

from ressat.checks.placement import Placement

DOWNSAMPLE, PITCH, SIZE = 10.0, 200.0, (9000, 7000)  # of the slide and spots in conftest.py


@pytest.fixture
def place(uneven_slide, spots_on_it):
    def place(coords: np.ndarray, pitch: float = PITCH, size: tuple[int, int] = SIZE) -> Placement:
        mask, image = uneven_slide
        return Placement(mask, image, DOWNSAMPLE, size, coords, spots_on_it[1], pitch)

    return place


def test_spots_in_their_places_fit_better_than_anywhere_else(place, spots_on_it):
    placement = place(spots_on_it[0])
    best = placement.alternatives()[0]
    assert placement.fit.share > 0.9
    assert placement.fit.correlation > 0.5
    assert placement.outside == 0
    # What comes close is the same place: a scale of 1.
    assert best.fit.total < placement.fit.total + 0.02


WIDTH, HEIGHT = SIZE
WRONG = {
    "x and y are swapped": lambda x, y: (y, x),
    "the x axis is mirrored": lambda x, y: (WIDTH - x, y),
    "the y axis is mirrored": lambda x, y: (x, HEIGHT - y),
    "the image is turned by 180 degrees": lambda x, y: (WIDTH - x, HEIGHT - y),
    "pixels of the hires image (tissue_hires_scalef 0.2)": lambda x, y: (x * 0.2, y * 0.2),
    "pixels of the lowres image (tissue_lowres_scalef 0.06)": lambda x, y: (x * 0.06, y * 0.06),
    "exported 2.5 times smaller": lambda x, y: (x * 2.5, y * 2.5),
    "cropped, or of another section": lambda x, y: (x + 5 * PITCH, y + 3 * PITCH),
}


@pytest.mark.parametrize(("meaning", "change"), WRONG.items(), ids=WRONG)
def test_what_was_done_to_coordinates_is_recognised(place, spots_on_it, meaning, change):
    x, y = spots_on_it[0].T
    wrong = np.column_stack(change(x, y))
    scale = np.hypot(*np.ptp(wrong, axis=0)) / np.hypot(*np.ptp(spots_on_it[0], axis=0))
    placement = place(wrong, PITCH * scale)
    best = placement.alternatives(hires=0.2, lowres=0.06)[0]
    assert meaning in best.meaning
    assert best.fit.total > placement.fit.total + 0.3
    assert best.fit.share > 0.85


def test_a_turned_image_is_recognised(uneven_slide, spots_on_it):
    mask, image = (np.rot90(one) for one in uneven_slide)
    placement = Placement(mask, image, DOWNSAMPLE, (HEIGHT, WIDTH), spots_on_it[0], spots_on_it[1], PITCH)
    assert placement.alternatives()[0].meaning == "the image is turned by 90 degrees counter-clockwise"


def test_spots_beyond_the_image_are_counted_nan_among_them(place, spots_on_it):
    coords = spots_on_it[0].astype(float)
    coords[0], coords[1] = (-1, 50), (np.nan, 50)
    assert place(coords).outside == 2


def test_equal_counts_leave_it_to_the_tissue(uneven_slide, spots_on_it):
    mask, image = uneven_slide
    placement = Placement(mask, image, DOWNSAMPLE, SIZE, spots_on_it[0], np.ones(len(spots_on_it[0])), PITCH)
    assert placement.fit.correlation == 0
    assert placement.fit.share > 0.9
