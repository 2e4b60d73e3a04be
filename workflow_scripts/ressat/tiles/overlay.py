"""A picture of where a section's tiles are."""

import numpy as np
from PIL import Image, ImageDraw

TILE_COLOUR, EDGE_COLOUR = (0, 90, 200), (230, 120, 0)


def tile_overlay(
    lowres: np.ndarray,
    downsample: float,
    coords: np.ndarray,
    edge: float,
    mask: np.ndarray,
    crossing: np.ndarray,
) -> Image.Image:
    """Draw tiles on the low-resolution image, and fade what is not tissue.

    Parameters
    ----------
    lowres
        RGB image, uint8, shape (h, w, 3).
    downsample
        Level-0 pixels per pixel of ``lowres``.
    coords
        Level-0 centres, shape (n, 2).
    edge
        Edge of a tile in level-0 pixels.
    mask
        Tissue mask, boolean, shape (h, w).
    crossing
        Tiles that reach beyond the image, boolean, shape (n,); drawn in orange.
    """
    faded = np.where(mask[..., None], lowres, 255 - (255 - lowres) // 3).astype(np.uint8)
    image = Image.fromarray(faded)
    draw = ImageDraw.Draw(image)
    width = 2 if edge / downsample > 12 else 1
    for (x, y), beyond in zip(coords / downsample, crossing, strict=True):
        half = edge / downsample / 2
        colour = EDGE_COLOUR if beyond else TILE_COLOUR
        draw.rectangle((x - half, y - half, x + half, y + half), outline=colour, width=width)
    return image
