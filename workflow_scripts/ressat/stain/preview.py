"""A picture of what stain normalisation did to some tiles."""

import numpy as np
from PIL import Image

# How many tiles are shown before and after, and the white between them, px.
PREVIEW_TILES, PREVIEW_GAP = 6, 8


def stain_preview(before: list[np.ndarray], after: list[np.ndarray]) -> Image.Image:
    """Put tiles in a row, and the same tiles normalised in a row below, each uint8 (h, w, 3)."""
    edge = before[0].shape[0]
    step = edge + PREVIEW_GAP
    image = Image.new("RGB", (step * len(before) - PREVIEW_GAP, 2 * step - PREVIEW_GAP), "white")
    for row, tiles in enumerate((before, after)):
        for column, tile in enumerate(tiles):
            image.paste(Image.fromarray(tile), (column * step, row * step))
    return image
