"""Reading the pixels of a tile."""

import numpy as np
from PIL import Image

from ressat.slides.slide import Slide
from ressat.tiles.tiling import TileGeometry, top_left


def read_tile(slide: Slide, centre: np.ndarray, geometry: TileGeometry) -> np.ndarray:
    """Read one tile and resample it to the network's size, anti-aliased.

    Parameters
    ----------
    slide
        The opened slide.
    centre
        Level-0 x and y of the tile's centre, shape (2,).
    geometry
        How tiles of this slide are read.

    Returns
    -------
    numpy.ndarray
        uint8, shape (tile_px, tile_px, 3).
    """
    x, y = top_left(centre, geometry.edge).tolist()
    tile = slide.read(x, y, geometry.level, geometry.read_px, geometry.read_px)
    if geometry.read_px != geometry.tile_px:
        # Pillow widens the filter's support when it shrinks, which is what prevents aliasing.
        tile = tile.resize((geometry.tile_px, geometry.tile_px), Image.Resampling.BICUBIC)
    return np.asarray(tile)
