"""Which image of a TIFF is the slide at full resolution: the largest, wherever it stands."""

import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ressat.base.errors import InputError
from ressat.slides.tiff_tags import Tag, Tiff, TiffImage

# What scanners write into the description of the images that they store next to the slide: Aperio's second
# line begins with the image's name, Akoya's XML has its type, others write the name alone.
NOT_THE_SLIDE = re.compile(
    rb"\s*(label|macro|thumbnail|overview|barcode)( image)?[\s\0]*\Z"
    rb"|[^\n]*\n(label|macro) "
    rb"|.*<ImageType>(label|overview|thumbnail|macro)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Place:
    """Where a TIFF stores an image.

    Attributes
    ----------
    page
        Directory of the main chain, counted from 0.
    subifd
        SubIFD of that directory, counted from 0; None for the directory itself.
    """

    page: int
    subifd: int | None = None


FIRST = Place(0)


def slide_place(tiff: Tiff, others: Collection[int] = ()) -> Place:
    """Find the image that is the slide: the largest, or the first of several of that size.

    Parameters
    ----------
    tiff
        Read with the usual tags.
    others
        Directories of the main chain that are known to hold something else, such as a label.

    Raises
    ------
    InputError
        If the largest is marked as a reduced version of another image: the slide itself is not there.
    """
    every = list(_images(tiff)) or [(FIRST, tiff.images[0])]
    images = [(place, image) for place, image in every if place.page not in others]
    slides = [(place, image) for place, image in images if not NOT_THE_SLIDE.match(_description(image))]
    place, largest = max(slides or images or every, key=lambda one: _pixels(one[1]))
    if largest.is_reduced:
        width, height = largest.size
        raise InputError(
            f"the largest image in the TIFF, of {width} x {height} px, is marked as a reduced version of "
            "another one, which is not there",
            expected="the slide at full resolution",
            action="export the slide again, at full resolution",
        )
    return place


def image_at(tiff: Tiff, place: Place) -> TiffImage:
    """Return the tags of an image."""
    page = tiff.images[place.page]
    return page if place.subifd is None else page.subimages[place.subifd]


def full_size_images(tiff: Tiff, size: tuple[int, int]) -> int:
    """Count the images of a size that are not marked as reduced ones."""
    return sum(image.size == size and not image.is_reduced for _, image in _images(tiff))


def _images(tiff: Tiff) -> Iterator[tuple[Place, TiffImage]]:
    for page, image in enumerate(tiff.images):
        inner = [(Place(page, number), one) for number, one in enumerate(image.subimages)]
        yield from ((place, one) for place, one in ((Place(page), image), *inner) if not one.is_mask)


def _pixels(image: TiffImage) -> int:
    return math.prod(image.size)


def _description(image: TiffImage) -> bytes:
    return image.text(Tag.IMAGE_DESCRIPTION)
