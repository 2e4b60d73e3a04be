"""Pixels of an image, slide or picture, that serves as the stain reference."""

from pathlib import Path

import numpy as np
from PIL import Image

from ressat.base.errors import InputError
from ressat.base.machine import refuse_trouble
from ressat.slides.few_bits import FULL, bits_behind, few_bits, has_16_bits
from ressat.slides.formats import TIFF_SUFFIXES, needs_conversion
from ressat.slides.level_zero import slide_place
from ressat.slides.slide import Slide
from ressat.slides.tiff_tags import read_tiff
from ressat.tiles.tissue import tissue_mask

# Pictures are read whole; a larger reference needs a pyramid.
MAX_PICTURE_PIXELS = 200_000_000
# Places on a slide from which pixels are drawn, and the edge of the regions read there, px.
PLACES, REGION_PX = 200, 224
LOWRES_PX = 1600
# Used only to clean up the mask, for slides that do not state their scale.
ASSUMED_MPP = 0.5


def reference_pixels(path: str | Path, max_pixels: int, seed: int) -> np.ndarray:
    """Draw pixels from all over a reference image.

    Parameters
    ----------
    path
        A slide that OpenSlide reads, or a picture (PNG, JPEG, TIFF).
    max_pixels
        Upper bound on the pixels returned.
    seed
        Of the draw.

    Returns
    -------
    numpy.ndarray
        uint8, shape (n, 3).

    Raises
    ------
    InputError
        If the image cannot be read, or is a picture too large to be read whole.
    """
    rng = np.random.default_rng(seed)
    pixels = _picture_pixels(path) if needs_conversion(path) else _slide_pixels(path, rng)
    return rng.choice(pixels, min(max_pixels, len(pixels)), replace=False, shuffle=False)


def _picture_pixels(path: str | Path) -> np.ndarray:
    # Pillow's own limit on the size would show as a warning, or as an error that does not say what to do.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(path) as image:
            if image.format == "TIFF":
                _seek_largest(image, path)
            if image.width * image.height > MAX_PICTURE_PIXELS:
                raise InputError(
                    f"a picture of {image.width} x {image.height} px",
                    expected=f"at most {MAX_PICTURE_PIXELS // 1_000_000} million pixels",
                    action="cut a part of it out, or give a slide with a pyramid",
                    file=path,
                )
            is_16_bits = any(";16" in str(part) for part in image.tile)
            if image.has_transparency_data:  # what is transparent is glass, whatever colour lies under it
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
            pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
            if is_16_bits:  # Pillow keeps the upper 8
                _refuse_few_bits(pixels)
            return pixels
    except InputError:
        raise
    except Exception as error:  # of many kinds: Pillow lets through whatever a damaged file sets off
        refuse_trouble(error)
        raise InputError(
            f"it cannot be read as an image ({error})",
            expected="an H&E image",
            action="name another stain.reference",
            file=path,
        ) from error


def _refuse_few_bits(pixels: np.ndarray) -> None:
    used = bits_behind(pixels)
    if used.bits < FULL - 1:  # 15 bits cannot be told from dark tissue of 16
        raise few_bits(used)


def _seek_largest(image: Image.Image, path: str | Path) -> None:
    """Turn to the largest image in a TIFF, as for a slide."""
    place = slide_place(read_tiff(path))
    if place.subifd is not None:
        raise InputError(
            "its largest image is a SubIFD of a smaller one",
            expected="a TIFF of one image, or a slide",
            action="save the image as PNG",
        )
    image.seek(place.page)


def _slide_pixels(path: str | Path, rng: np.random.Generator) -> np.ndarray:
    with Slide(path) as slide:
        lowres, downsample = slide.low_resolution(LOWRES_PX)
        if Path(path).suffix.lower() in TIFF_SUFFIXES and has_16_bits(path):
            _refuse_few_bits(lowres)
        mpp = (slide.tagged_mpp or ASSUMED_MPP) * downsample
        places = np.argwhere(tissue_mask(lowres, mpp))
        if not len(places):
            return np.empty((0, 3), dtype=np.uint8)
        regions = []
        for row, column in places[np.sort(rng.permutation(len(places))[:PLACES])]:
            x, y = (round(axis * downsample) - REGION_PX // 2 for axis in (column, row))
            regions.append(np.asarray(slide.read(x, y, 0, REGION_PX, REGION_PX)).reshape(-1, 3))
    return np.concatenate(regions)
