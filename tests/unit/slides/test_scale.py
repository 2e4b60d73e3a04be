"""The pyramid level that is read suits the resolution that is wanted."""

import pytest

from ressat.slides.scale import best_level


@pytest.mark.parametrize(
    ("wanted", "level"),
    [(0.5, 0), (1, 0), (3.9, 0), (4, 1), (7, 1), (16, 2), (15.95, 2), (15.9, 1), (1000, 2)],
)
def test_the_level_is_the_coarsest_that_is_fine_enough(wanted, level):
    assert best_level((1.0, 4.0003, 16.002), wanted) == level
