"""A quick look at a slide as the user gave it, before anything is made from it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ressat.base.errors import InputError, about_its_file
from ressat.checks.completeness import TIFF_SLIDES, require_whole
from ressat.checks.empty_tiles import check_empty_tiles
from ressat.checks.levels import Level, check_levels
from ressat.slides.few_bits import FEW, FULL, bits_behind, bright, few_bits, has_16_bits
from ressat.slides.formats import needs_conversion
from ressat.slides.ome_image import slide_image
from ressat.slides.scale import believable_mpp, best_level

if TYPE_CHECKING:
    from ressat.slides.slide import Slide


@dataclass(frozen=True)
class Thumbnail:
    """What a quick look at a slide shows.

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


@about_its_file
def thumbnail(path: str | Path, longest_px: int) -> Thumbnail:
    """Look at a slide: through OpenSlide where it reads the file, through libvips elsewhere.

    The pixels are those that later steps will see. In a pyramid, including one in the SubIFDs of an
    OME-TIFF, the coarse levels are enough; level 0 is then only checked to be complete in the file.
    Without a pyramid every pixel is read, one strip or block at a time: for 20,000 x 20,000 px, OpenSlide
    takes 10 s for tiles and libvips 2 s for strips, within 160 MB (two cores, JPEG and LZW). Only a
    progressive JPEG and an interlaced PNG are held whole, with up to 6 bytes per pixel.

    Parameters
    ----------
    path
        A slide of any kind that the sheet may name.
    longest_px
        Upper bound of the longer edge of the low-resolution image.

    Raises
    ------
    InputError
        If the file is missing, empty, cut short, damaged, of a format that cannot be read, or grey by its
        format. `check_colour` finds what is grey only by its pixels.
    """
    file = Path(path)
    if file.is_file() and not file.stat().st_size:
        raise InputError("the file is empty", expected="a slide", action="copy it again from its source")
    converted = needs_conversion(file)
    require_whole(file)
    return _image(file, longest_px) if converted else _slide(file, longest_px)


def _slide(path: Path, longest_px: int) -> Thumbnail:
    from ressat.slides.slide import Slide

    with Slide(path) as slide:
        lowres, downsample = slide.low_resolution(longest_px)
        check_empty_tiles(path, lowres, downsample)
        _refuse_transparent(lowres, slide.is_transparent)
        _refuse_few_bits(path, lowres)
        source = best_level(slide.downsamples, max(slide.size) / longest_px)
        levels = [_level(slide, number) for number in range(len(slide.downsamples))]
        check_levels(lowres, downsample, levels.pop(source), levels)
        ome = slide_image(slide.description)
        mpp = believable_mpp(*ome.mpp) if ome and ome.mpp and ome.size == slide.size else None
        return Thumbnail(slide.size, lowres, downsample, mpp or slide.tagged_mpp)


def _level(slide: "Slide", number: int) -> Level:
    def read(x: int, y: int, width: int, height: int) -> np.ndarray:
        return np.asarray(slide.read(x, y, number, width, height))

    return Level(number, slide.level_sizes[number], slide.downsamples[number], read)


def _refuse_transparent(lowres: np.ndarray, is_transparent: Callable[[], bool]) -> None:
    """Refuse a slide of which nothing would be seen on white; only a white one is looked at again."""
    if (lowres == 255).all() and is_transparent():
        raise InputError(
            "every pixel is transparent (the alpha channel is 0 everywhere)",
            expected="a slide whose tissue can be seen",
            action="save it again without its alpha channel",
        )


def _refuse_few_bits(path: Path, lowres: np.ndarray) -> None:
    """Refuse a slide of 16 bits per channel whose values use fewer; rewritten files are scaled instead."""
    if path.suffix.lower() not in TIFF_SLIDES or not has_16_bits(path) or bright(lowres) >= FEW:
        return
    import pyvips

    from ressat.slides.bit_depth import used_bits
    from ressat.slides.stored_image import StoredImage, loader_name

    try:
        used, _ = used_bits(StoredImage(path, loader_name(path)).load())
    except pyvips.Error:  # tiles of separate planes, which only OpenSlide reads
        used = bits_behind(lowres)
    # What OpenSlide makes of 15 bits cannot be told from a dark slide of 16.
    if used.bits < (FULL if used.exact else FULL - 1):
        raise few_bits(used)


def _image(path: Path, longest_px: int) -> Thumbnail:
    import pyvips

    from ressat.slides.image_file import libvips_messages_in_log, open_image

    with libvips_messages_in_log():
        picture = open_image(path)
        width, height = picture.rgb.width, picture.rgb.height
        try:
            level = picture.smaller(max(width, height) / longest_px)
            factor = max(1, -(-max(level.width, level.height) // longest_px))
            lowres = level.shrink(factor, factor, ceil=True).numpy()
        except pyvips.Error as error:
            raise picture.unreadable(error) from error
        _refuse_transparent(lowres, picture.is_transparent)
    return Thumbnail((width, height), lowres, width / level.width * factor, picture.mpp)
