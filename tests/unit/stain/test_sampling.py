"""Stains are fitted on pixels from all over a section."""

import numpy as np
import pytest

from ressat.slides.slide import Slide
from ressat.stain.sampling import MIN_TILE_TISSUE, preview_tiles, sample_pixels
from ressat.stain.section_stain import fit_section
from ressat.tiles.tiling import TileGeometry

# A slide of 12 x 10 tiles, each of one colour that tells its place, with some noise in blue.
EDGE, COLUMNS, ROWS = 40, 12, 10
GEOMETRY = TileGeometry(20, EDGE, 0, EDGE, 1.0)
CENTRES = np.array([(x * EDGE + 20, y * EDGE + 20) for y in range(ROWS) for x in range(COLUMNS)])


@pytest.fixture
def slide(write_slide):
    y, x = np.mgrid[0 : ROWS * EDGE, 0 : COLUMNS * EDGE] // EDGE
    noise = np.random.default_rng(0).integers(0, 256, x.shape)
    with Slide(write_slide(np.stack([x * 10, y * 10, noise], -1).astype(np.uint8))) as opened:
        yield opened


def places(rgb):
    return {(red // 10, green // 10) for red, green, _ in rgb.tolist()}


def test_pixels_come_from_all_over_the_tissue_and_from_nowhere_else(slide):
    tissue = np.where(CENTRES[:, 0] < 5 * EDGE, MIN_TILE_TISSUE - 0.01, MIN_TILE_TISSUE)
    rgb = sample_pixels(slide, CENTRES, tissue, GEOMETRY, 10_000, seed=1)
    assert rgb.dtype == np.uint8
    assert 9_000 < len(rgb) <= 10_000
    assert places(rgb) == {(x, y) for x in range(5, COLUMNS) for y in range(ROWS)}
    assert len(np.unique(rgb[:, 2])) == 256, "and from all over each tile"


def test_a_few_tiles_are_chosen_evenly_from_many(slide, monkeypatch):
    monkeypatch.setattr("ressat.stain.sampling.SAMPLED_TILES", 30)
    order = np.random.default_rng(0).permutation(len(CENTRES))
    found = places(sample_pixels(slide, CENTRES[order], np.ones(len(CENTRES)), GEOMETRY, 10_000, seed=1))
    assert len(found) == 30
    assert {y for _, y in found} == set(range(ROWS))
    assert len({x for x, _ in found}) >= COLUMNS // 2


@pytest.mark.parametrize("max_pixels", [1_000, 50_000, 10**7])
def test_the_draw_is_bounded_and_repeatable(slide, max_pixels):
    tissue = np.ones(len(CENTRES))
    first, again, other = (
        sample_pixels(slide, CENTRES, tissue, GEOMETRY, max_pixels, seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert 0 < len(first) <= min(max_pixels, len(CENTRES) * EDGE**2)
    assert not np.array_equal(first, other)


def test_without_tissue_there_are_no_pixels(slide):
    rgb = sample_pixels(slide, CENTRES, np.zeros(len(CENTRES)), GEOMETRY, 10_000, seed=1)
    assert (rgb.shape, rgb.dtype) == ((0, 3), np.uint8)
    assert "only 0 tissue pixels" in fit_section("C2", "macenko", rgb, None).fallback


@pytest.mark.parametrize(("tissue_tiles", "expected"), [(120, 6), (6, 6), (2, 6), (0, 6)])
def test_the_preview_shows_tissue_or_what_comes_next_to_it(slide, tissue_tiles, expected):
    tissue = np.full(len(CENTRES), 0.1)
    tissue[:tissue_tiles] = 0.9
    tiles = preview_tiles(slide, CENTRES, tissue, GEOMETRY, 6)
    assert len(tiles) == expected
    assert all(tile.shape == (EDGE, EDGE, 3) for tile in tiles)
    shown = [next(iter(places(tile.reshape(-1, 3)))) for tile in tiles]
    on_tissue = {(i % COLUMNS, i // COLUMNS) for i in range(tissue_tiles)}
    assert len(set(shown) & on_tissue) == min(6, tissue_tiles)


def test_the_preview_of_fewer_tiles_shows_each_once(slide):
    assert len(preview_tiles(slide, CENTRES[:3], np.ones(3), GEOMETRY, 6)) == 3
