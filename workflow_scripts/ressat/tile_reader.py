"""Reading the pixels of tiles, ahead of whoever consumes them."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from ressat.slides import Slide
from ressat.tiling import TileGeometry

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
    x, y = np.round(centre - geometry.edge / 2).astype(int)
    tile = slide.read(int(x), int(y), geometry.level, geometry.read_px, geometry.read_px)
    if geometry.read_px != geometry.tile_px:
        # Pillow widens the filter's support when it shrinks, which is what prevents aliasing.
        tile = tile.resize((geometry.tile_px, geometry.tile_px), Image.Resampling.BICUBIC)
    return np.asarray(tile)


def tile_batches(
    slide: Slide, coords: np.ndarray, geometry: TileGeometry, batch_size: int, workers: int = 1
) -> Iterator[np.ndarray]:
    """Yield all tiles in order, in batches, reading ahead in threads.

    Parameters
    ----------
    slide
        The opened slide; OpenSlide's handles are safe to share between threads.
    coords
        Level-0 centres, shape (n, 2).
    geometry
        How tiles of this slide are read.
    batch_size
        Tiles per batch; the last batch may be smaller.
    workers
        Threads that read.

    Yields
    ------
    numpy.ndarray
        uint8, shape (b, tile_px, tile_px, 3).
    """

    def read(start: int) -> np.ndarray:
        return np.stack([read_tile(slide, centre, geometry) for centre in coords[start : start + batch_size]])

    with ThreadPoolExecutor(workers) as pool:
        ahead: deque = deque()
        for start in range(0, len(coords), batch_size):
            ahead.append(pool.submit(read, start))
            if len(ahead) > BATCHES_AHEAD + workers - 1:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
