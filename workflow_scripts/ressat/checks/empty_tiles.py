"""Tiles that a TIFF lists and does not hold: left out on glass by some scanners, lost on tissue by others."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ressat.base.errors import InputError
from ressat.checks.completeness import TIFF_SLIDES, part_corner, part_size, stored_parts
from ressat.slides.formats import is_smaller_copy
from ressat.slides.level_zero import image_at, slide_place
from ressat.slides.tiff_tags import PLACES, USUAL, Tag, read_tiff
from ressat.tiles.tissue import tissue_mask

# The scale is not known yet; the mask needs it only to leave out crumbs.
ASSUMED_MPP = 0.5
# The rim of tissue on a coarse level, in its pixels, may be glass on a finer one.
RIM_PX = 2
# Share of a part that must be tissue.
ON_TISSUE = 0.5


@dataclass(frozen=True)
class _Image:
    """An image with empty tiles or strips.

    Attributes
    ----------
    size
        In its own pixels.
    kind
        ``tiles`` or ``strips``.
    number
        How many there are.
    empty
        x, y, width and height of the empty ones in level-0 pixels, shape (n, 4).
    """

    size: tuple[int, int]
    kind: str
    number: int
    empty: np.ndarray


def check_empty_tiles(path: str | os.PathLike, lowres: np.ndarray, downsample: float) -> None:
    """Refuse a TIFF whose empty tiles are of tissue: they would be read as white glass.

    Parameters
    ----------
    path
        The slide; files of other formats pass.
    lowres
        Its low-resolution image, uint8, shape (h, w, 3). Where it was made from the image with the empty
        tiles, they are white on it too, and nothing says what they are of.
    downsample
        Level-0 pixels per pixel of that image.

    Raises
    ------
    InputError
        If the low-resolution image shows tissue at an empty tile.
    """
    mask = None
    for image in _with_empty_parts(path, downsample):
        if mask is None:
            mask = tissue_mask(lowres, ASSUMED_MPP * downsample)
            mask = ndimage.binary_erosion(mask, iterations=RIM_PX)
        lost = [box for box in image.empty if _share(mask, box / downsample) >= ON_TISSUE]
        if lost:
            width, height = image.size
            raise InputError(
                f"in its image of {width} x {height} px, {len(image.empty)} of {image.number} {image.kind} "
                f"are empty, {len(lost)} of them where a smaller level shows tissue, the first at level-0 "
                f"pixel x={lost[0][0]:.0f}, y={lost[0][1]:.0f}",
                expected="pixels wherever there is tissue",
                action="export or convert the slide again, as this file was written in part",
                file=path,
            )


def _share(mask: np.ndarray, box: np.ndarray) -> float:
    """Share of a box, in pixels of the mask, that is tissue."""
    left, top, width, height = box
    rows = slice(int(top), max(int(top) + 1, round(top + height)))
    columns = slice(int(left), max(int(left) + 1, round(left + width)))
    part = mask[rows, columns]
    return float(part.mean()) if part.size else 0.0


def _with_empty_parts(path: str | os.PathLike, downsample: float) -> Iterator[_Image]:
    """Level 0 and its smaller copies that are finer than the low-resolution image, if parts are empty."""
    if not os.fspath(path).lower().endswith(TIFF_SLIDES):
        return
    try:
        tiff = read_tiff(path, USUAL | PLACES)
        main = image_at(tiff, slide_place(tiff))
    except InputError:  # told by what opens it
        return
    levels = [main]
    # In Aperio's files OpenSlide fills what a smaller level lacks from the next finer one.
    if not main.text(Tag.IMAGE_DESCRIPTION).startswith(b"Aperio"):
        levels += [image for image in tiff.images if image is not main and is_smaller_copy(image, main)]
    for image in levels:
        scale = main.size[0] / image.size[0]
        stored = stored_parts(image)
        empty = [index for index, (_, length) in enumerate(stored) if not length]
        if empty and scale <= downsample:
            boxes = [(*part_corner(image, index), *part_size(image)) for index in empty]
            kind = "tiles" if image.is_tiled else "strips"
            yield _Image(image.size, kind, len(stored), np.array(boxes) * scale)
