"""A quick look at a slide as the user gave it, before anything is made of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ressat.base.errors import InputError
from ressat.checks.slide_whole import check_whole
from ressat.slides.formats import needs_conversion
from ressat.slides.ome_image import slide_image
from ressat.slides.stated_scale import believable_mpp


@dataclass(frozen=True)
class Preview:
    """What a look at a slide tells.

    Attributes
    ----------
    size
        Width and height of level 0 in pixels.
    lowres
        The whole slide, RGB, uint8, shape (h, w, 3).
    downsample
        Level-0 pixels per pixel of ``lowres``, along an edge.
    tagged_mpp
        um/px by the file's own tags; None if absent or not believable.
    """

    size: tuple[int, int]
    lowres: np.ndarray
    downsample: float
    tagged_mpp: float | None


def preview(path: str | Path, section: str, longest_px: int) -> Preview:
    """Look at a slide: through OpenSlide where it reads the file, through libvips elsewhere.

    The pixels are those that the steps after it will see. A pyramid's coarse levels are enough, those in
    the SubIFDs of an OME-TIFF too, and of level 0 it is only made sure then that the file has all of it.
    Without a pyramid every pixel is read, one strip or block at a time: of 20,000 x 20,000 px OpenSlide
    reads the tiles in 10 s and libvips the strips in 2 s, within 160 MB (two cores, JPEG and LZW). Only a
    progressive JPEG and an interlaced PNG are held whole, with up to 6 bytes per pixel.

    Parameters
    ----------
    path
        A slide of any kind that the sheet may name.
    section
        For messages.
    longest_px
        Upper bound of the longer edge of the low-resolution image.

    Raises
    ------
    InputError
        If the file is missing, empty, cut short, damaged, of a format that cannot be read, or grey by its
        format. `check_colour` finds what is grey only by its pixels.
    """
    file = Path(path)
    try:
        if file.is_file() and not file.stat().st_size:
            raise InputError("the file is empty", expected="a slide", action="copy it again from its source")
        converted = needs_conversion(file)
        check_whole(file)
        return _picture(file, section, longest_px) if converted else _slide(file, section, longest_px)
    except InputError as error:
        raise error.about(section, path) from error


def _slide(path: Path, section: str, longest_px: int) -> Preview:
    from ressat.slides.slide import Slide

    with Slide(path, section) as slide:
        lowres, downsample = slide.low_resolution(longest_px)
        ome = slide_image(slide.description)
        stated = believable_mpp(*ome.mpp) if ome and ome.mpp and ome.size == slide.size else None
        return Preview(slide.size, lowres, downsample, stated or slide.tagged_mpp)


def _picture(path: Path, section: str, longest_px: int) -> Preview:
    import pyvips

    from ressat.slides.image_file import libvips_messages_logged, open_picture

    with libvips_messages_logged():
        picture = open_picture(path, section)
        width, height = picture.rgb.width, picture.rgb.height
        try:
            level = picture.smaller(max(width, height) / longest_px)
            factor = max(1, -(-max(level.width, level.height) // longest_px))
            lowres = level.shrink(factor, factor, ceil=True).numpy()
        except pyvips.Error as error:
            raise picture.unreadable(error) from error
    return Preview((width, height), lowres, width / level.width * factor, picture.mpp)
