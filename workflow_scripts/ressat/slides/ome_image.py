"""Which image of an OME-TIFF is the slide, and what its XML says about it."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ressat.base.errors import InputError
from ressat.slides.tiff_tags import MOST_IMAGES

OME_NAMESPACE = "openmicroscopy.org"

# Units of length of the OME schema in um; micro and Angstrom each have two code points.
UNITS_UM = {"Å": 1e-4, "\u212b": 1e-4, "nm": 1e-3, "um": 1.0, "\u00b5m": 1.0, "\u03bcm": 1.0}
UNITS_UM |= {"mm": 1e3, "cm": 1e4, "m": 1e6}

# Images that scanners store next to the slide, recognised by the end of their names.
NOT_THE_SLIDE = re.compile(r"(.*[^a-z])?(label|macro|thumbnail|overview|barcode)( mask)?( image)?", re.DOTALL)

# Images beside the slide that are looked at.
MOST_OTHERS = 100

# Names of three planes that make up a colour picture, in this order. Converters of colour slides may also
# give all three the name of the colour image.
RGB_NAMES = (("red", "green", "blue"), ("r", "g", "b"))
# Channel attributes that only fluorescence has.
FLUORESCENCE = ("Fluor", "EmissionWavelength", "ExcitationWavelength")


@dataclass(frozen=True)
class OmeImage:
    """The image of an OME-TIFF that is the slide.

    Attributes
    ----------
    page
        Directory of the TIFF's main chain, counted from 0, that holds it or its first channel.
    size
        Width and height in pixels.
    mpp
        Width and height of a pixel in um, where both are stated in a unit of length.
    planes
        Number of directories it is stored in, one for each channel, depth and time.
    is_rgb
        Whether the XML marks these as 8-bit red, green and blue.
    bits
        Significant bits per channel, where stated.
    others
        Directories that hold labels, macro images and thumbnails.
    """

    page: int
    size: tuple[int, int]
    mpp: tuple[float, float] | None
    planes: int
    is_rgb: bool
    bits: int | None = None
    others: frozenset[int] = frozenset()


def slide_image(description: str) -> OmeImage | None:
    """Find the slide in the XML that an OME-TIFF has as its description.

    Labels, macro images and thumbnails, recognised by their names, are skipped. The slide is the largest of
    the other images, or the first of several of that size.

    Parameters
    ----------
    description
        The description of the file's first directory, any text.

    Returns
    -------
    OmeImage or None
        None if the text is not OME-XML, is broken, defines entities or names no image.

    Raises
    ------
    InputError
        If there are only labels and the like.
    """
    if OME_NAMESPACE not in description:
        return None
    try:
        root = fromstring(description)
    except (ParseError, DefusedXmlException, ValueError):
        return None
    if _name(root) != "OME":
        return None
    images, page = [], 0
    for image in _children(root, "Image"):
        for pixels in _children(image, "Pixels"):
            try:
                one = _read(pixels, page)
            except (OverflowError, ValueError):  # not valid numbers
                return None
            page = one.page + one.planes
            images.append((image.get("Name", "").strip().lower(), one))
    slides = [one for name, one in images if len(images) == 1 or not NOT_THE_SLIDE.fullmatch(name)]
    if images and not slides:
        raise InputError(
            "the only images in the OME-TIFF are " + ", ".join(name for name, _ in images),
            expected="an image of the slide itself",
            action="export the slide again",
        )
    slide = max(slides, key=lambda one: math.prod(one.size), default=None)
    # The numbers come from the file: a made-up one must not fill the memory.
    others = [
        range(one.page, one.page + min(one.planes, MOST_IMAGES)) for _, one in images if one not in slides
    ]
    return slide and replace(slide, others=frozenset(chain.from_iterable(others[:MOST_OTHERS])))


def _read(pixels: Element, next_page: int) -> OmeImage:
    width, height, channels, depths, times = (int(pixels.get(f"Size{axis}", "1")) for axis in "XYCZT")
    if min(width, height, channels, depths, times) < 1:
        raise ValueError
    described = list(_children(pixels, "Channel"))
    samples = int(described[0].get("SamplesPerPixel", "1")) if described else 1
    planes = max(1, channels // max(1, samples)) * depths * times
    places = list(_children(pixels, "TiffData"))
    page = min((int(place.get("IFD", "0")) for place in places if place.get("IFD")), default=next_page)
    in_order = all(
        int(place.get("FirstC", "0")) == int(place.get("IFD", "0")) - page
        for place in places
        if place.get("FirstC") or len(places) > 1
    )
    is_rgb = in_order and planes == channels == 3 and pixels.get("Type") == "uint8" and _are_rgb(described)
    bits = int(pixels.get("SignificantBits", "0")) or None
    return OmeImage(max(0, page), (width, height), _mpp(pixels), planes, is_rgb, bits)


def _are_rgb(channels: list[Element]) -> bool:
    if any(channel.get(attribute) for channel in channels for attribute in FLUORESCENCE):
        return False
    names = tuple(channel.get("Name", "").strip().lower() for channel in channels)
    return names in RGB_NAMES or (len(names) == 3 and len(set(names)) == 1 and names[0] != "")


def _mpp(pixels: Element) -> tuple[float, float] | None:
    sizes = []
    for axis in "XY":
        factor = UNITS_UM.get(pixels.get(f"PhysicalSize{axis}Unit", "um").strip())
        try:
            sizes.append(float(pixels.get(f"PhysicalSize{axis}", "")) * factor)
        except (TypeError, ValueError):  # an unknown unit, no size, not a number
            return None
    return sizes[0], sizes[1]


def _children(element: Element, name: str) -> Iterator[Element]:
    """Yield the children with a name, whatever schema version their namespace gives."""
    return (child for child in element if _name(child) == name)


def _name(element: Element) -> str:
    # Comments and processing instructions have a function as their tag.
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
