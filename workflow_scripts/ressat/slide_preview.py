"""A quick look at a slide as the user gave it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ressat.slide_format import needs_conversion


@dataclass(frozen=True)
class Preview:
    """A slide at low resolution.

    Attributes
    ----------
    size
        Width and height of level 0, pixels.
    lowres
        RGB, uint8, shape (h, w, 3).
    downsample
        Level-0 pixels per pixel of ``lowres``.
    tagged_mpp
        um/px that the file states; None where it states none that is believable.
    """

    size: tuple[int, int]
    lowres: np.ndarray
    downsample: float
    tagged_mpp: float | None


def preview(path: str | Path, section: str, longest_px: int) -> Preview:
    """Look at a slide before any conversion (interim: OpenSlide, and pyvips without streaming)."""
    if not needs_conversion(path):
        from ressat.slides import Slide

        with Slide(path, section) as slide:
            lowres, downsample = slide.low_resolution(longest_px)
            return Preview(slide.size, lowres, downsample, slide.tagged_mpp)
    from ressat import pyramid

    image = pyramid._open(path)
    width, height = image.width, image.height
    mpp = pyramid._stated_mpp(image)
    factor = max(1, -(-max(width, height) // longest_px))
    small = pyramid._to_rgb(image, path, section).shrink(factor, factor)
    return Preview((width, height), small.numpy().astype(np.uint8), factor, mpp)
