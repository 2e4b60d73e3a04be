"""The picture shows where tiles are, and which of them are padded."""

import numpy as np

from ressat.tiles.overlay import EDGE_COLOUR, TILE_COLOUR, tile_overlay


def test_the_overlay_frames_tiles_and_fades_what_is_not_tissue():
    lowres = np.full((60, 80, 3), (120, 60, 150), np.uint8)
    mask = np.zeros((60, 80), bool)
    mask[:, 40:] = True
    coords = np.array([[600, 300], [50, 300]])  # level-0 pixels, ten to one of the picture
    picture = np.asarray(tile_overlay(lowres, 10.0, coords, 200.0, mask, np.array([False, True])))
    assert picture.shape == lowres.shape
    assert picture[30, 75].tolist() == [120, 60, 150]
    assert (picture[5, 5] > 180).all(), "glass is fainter"

    def place(colour):
        return np.argwhere((picture == colour).all(axis=-1))

    inside, crossing = place(TILE_COLOUR), place(EDGE_COLOUR)
    assert inside.min(axis=0).tolist() == [20, 50]
    assert inside.max(axis=0).tolist() == [40, 70]
    assert [30, 60] not in inside.tolist(), "a frame, not an area"
    assert crossing.min(axis=0).tolist() == [20, 0]
    assert crossing.max(axis=0).tolist() == [40, 15]


def test_the_overlay_of_no_tiles_is_the_slide():
    lowres = np.full((6, 8, 3), 120, np.uint8)
    none = np.empty((0, 2), int), 20.0, np.ones((6, 8), bool), np.empty(0, bool)
    assert np.array_equal(tile_overlay(lowres, 10.0, *none), lowres)
