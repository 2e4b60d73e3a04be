"""How many bits an image of 16 bits per channel really has: many cameras give 10, 12 or 14."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import pyvips

from ressat.slides.few_bits import FULL, HOT_SHARE, UsedBits, bits_of

logger = logging.getLogger("ressat")

# Rows that are looked at together; once it is known that all bits are needed, the other rows are not read.
BAND_PX = 64


@dataclass(frozen=True)
class BitDepth:
    """How many bits the colours of a 16-bit image use, and those of its transparency."""

    colours: int = FULL
    alpha: int = FULL


class _Values:
    """Values of some channels, of which all but hot pixels tell how many bits they need."""

    def __init__(self, number: float) -> None:
        self.hot = number * HOT_SHARE
        self.bits, self.largest = 8, 0
        self._beyond = dict.fromkeys(range(self.bits, FULL + 1), 0)

    def add(self, values: pyvips.Image) -> None:
        largest = int(values.max())
        self.largest = max(self.largest, largest)
        number = values.width * values.height * values.bands
        for bits in range(self.bits, bits_of(largest)):
            self._beyond[bits] += round((values >= 2**bits).avg() / 255 * number)
        while self._beyond[self.bits] > self.hot:
            self.bits += 1

    def used(self) -> UsedBits:
        return UsedBits(self.bits, self.largest, self._beyond[self.bits])


def used_bits(image: pyvips.Image) -> tuple[UsedBits, UsedBits]:
    """Tell how many bits the colours of an image need, and its transparency (the least without).

    Parameters
    ----------
    image
        Of 16 bits per channel; it is read from top to bottom, until it is known that its colours need all of
        them, and is of no use afterwards.
    """
    size, number = image.width * image.height, min(3, image.bands)
    colours, alpha = _Values(size * number), _Values(size)
    region = pyvips.Region.new(image)
    for top in range(0, image.height, BAND_PX):
        shape = image.width, min(BAND_PX, image.height - top)
        pixels = region.fetch(0, top, *shape)
        band = pyvips.Image.new_from_memory(pixels, *shape, image.bands, image.format)
        if image.hasalpha() and image.bands > 3:
            alpha.add(band.extract_band(3, n=image.bands - 3))
            band = band.extract_band(0, n=3)
        colours.add(band)
        if colours.bits == FULL:
            break
    return colours.used(), alpha.used()


def bit_depth(images: Iterable[pyvips.Image], stated: int | None) -> BitDepth:
    """Find how many bits the values of an image use, and say so where that is less than 16.

    Parameters
    ----------
    images
        Versions of it, the smallest first. Averages are never larger than what they are made of, so a small
        version that needs all bits saves reading the others.
    stated
        Bits by the file's own tags, if any. Many writers say 16 whatever the values are; fewer are believed,
        unless the values contradict.
    """
    for image in images:
        colours, alpha = used_bits(image)
        if colours.bits == FULL:
            return BitDepth()
    bits = stated if stated is not None and colours.bits <= stated < FULL else colours.bits
    logger.warning(
        "the slide is stored with 16 bits per channel, but %s: it is read as one of %d bits (0 to %d)",
        colours,
        bits,
        2**bits - 1,
    )
    return BitDepth(bits, bits if alpha.bits <= bits else FULL)


def as_8_bits(image: pyvips.Image, depth: BitDepth) -> pyvips.Image:
    """Scale a 16-bit RGB image, with or without transparency, to 8 bits."""
    if depth.colours == FULL:
        return image.colourspace("srgb")
    colours = image.extract_band(0, n=3) >> (depth.colours - 8)
    if image.hasalpha():
        colours = colours.bandjoin(image.extract_band(3, n=image.bands - 3) >> (depth.alpha - 8))
    return colours.cast("uchar").copy(interpretation="srgb")
