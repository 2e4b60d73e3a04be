"""A picture rewritten as a pyramidal TIFF that OpenSlide reads, streamed through libvips."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyvips

from ressat.errors import InputError
from ressat.scale import MPP_RANGE

logger = logging.getLogger("ressat")

TILE_PX = 256

MPP_AGREEMENT = 0.01  # relative difference of the two axes beyond which neither is believed

# libvips cannot leave the resolution tags out. Without an mpp it writes its default of 1 px/mm, which
# OpenSlide reports as openslide.mpp-x = 1000: outside MPP_RANGE, so absent to whoever reads it.
PX_PER_MM_UNKNOWN = 1.0

# Above this size of the uncompressed level 0 a pyramid might outgrow the 4 GB of a classic TIFF.
CLASSIC_TIFF_BYTES = 2**31

OME_UNITS = {"nm": 1e-3, "µm": 1.0, "um": 1.0, "mm": 1e3}  # to um; "µm" is the schema's default


@dataclass(frozen=True)
class Pyramid:
    """What was written: size of level 0 in pixels, um/px and where it came from.

    ``mpp`` is None where nobody knows it; ``mpp_source`` is ``"sheet"``, ``"file"`` or None then.
    """

    width: int
    height: int
    mpp: float | None
    mpp_source: str | None


def convert(
    source: str | os.PathLike,
    target: str | os.PathLike,
    *,
    section: str,
    mpp: float | None = None,
    quality: int = 95,
) -> Pyramid:
    """Write a picture as a tiled pyramidal TIFF with JPEG compression, every level in full view.

    Level 0 has the pixel grid of the stored picture. An orientation in the EXIF data is not applied:
    spot coordinates refer to the pixels as they are stored, and would be off after a turn. Transparent
    pixels become white, 16 bits per channel are scaled to 8, and other colour spaces become sRGB.
    The picture is streamed, in 0.2 GB of memory for 30,000 x 30,000 px. A progressive JPEG and an
    interlaced PNG have no rows to stream and take 3 to 6 bytes per pixel.

    Parameters
    ----------
    source
        A picture that libvips reads: JPEG, PNG, WebP, or TIFF (all but tiles of separate planes).
    target
        Path to write to; its name need not end in ``.tiff``.
    section
        Name of the section, for messages.
    mpp
        The sheet's pixel size in um/px. None: the source's own, where it states a believable one.
    quality
        JPEG quality, 1 to 100. Colour is subsampled below 90.

    Returns
    -------
    Pyramid
        Size and pixel size of what was written.

    Raises
    ------
    InputError
        The picture is truncated, corrupt, of an unknown format, not in colour, or of a pixel type
        other than 8 or 16 bit.
    """
    with _libvips_messages_logged():
        try:
            image = _open(source)
        except (OSError, pyvips.Error) as error:
            raise _unreadable(error, source, section) from error
        rgb = _to_rgb(image, source, section)
        mpp_source = "sheet" if mpp is not None else None
        if mpp is None:
            mpp = _stated_mpp(image)
            mpp_source = None if mpp is None else "file"
        px_per_mm = PX_PER_MM_UNKNOWN if mpp is None else 1000 / mpp
        rgb = rgb.copy()
        rgb.remove("orientation")  # libvips would write it, and OpenSlide turn every tile by itself
        try:
            rgb.tiffsave(
                os.fspath(target),
                tile=True,
                tile_width=TILE_PX,
                tile_height=TILE_PX,
                pyramid=True,
                compression="jpeg",
                Q=quality,
                bigtiff=image.width * image.height * 3 > CLASSIC_TIFF_BYTES,
                xres=px_per_mm,
                yres=px_per_mm,
                resunit="cm",
                # A profile may be of a colour space that was left, and descriptions may name a patient.
                keep="none",
            )
        except pyvips.Error as error:
            _check_readable(source, section)
            raise OSError(f"cannot write {os.fspath(target)}: {_reason(error)}") from error
    return Pyramid(image.width, image.height, mpp, mpp_source)


def _open(source: str | os.PathLike) -> pyvips.Image:
    # On "error" libvips returns black where it cannot decode a TIFF tile, and garbage behind a damaged
    # spot of a JPEG. "warning" includes "error"; private TIFF tags and odd metadata still pass it.
    options = {"access": "sequential", "fail_on": "warning", "revalidate": True}
    with open(source, "rb") as handle:
        if handle.read(2) in (b"II", b"MM"):
            # The default limits libtiff to 50 MB, which refuses a picture stored as one compressed strip.
            options["unlimited"] = True
    return pyvips.Image.new_from_file(os.fspath(source), **options)


def _to_rgb(image: pyvips.Image, source: str | os.PathLike, section: str) -> pyvips.Image:
    space, colours = image.interpretation, image.bands - int(image.hasalpha())
    if space in ("b-w", "grey16") or colours < 3:
        raise InputError(
            f"the picture is grey ({colours} channel{'s' * (colours > 1)}, not RGB)",
            expected="a colour image of an H&E stain",
            action="give the colour image in the sheet",
            section=section,
            file=source,
        )
    if image.format not in ("uchar", "ushort") and space not in ("lab", "labs"):
        raise InputError(
            f"the picture's pixels are of type {image.format}",
            expected="8 or 16 bits per channel",
            action="save it anew as 8-bit RGB",
            section=section,
            file=source,
        )
    rgb = image.colourspace("srgb")
    if rgb.hasalpha():
        rgb = rgb.flatten(background=255)
    if rgb.bands != 3:
        raise InputError(
            f"the picture has {image.bands} channels",
            expected="RGB, with or without an alpha channel",
            action="save it anew as 8-bit RGB",
            section=section,
            file=source,
        )
    return rgb


def _stated_mpp(image: pyvips.Image) -> float | None:
    """Return the pixel size that the picture itself states, in um/px, where it is believable."""
    axes = _ome_mpp(image)
    if axes is None:
        # A TIFF whose resolution unit is "none" states a ratio only, but libvips fills in xres all the same.
        if image.get("vips-loader").startswith("tiffload") and not image.get_typeof("resolution-unit"):
            return None
        axes = tuple(1000 / res if res > 0 else 0.0 for res in (image.xres, image.yres))
    x, y = axes
    low, high = MPP_RANGE
    if not (low <= x <= high and low <= y <= high):
        return None
    if abs(x - y) > MPP_AGREEMENT * x:
        logger.warning("the picture states unequal pixel sizes, %g and %g um; neither is used", x, y)
        return None
    return x


def _ome_mpp(image: pyvips.Image) -> tuple[float, float] | None:
    """Return the pixel sizes of an OME-TIFF's XML in um/px (OME schema, Pixels/PhysicalSizeX and Y)."""
    if not image.get_typeof("image-description"):
        return None
    description = image.get("image-description")
    if "openmicroscopy.org" not in description:
        return None
    sizes = []
    for axis in "XY":
        size = re.search(rf'\bPhysicalSize{axis}="([0-9.eE+-]+)"', description)
        unit = re.search(rf'\bPhysicalSize{axis}Unit="([^"]*)"', description)
        factor = OME_UNITS.get(unit.group(1) if unit else "µm")
        try:
            sizes.append(float(size.group(1)) * factor)
        except (AttributeError, TypeError, ValueError):  # no size, an unknown unit, not a number
            return None
    return sizes[0], sizes[1]


