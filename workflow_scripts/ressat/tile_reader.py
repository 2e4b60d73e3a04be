"""Reading the pixels of tiles, ahead of whoever consumes them."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from PIL import Image

from ressat.slides import Slide
from ressat.tiling import TileGeometry, top_left

# How many batches are read ahead: enough to never let the network wait, few enough to stay small.
BATCHES_AHEAD = 2


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


def tile_batches(
    slide: Slide, coords: np.ndarray, geometry: TileGeometry, batch_size: int
) -> Iterator[np.ndarray]:
    """Yield all tiles in order, in batches, reading ahead in a thread.

    Parameters
    ----------
    slide
        The opened slide.
    coords
        Level-0 centres, shape (n, 2).
    geometry
        How tiles of this slide are read.
    batch_size
        Tiles per batch; the last batch may be smaller.

    Yields
    ------
    numpy.ndarray
        uint8, shape (b, tile_px, tile_px, 3).
    """

    def read(start: int) -> np.ndarray:
        return np.stack([read_tile(slide, centre, geometry) for centre in coords[start : start + batch_size]])

    # One thread: after an error OpenSlide repeats it for every read, and with several of them the
    # message could name the wrong place.
    with ThreadPoolExecutor(1) as pool:
        ahead: deque[Future[np.ndarray]] = deque()
        for start in range(0, len(coords), batch_size):
            ahead.append(pool.submit(read, start))
            if len(ahead) > BATCHES_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
