"""The colours of a picture: which of its channels they are, and how they become 8-bit RGB."""

import pyvips

from ressat.base.errors import InputError
from ressat.slides.bit_depth import BitDepth, as_8_bits
from ressat.slides.formats import RGB, YCBCR
from ressat.slides.tiff_tags import TRANSPARENCY, Tag, TiffImage


def shown_channels(image: TiffImage) -> tuple[int, ...] | None:
    """Tell which channels of an RGB image of a TIFF are its colours and its transparency.

    Whatever else is stored with them (infrared, a mask) is no transparency, though libraries take it for one.

    Parameters
    ----------
    image
        Its tags.

    Returns
    -------
    tuple of int or None
        The channels, counted from 0; None if these are all, or the file does not say.
    """
    extra = image.integers.get(Tag.EXTRA_SAMPLES, ())
    samples = image.first(Tag.SAMPLES_PER_PIXEL, 1)
    if image.first(Tag.PHOTOMETRIC, -1) not in (RGB, YCBCR) or samples <= 3 or not extra:
        return None
    transparent = [3 + place for place, kind in enumerate(extra) if kind in TRANSPARENCY]
    shown = (0, 1, 2, *transparent[:1])
    return shown if len(shown) < samples else None


def as_rgb(image: pyvips.Image, depth: BitDepth) -> pyvips.Image:
    """Return a picture as 8-bit RGB; transparent pixels become white.

    Parameters
    ----------
    image
        In any colour space, with or without transparency.
    depth
        How many of its bits are used, if it has 16 per channel.

    Raises
    ------
    InputError
        The picture is grey, of floating point, or has other channels.
    """
    space, colours = image.interpretation, image.bands - int(image.hasalpha())
    if space in ("b-w", "grey16") or colours < 3:
        raise InputError(
            f"the picture is grey ({colours} channel{'s' * (colours > 1)}, not RGB)",
            expected="a colour image of an H&E stain",
            action="give the colour image in the sheet",
        )
    if image.format not in ("uchar", "ushort") and space not in ("lab", "labs"):
        raise InputError(
            f"the picture's pixels are of type {image.format}",
            expected="8 or 16 bits per channel",
            action="save it again as 8-bit RGB",
        )
    rgb = as_8_bits(image, depth) if space == "rgb16" else image.colourspace("srgb")
    if rgb.hasalpha():
        rgb = rgb.flatten(background=255)
    if rgb.bands != 3:
        raise InputError(
            f"the picture has {image.bands} channels",
            expected="RGB, with or without an alpha channel",
            action="save it again as 8-bit RGB",
        )
    return rgb
