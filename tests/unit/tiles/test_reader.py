"""Tiles hold the pixels around their centres, without aliasing."""

import numpy as np
import pytest

from ressat.slides.slide import Slide
from ressat.tiles.reader import read_tile
from ressat.tiles.tiling import TileGeometry, crossing_edge

WIDTH, HEIGHT = 900, 700
RGB = np.random.default_rng(0).integers(0, 200, (HEIGHT, WIDTH, 3), dtype=np.uint8)
EXACT = TileGeometry(112, 224, 0, 224, 1.0)


@pytest.fixture
def slide(write_slide):
    with Slide(write_slide(RGB, downsamples=(2,))) as opened:
        yield opened


def test_a_tile_has_the_very_pixels_where_none_need_resampling(slide, block_means):
    assert np.array_equal(read_tile(slide, np.array([400, 300]), EXACT), RGB[188:412, 288:512])
    level_1 = TileGeometry(112, 100, 1, 100, 2.0)
    expected = block_means(RGB, 2).round()[100:200, 150:250]
    assert np.array_equal(read_tile(slide, np.array([400, 300]), level_1), expected)


@pytest.mark.parametrize("read_px", [448, 500, 640])
def test_detail_too_fine_for_a_tile_becomes_grey(write_slide, read_px):
    """Taking every k-th pixel would give black, white, or a pattern that is not there."""
    board = np.indices((HEIGHT, WIDTH)).sum(axis=0) % 2 * 255
    path = write_slide(np.repeat(board[..., None], 3, axis=2).astype(np.uint8))
    with Slide(path) as slide:
        tile = read_tile(slide, np.array([450, 350]), TileGeometry(112, 224, 0, read_px, 1.0))
    assert tile.shape == (224, 224, 3)
    assert np.abs(tile - 127.5).max() < 12


def test_an_edge_between_two_areas_stays_where_it_is(write_slide):
    rgb = np.full((HEIGHT, WIDTH, 3), 230, np.uint8)
    rgb[:, :450] = 30
    with Slide(write_slide(rgb)) as slide:
        tile = read_tile(slide, np.array([450, 350]), TileGeometry(112, 224, 0, 448, 1.0)).astype(int)
    assert (np.abs(tile[:, :108] - 30) <= 1).all()
    assert (np.abs(tile[:, 116:] - 230) <= 1).all()
    assert tile.mean() == pytest.approx(130, abs=1)


@pytest.mark.parametrize("edge", [100, 101])
def test_tiles_counted_as_padded_are_those_with_background(write_slide, edge):
    geometry = TileGeometry(50, edge, 0, edge, 1.0)
    offsets = np.arange(-2, 3)
    low, high = edge // 2 + offsets, np.array([[WIDTH], [HEIGHT]]) - edge // 2 + offsets
    x, y = np.meshgrid(np.append(low, high[0]), np.append(low, high[1]))
    coords = np.column_stack([x.ravel(), y.ravel()])
    with Slide(write_slide(np.zeros_like(RGB))) as slide:
        padded = [(read_tile(slide, centre, geometry) == 255).any() for centre in coords]
    assert np.array_equal(crossing_edge(coords, geometry.edge, (WIDTH, HEIGHT)), padded)
    assert 0 < sum(padded) < len(padded)
