"""Refusing an image of 16 bits per channel, read by its upper 8, whose values use fewer."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ressat.base.errors import InputError
from ressat.slides.tiff_tags import Tag, read_tiff

if TYPE_CHECKING:  # preparing slides does without it
    import numpy as np

FULL = 16
# Readers that keep 8 bits make at most 127 of 15 bits.
FEW = 128
# Hot pixels and glints say nothing about a camera's bits. A slide of which all else is this dark is none.
HOT_SHARE = 0.001


@dataclass(frozen=True)
class UsedBits:
    """How many bits per channel the values of an image need.

    Parameters
    ----------
    bits
        All but one in a thousand of the values need no more.
    largest
        Largest value.
    beyond
        How many values need more bits.
    exact
        Whether they were read with all their bits.
    """

    bits: int
    largest: int
    beyond: int = 0
    exact: bool = True

    def __str__(self) -> str:
        if self.beyond:
            return f"all but {self.beyond} of its values are below {2**self.bits} of 65535"
        return f"its largest value is {'' if self.exact else 'about '}{self.largest} of 65535"


def bits_of(largest: int) -> int:
    """Return the least number of bits, 8 to 16, that a value needs."""
    return min(max(8, largest.bit_length()), FULL)


def has_16_bits(path: str | os.PathLike) -> bool:
    """Whether the first image of a TIFF has 16 bits per channel."""
    return read_tiff(path).images[0].first(Tag.BITS_PER_SAMPLE) == FULL


def bright(pixels: "np.ndarray") -> int:
    """Return the value that only hot pixels of an 8-bit image exceed."""
    values = pixels.flatten()
    place = len(values) - 1 - int(HOT_SHARE * len(values))
    values.partition(place)
    return int(values[place])


def bits_behind(pixels: "np.ndarray") -> UsedBits:
    """Tell how many of 16 bits an image needed, by what a reader made of it that keeps 8."""
    value = max(0, bright(pixels) * 257 - 128)  # the least that is rounded to this one
    return UsedBits(bits_of(value), value, exact=False)


def few_bits(used: UsedBits) -> InputError:
    """Say that the values of an image of 16 bits per channel need fewer."""
    return InputError(
        f"the image is stored with 16 bits per channel, but {used}: it seems to have {used.bits} bits, and "
        f"would be read as {'half as bright as it is' if used.bits == FULL - 1 else 'almost black'}",
        expected="values from 0 to 65535, or 8 bits per channel",
        action="save it again with 8 bits per channel; a slide may also be saved in strips instead of tiles, "
        "and is then read by its real bits",
    )
