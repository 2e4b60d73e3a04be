"""Drawing from all over a section: pixels to fit its stains on, and tiles to look at."""

import numpy as np

from ressat.slides.slide import Slide
from ressat.tiles.reader import read_tile
from ressat.tiles.tiling import TileGeometry

# Tiles from which the pixels are drawn, and the tissue a tile must have to be among them.
SAMPLED_TILES = 200
MIN_TILE_TISSUE = 0.5


def sample_pixels(
    slide: Slide,
    coords: np.ndarray,
    tissue: np.ndarray,
    geometry: TileGeometry,
    max_pixels: int,
    seed: int,
) -> np.ndarray:
    """Draw pixels from tissue tiles all over a section.

    Parameters
    ----------
    slide
        The opened slide.
    coords, tissue
        Centres (n, 2) and tissue share (n,) of the section's tiles.
    geometry
        How tiles are read.
    max_pixels
        Upper bound on the pixels returned.
    seed
        Of the draw.

    Returns
    -------
    numpy.ndarray
        uint8, shape (m, 3), m at most ``max_pixels``; empty where no tile has enough tissue.
    """
    rng = np.random.default_rng(seed)
    eligible = np.flatnonzero(tissue >= MIN_TILE_TISSUE)
    if eligible.size == 0:
        return np.empty((0, 3), dtype=np.uint8)
    tiles = _spread(eligible, coords, SAMPLED_TILES)
    share = max_pixels // len(tiles)
    samples = []
    for tile in tiles:
        pixels = read_tile(slide, coords[tile], geometry).reshape(-1, 3)
        samples.append(pixels[rng.permutation(len(pixels))[:share]])
    return np.concatenate(samples)


def preview_tiles(
    slide: Slide, coords: np.ndarray, tissue: np.ndarray, geometry: TileGeometry, count: int
) -> list[np.ndarray]:
    """Read some tiles from all over the section, those with most tissue where there is little."""
    enough = np.argsort(-tissue, kind="stable")[: max(count, int((tissue >= MIN_TILE_TISSUE).sum()))]
    return [read_tile(slide, coords[tile], geometry) for tile in _spread(enough, coords, count)]


def _spread(tiles: np.ndarray, coords: np.ndarray, count: int) -> np.ndarray:
    """Every k-th tile in reading order: spread over the whole section, which a random draw is not."""
    order = tiles[np.lexsort(coords[tiles].T)]
    return order[np.unique(np.linspace(0, len(order) - 1, count).round().astype(int))]
