"""Loading the tiles of a section in separate processes, ahead of the network."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, SequentialSampler

from ressat.base.errors import InputError
from ressat.slides.slide import Slide
from ressat.tiles.reader import read_tile
from ressat.tiles.tiling import TileGeometry

# How many batches each process reads ahead: enough to never let the network wait, few enough to stay small.
BATCHES_AHEAD = 2


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
        If the slide is damaged at a tile.
    """
    tiles = _Tiles(slide, coords, geometry)
    loader = DataLoader(
        tiles,
        sampler=BatchSampler(SequentialSampler(tiles), batch_size, drop_last=False),
        batch_size=None,
        num_workers=readers,
        prefetch_factor=BATCHES_AHEAD,
        pin_memory=pinned,
        # Other ways of starting import the script again, which Snakemake's scripts have no guard against.
        multiprocessing_context="fork",
    )
    return _whole(iter(loader))


def _whole(batches: Iterator[torch.Tensor | InputError]) -> Iterator[torch.Tensor]:
    for batch in batches:
        if isinstance(batch, InputError):
            raise batch
        yield batch


class _Tiles(Dataset):
    """The tiles of a section; each process that reads them opens the slide for itself."""

    def __init__(self, path: str | Path, coords: np.ndarray, geometry: TileGeometry) -> None:
        self.path, self.coords, self.geometry = path, coords, geometry
        self.slide: Slide | None = None

    def __len__(self) -> int:
        return len(self.coords)

    def __getitem__(self, indices: list[int]) -> np.ndarray | InputError:
        # A raised exception would arrive with another message, so errors are returned as values.
        try:
            self.slide = self.slide or Slide(self.path)
            return np.stack([read_tile(self.slide, self.coords[index], self.geometry) for index in indices])
        except InputError as error:
            return error
