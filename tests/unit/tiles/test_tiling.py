"""Tiles have one physical size, and the grid of a section without spots is that of Visium."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from ressat.tiles.tiling import crossing_edge, hexagonal_grid, tile_geometry, top_left

PYRAMID = (1.0, 4.0, 16.0)


@pytest.mark.parametrize(
    ("mpp", "level", "read_px"),
    [
        (0.5, 0, 224),
        (0.25, 0, 448),
        (0.125, 1, 224),
        (0.12, 1, 233),
        (1.0, 0, 112),
        (0.735, 0, 152),
    ],
)
def test_the_coarsest_level_with_enough_pixels_is_read(mpp, level, read_px):
    geometry = tile_geometry(PYRAMID, mpp, 112, 224)
    assert (geometry.level, geometry.read_px, geometry.downsample) == (level, read_px, PYRAMID[level])
    assert geometry.edge == read_px * PYRAMID[level]
    assert geometry.edge * mpp == pytest.approx(112, rel=0.5 / read_px)


@pytest.mark.parametrize("pitch", [200.0, 47.3])
def test_a_grid_point_has_six_neighbours_at_the_pitch(pitch):
    size = 2000, 1500
    centres, _ = hexagonal_grid(size, pitch)
    distances, neighbours = cKDTree(centres).query(centres, k=8)
    inner = ((centres > 1.2 * pitch) & (centres < np.array(size) - 1.2 * pitch)).all(axis=1)
    assert inner.sum() > 10
    assert np.abs(distances[inner, 1:7] - pitch).max() < 1.5, "rounded to whole pixels"
    assert (distances[inner, 7] > 1.6 * pitch).all()
    around = np.sort(np.arctan2(*(centres[neighbours[inner, 1:7]] - centres[inner, None]).T).T)
    assert np.abs(np.diff(around, axis=1) - np.pi / 3).max() < 2 / pitch * 1.5


@pytest.mark.parametrize("size", [(1000, 700), (316, 316), (333, 1), (16, 16), (5, 5), (4, 4)])
@pytest.mark.parametrize("pitch", [100.0, 31.4, 10.4])
def test_a_grid_covers_the_image_and_stays_inside(size, pitch):
    centres, ids = hexagonal_grid(size, pitch)
    assert centres.dtype == np.int32
    assert len(set(ids)) == len(ids) == len(centres)
    assert (centres >= 0).all()
    assert (centres < size).all()
    y, x = np.mgrid[0 : size[1] : 3, 0 : size[0] : 3]
    if len(centres):
        gaps, _ = cKDTree(centres).query(np.column_stack([x.ravel(), y.ravel()]))
        assert gaps.max() < 1.2 * pitch
    else:
        assert min(size) < pitch / 2 + 0.5


def test_grid_ids_tell_row_and_column():
    centres, ids = hexagonal_grid((300, 300), 100)
    at = dict(zip(ids.tolist(), centres.tolist(), strict=True))
    assert at["r0000c0000"] == [50, 50]
    assert at["r0001c0001"] == [200, 137]


@pytest.mark.parametrize("edge", [224, 223, 100.4])
def test_tiles_that_are_padded_are_those_that_reach_beyond_the_image(edge):
    size = 500, 400
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(-5, 505), np.arange(-5, 405)))
    centres = np.column_stack([x, y])
    start = top_left(centres, edge)
    assert (np.abs(start + edge / 2 - centres) <= 0.5).all()
    outside = (start < 0).any(axis=1) | (start[:, 0] + edge > 500) | (start[:, 1] + edge > 400)
    crossing = crossing_edge(centres, edge, size)
    assert np.array_equal(crossing, outside)
    assert 0 < crossing.sum() < len(crossing)


def test_a_tile_that_ends_with_the_image_is_not_padded():
    coords = np.array([[112, 112], [111, 112], [388, 288], [389, 288], [250, 289]])
    assert crossing_edge(coords, 224, (500, 400)).tolist() == [False, True, False, True, True]
