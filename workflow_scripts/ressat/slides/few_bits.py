"""Refusing an image of 16 bits per channel, read by its upper 8, whose values use fewer."""

import os

from ressat.base.errors import InputError
from ressat.slides.tiff_tags import Tag, read_tiff

FULL = 16
# Usual numbers of bits per channel; cameras give 10, 12 or 14.
DEPTHS = (8, 10, 12, 14, FULL)
# Readers that keep 8 bits make 64 of the largest value of 14 bits, which they round, or 63.
FEW = 65


def bits_of(largest: float) -> int:
    """Return the least usual number of bits that a value needs."""
    return next((bits for bits in DEPTHS if largest < 2**bits), FULL)


def has_16_bits(path: str | os.PathLike) -> bool:
    """Whether the first image of a TIFF has 16 bits per channel."""
    return read_tiff(path).images[0].first(Tag.BITS_PER_SAMPLE) == FULL


def few_bits(value: float, *, exact: bool = True) -> InputError:
    """Say that the largest value of an image of 16 bits per channel is one of fewer bits."""
    return InputError(
        f"the image is stored with 16 bits per channel, but its largest value is {'' if exact else 'about '}"
        f"{value:.0f} of 65535: it seems to have {bits_of(value)} bits, and would be read as almost black",
        expected="values from 0 to 65535, or 8 bits per channel",
        action="save it again with 8 bits per channel; a slide may also be saved in strips instead of tiles, "
        "and is then read by its real bits",
    )


def least_value(eight_bits: int) -> int:
    """Return the least 16-bit value of which readers that keep 8 bits make this one."""
    return max(0, eight_bits * 257 - 128)
