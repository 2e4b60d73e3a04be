"""How many bits an image of 16 bits per channel really has: many cameras give 10, 12 or 14."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import pyvips

from ressat.slides.few_bits import FULL, bits_of

logger = logging.getLogger("ressat")

# Rows that are looked at together; once a value needs all bits, the other rows are not read.
BAND_PX = 64


@dataclass(frozen=True)
class BitDepth:
    """How many bits the colours of a 16-bit image use, and those of its transparency."""

    colours: int = FULL
    alpha: int = FULL


def largest_values(image: pyvips.Image) -> tuple[float, float]:
    """Return the largest value of an image's colours, and of its transparency (0 without).

    Parameters
    ----------
    image
        Of 16 bits per channel; it is read from top to bottom, until a colour needs all of them, and is of no
        use afterwards.
    """
    colours, alpha = 0.0, 0.0
    region = pyvips.Region.new(image)
    for top in range(0, image.height, BAND_PX):
        shape = image.width, min(BAND_PX, image.height - top)
        pixels = region.fetch(0, top, *shape)
        band = pyvips.Image.new_from_memory(pixels, *shape, image.bands, image.format)
        # Their largest values by channel, in the first column of a table whose first row is of all channels.
        largest = [row[0] for row in band.stats().crop(1, 1, 1, image.bands).tolist()]
        if image.hasalpha():
            alpha = max(alpha, *largest[3:])
            del largest[3:]
        colours = max(colours, *largest)
        if bits_of(colours) == FULL:
            break
    return colours, alpha


def bit_depth(images: Iterable[pyvips.Image], stated: int | None) -> BitDepth:
    """Find how many bits the values of an image use, and say so where that is less than 16.

    Parameters
    ----------
    images
        Versions of it, the smallest first. Averages are never larger than what they are made of, so a small
        version that needs all bits saves reading the others.
    stated
        Bits by the file's own tags, if any. Many writers say 16 whatever the values are; fewer are believed,
        unless a value contradicts.
    """
    colours, alpha = 0.0, 0.0
    for image in images:
        colours, alpha = largest_values(image)
        if bits_of(colours) == FULL:
            return BitDepth()
    bits = bits_of(colours)
    if stated is not None and bits <= stated < FULL:
        bits = stated
    logger.warning(
        "the slide is stored with 16 bits per channel, but its largest value is %d of 65535: it is read as "
        "one of %d bits (0 to %d)",
        colours,
        bits,
        2**bits - 1,
    )
    return BitDepth(bits, bits if bits_of(alpha) <= bits else FULL)


def as_8_bits(image: pyvips.Image, depth: BitDepth) -> pyvips.Image:
    """Scale a 16-bit RGB image, with or without transparency, to 8 bits."""
    if depth.colours == FULL:
        return image.colourspace("srgb")
    colours = image.extract_band(0, n=3) >> (depth.colours - 8)
    if image.hasalpha():
        colours = colours.bandjoin(image.extract_band(3, n=image.bands - 3) >> (depth.alpha - 8))
    return colours.cast("uchar").copy(interpretation="srgb")
