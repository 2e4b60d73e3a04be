"""The geometry of tiles: their size on the slide and their places."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ressat.slides.scale import best_level


@dataclass(frozen=True)
class TileGeometry:
    """How a tile of a fixed physical size is read from one slide.

    Attributes
    ----------
    tile_um
        Edge of a tile in um.
    tile_px
        Edge in pixels, as the network sees it.
    level
        Pyramid level that is read.
    read_px
        Edge in pixels of that level.
    downsample
        Level-0 pixels per pixel of that level.
    """

    tile_um: float
    tile_px: int
    level: int
    read_px: int
    downsample: float

    @property
    def edge(self) -> float:
        """Edge of a tile in level-0 pixels."""
        return self.read_px * self.downsample


def tile_geometry(downsamples: Sequence[float], mpp: float, tile_um: float, tile_px: int) -> TileGeometry:
    """Choose the coarsest pyramid level that still has ``tile_px`` pixels per tile.

    Parameters
    ----------
    downsamples
        Level-0 pixels per pixel of each of the slide's levels.
    mpp
        um per level-0 pixel.
    tile_um, tile_px
        Edge of a tile on the tissue, and as the network sees it.
    """
    level = best_level(downsamples, tile_um / mpp / tile_px)
    downsample = downsamples[level]
    return TileGeometry(tile_um, tile_px, level, max(1, round(tile_um / mpp / downsample)), downsample)


def hexagonal_grid(size: tuple[int, int], pitch: float) -> tuple[np.ndarray, np.ndarray]:
    """Lay a hexagonal grid over an image, as Visium lays its spots.

    Parameters
    ----------
    size
        Width and height of the image, pixels.
    pitch
        Distance between neighbouring centres, pixels.

    Returns
    -------
    tuple of numpy.ndarray
        Centres, int32, shape (n, 2), x and y; and ids, str, shape (n,), ``r{row}c{column}``.
    """
    width, height = size
    row_step = pitch * np.sqrt(3) / 2
    rows = np.arange(int(max(0, height - pitch / 2) // row_step) + 1)
    columns = np.arange(int(max(0, width - pitch / 2) // pitch) + 1)
    row, column = (axis.ravel() for axis in np.meshgrid(rows, columns, indexing="ij"))
    x = np.round(pitch / 2 + pitch * (column + 0.5 * (row % 2)))
    y = np.round(pitch / 2 + row_step * row)
    inside = (x < width) & (y < height)
    centres = np.column_stack([x, y])[inside].astype(np.int32)
    ids = np.array([f"r{r:04d}c{c:04d}" for r, c in zip(row[inside], column[inside], strict=True)], dtype=str)
    return centres, ids


def top_left(centres: np.ndarray, edge: float) -> np.ndarray:
    """Return the first pixel of tiles, level-0 x and y, int, shape (..., 2), from their centres and edge."""
    return np.round(centres - edge / 2).astype(int)


def crossing_edge(coords: np.ndarray, edge: float, size: tuple[int, int]) -> np.ndarray:
    """Tell which tiles reach beyond the image and are padded, boolean, shape (n,).

    Parameters
    ----------
    coords
        Centres, level-0 pixels, shape (n, 2).
    edge
        Edge of a tile in level-0 pixels.
    size
        Width and height of the image.
    """
    start = top_left(coords, edge)
    return ((start < 0) | (start + edge > np.array(size))).any(axis=1)