def _check_readable(source: str | os.PathLike, section: str) -> None:
    """Raise if the source cannot be read to its end: then it was not the writing that failed."""
    try:
        _open(source).avg()
    except pyvips.Error as error:
        raise _unreadable(error, source, section) from error


def _unreadable(error: OSError | pyvips.Error, source: str | os.PathLike, section: str) -> InputError:
    return InputError(
        f"the picture cannot be read ({_reason(error)})",
        expected="a whole picture",
        action="copy it again from its source, or save it anew as TIFF or PNG",
        section=section,
        file=source,
    )


def _reason(error: OSError | pyvips.Error) -> str:
    detail = error.strerror if isinstance(error, OSError) else error.detail
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    # Without the part of libvips that says it, e.g. "VipsJpeg: premature end of JPEG image".
    return re.sub(r"^\w+: ", "", lines[0]).rstrip(".") if lines else "its data are damaged or incomplete"


class _ToLog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        logger.info("libvips: %s", " ".join(record.getMessage().split()))


@contextmanager
def _libvips_messages_logged() -> Iterator[None]:
    """Keep libvips' warnings in our log: what matters of them to the user is in the error we raise."""
    libvips, handler = logging.getLogger("pyvips"), _ToLog(logging.WARNING)
    libvips.addHandler(handler)
    try:
        yield
    finally:
        libvips.removeHandler(handler)
