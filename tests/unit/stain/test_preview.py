"""The picture shows tiles before and after normalisation."""

import numpy as np
import pytest

from ressat.stain.preview import PREVIEW_GAP, stain_preview


@pytest.mark.parametrize("count", [1, 6])
def test_the_preview_has_each_tile_above_its_normalised_self(count):
    before = [np.full((20, 20, 3), 10 * i, np.uint8) for i in range(count)]
    after = [np.full((20, 20, 3), 100 + 10 * i, np.uint8) for i in range(count)]
    picture = np.asarray(stain_preview(before, after))
    step = 20 + PREVIEW_GAP
    assert picture.shape == (2 * step - PREVIEW_GAP, count * step - PREVIEW_GAP, 3)
    for column in range(count):
        for row, tiles in enumerate((before, after)):
            at = picture[row * step : row * step + 20, column * step : column * step + 20]
            assert np.array_equal(at, tiles[column])
    assert (picture[20:step] == 255).all()
