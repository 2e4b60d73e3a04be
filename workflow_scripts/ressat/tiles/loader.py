"""Loading the tiles of a section in separate processes, ahead of the network."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from ressat.base.errors import about
from ressat.tiles.reading import TileReaders
from ressat.tiles.tiling import TileGeometry


def tile_batches(
    slide: str | Path,
    coords: np.ndarray,
    geometry: TileGeometry,
    batch_size: int,
    readers: int = 1,
    pinned: bool = False,
) -> Iterator[torch.Tensor]:
    """Start to read all tiles of a slide, and return an iterator over them in order, in batches.

    The reading processes hold a copy of everything this one has in memory when they start: start them before
    the network is loaded.

    Parameters
    ----------
    slide
        The slide's file.
    coords
        Level-0 centres, shape (n, 2).
    geometry
        How tiles of this slide are read.
    batch_size
        Tiles per batch; the last batch may be smaller.
    readers
        How many processes read, each through its own handle.
    pinned
        Whether batches lie in page-locked memory, from which a GPU fetches them while it computes.

    Returns
    -------
    iterator of torch.Tensor
        uint8, shape (b, tile_px, tile_px, 3).

    Raises
    ------
    InputError
        If the slide is damaged at a tile, or a reading process is killed.
    """
    batches = [coords[start : start + batch_size] for start in range(0, len(coords), batch_size)]
    return _copies(TileReaders(slide, batches, geometry, readers), slide, pinned)


def _copies(readers: TileReaders, slide: str | Path, pinned: bool) -> Iterator[torch.Tensor]:
    def copy(batch: np.ndarray) -> torch.Tensor:
        tiles = torch.empty(batch.shape, dtype=torch.uint8, pin_memory=pinned)
        return tiles.copy_(torch.from_numpy(batch))

    with about(file=slide):
        yield from readers.batches_read(copy)
