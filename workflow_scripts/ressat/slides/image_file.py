"""A picture opened with libvips as 8-bit RGB, and what is wrong with it where it cannot be read."""

import logging
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pyvips

from ressat.base.errors import InputError, about, about_its_file
from ressat.base.machine import machine_trouble
from ressat.slides.bit_depth import BitDepth, bit_depth
from ressat.slides.level_zero import Place, full_size_images, image_at, slide_place
from ressat.slides.ome_image import OME_NAMESPACE, OmeImage, slide_image
from ressat.slides.rgb import as_rgb, shown_channels
from ressat.slides.scale import believable_mpp
from ressat.slides.stored_image import StoredImage, loader_name
from ressat.slides.tiff_tags import Tag, Tiff, read_tiff, stated_bits

logger = logging.getLogger("ressat")

# Rows read at a time when looking for damage.
BAND_PX = 16


@dataclass(frozen=True)
class ImageFile:
    """A picture whose pixels are read once, from top to bottom, when something is computed from ``rgb``.

    Attributes
    ----------
    path
        The file.
    rgb
        8-bit RGB, in the pixel grid of the stored picture: an orientation in the EXIF data is not applied,
        as spot coordinates refer to the pixels as they are stored. Transparent pixels become white, 16 bits
        per channel are scaled to 8, and other colour spaces are converted to sRGB.
    mpp
        um/px that the file states, if believable.
    """

    path: str | os.PathLike
    rgb: pyvips.Image
    mpp: float | None
    _stored: StoredImage
    _depth: BitDepth = field(default_factory=BitDepth)

    def smaller(self, factor: float) -> pyvips.Image:
        """Return the coarsest stored version that is at least as fine as a downsample, like ``rgb``.

        Only the SubIFDs of a TIFF are considered; if none suits, ``rgb`` is returned.
        """
        best, width = self.rgb, self.rgb.width
        for level in _levels(self._stored):
            if level.width < best.width and width <= level.width * factor * 1.005:
                best = level
        with about(file=self.path):
            return best if best is self.rgb else as_rgb(best, self._depth)

    def unreadable(self, error: pyvips.Error) -> InputError:
        """Turn a reading error into an `InputError` that says what is wrong and, as far as known, where."""
        place = "" if _is_unsupported(error) or machine_trouble(error) else self._damage()
        problem = _unreadable(error, place)
        problem.file = str(self.path)
        return problem

    def check(self) -> None:
        """Read all pixels, and raise what is wrong with them as an `InputError`."""
        try:
            self._stored.load().avg()
        except pyvips.Error as error:
            raise self.unreadable(error) from error

    def is_transparent(self) -> bool:
        """Say whether it has an alpha channel that is 0 everywhere."""
        image = self._stored.load()
        return bool(image.hasalpha()) and image.extract_band(image.bands - 1).max() == 0

    def _damage(self) -> str:
        """Read piece by piece until that fails again; return where, as a clause, or nothing."""
        image = self._stored.load()
        whole = ("jpeg-multiscan", "interlaced")  # these have no rows to read one by one
        if self._stored.loader == "webpload" or any(
            image.get_typeof(name) and image.get(name) for name in whole
        ):
            return ""
        if image.get_typeof("tile-width"):
            width, height = image.get("tile-width"), image.get("tile-height")
            image = self._stored.load(access="random")
        else:
            width, height = image.width, BAND_PX
        region = pyvips.Region.new(image)
        for y in range(0, image.height, height):
            for x in range(0, image.width, width):
                try:
                    region.fetch(x, y, min(width, image.width - x), min(height, image.height - y))
                except pyvips.Error as error:
                    if image.get_typeof("tile-width"):
                        return f" in the tile of {width} x {height} px at level-0 pixel x={x}, y={y}"
                    if self._stored.loader == "jpegload" and "end of JPEG" not in error.detail:
                        # After damage a decoder carries on with garbage until something impossible turns up.
                        return f", it is damaged within its first {min(y + height, image.height)} rows"
                    return f" from row {y} of {image.height} on"
        return ""


@about_its_file
def open_image(path: str | os.PathLike) -> ImageFile:
    """Open a picture; of a TIFF of several images the largest, never a label, a macro image or an overview.

    Parameters
    ----------
    path
        JPEG, PNG, WebP, or a TIFF that libvips reads (all but JPEG 2000 and tiles of separate planes).

    Raises
    ------
    InputError
        The file is of none of these formats, its beginning is damaged, or it is not a colour picture.
    """
    try:
        stored = StoredImage(path, loader_name(path))
        mpp, stated = None, None
        if stored.loader != "tiffload":
            image = stored.load()
        else:
            tiff = read_tiff(path)
            _refuse_packed(tiff)
            stored = replace(stored, patches=tiff.patches)
            ome = _ome(stored.load())
            stored = _full_resolution(stored, tiff, ome)
            stored = replace(stored, channels=_shown(stored, tiff))
            image = stored.load()
            size, stated = (image.width, image.height), stated_bits(tiff.images[stored.pages[0]])
            if ome is not None and size == ome.size:
                mpp, stated = ome.mpp, ome.bits or stated
            elif ome is not None:
                logger.warning("the OME-XML describes an image of another size; its pixel size is not used")
            number = full_size_images(tiff, size)
            if len(stored.pages) == 1 and number > 1:
                logger.warning("the file holds %d images of %d x %d px; the first is read", number, *size)
        picture = ImageFile(path, image, None, stored)
        depth = BitDepth()
        if (image.format, image.interpretation) == ("ushort", "rgb16"):
            try:
                depth = bit_depth((*_levels(stored)[-1:], stored.load()), stated)
            except pyvips.Error as error:
                raise picture.unreadable(error) from error
        rgb = as_rgb(image, depth)
    except (OSError, pyvips.Error) as error:
        raise _unreadable(error) from error
    return ImageFile(path, rgb, _believed(mpp or _resolution(image)), stored, depth)


@contextmanager
def libvips_messages_in_log() -> Iterator[None]:
    """Send libvips' warnings to our log: what matters to the user is in the error we raise."""

    class ToLog(logging.Handler):
        def emit(_, record: logging.LogRecord) -> None:
            logger.info("libvips: %s", " ".join(record.getMessage().split()))

    libvips, handler = logging.getLogger("pyvips"), ToLog(logging.WARNING)
    libvips.addHandler(handler)
    try:
        yield
    finally:
        libvips.removeHandler(handler)


def reason(error: OSError | pyvips.Error) -> str:
    """Return what libvips or the system says, in one line."""
    detail = error.strerror if isinstance(error, OSError) else error.detail
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    # Without the name of the libvips part that reports it, e.g. "VipsJpeg: premature end of JPEG image".
    return re.sub(r"^\w+: ", "", lines[0]).rstrip(".") if lines else "its data are damaged or incomplete"


def _levels(stored: StoredImage) -> list[pyvips.Image]:
    """The smaller versions of an image in its SubIFDs, the smallest last."""
    if stored.loader != "tiffload" or stored.subifd is not None:
        return []
    full = stored.load()
    inner = range(full.get("n-subifds") if full.get_typeof("n-subifds") else 0)
    levels = [stored.level(subifd).load() for subifd in inner]
    width, height = full.width, full.height
    same = [one for one in levels if abs(one.height * width - height * one.width) <= 2 * max(width, height)]
    return sorted(same, key=lambda one: -one.width)


def _refuse_packed(tiff: Tiff) -> None:
    bits = tiff.images[0].first(Tag.BITS_PER_SAMPLE, 1)
    if bits > 1 and bits % 8:
        raise InputError(
            f"its channels have {bits} bits, packed without gaps",
            expected="8 or 16 bits per channel",
            action="save it again with 8 bits per channel, or with 16, which are read by their largest value",
        )


def _ome(first: pyvips.Image) -> OmeImage | None:
    """What the OME-XML of a TIFF says of the slide, if it has one."""
    description = first.get("image-description") if first.get_typeof("image-description") else ""
    ome = slide_image(description)
    if ome is None and OME_NAMESPACE in description:
        logger.warning("the OME-XML of the slide cannot be understood; it is read like any other TIFF")
    return ome


def _full_resolution(stored: StoredImage, tiff: Tiff, ome: OmeImage | None) -> StoredImage:
    """The slide in a TIFF: the image that its XML names, unless there is a larger one."""
    place = slide_place(tiff, ome.others if ome else ())
    if ome is not None:
        pages = _ome_pages(ome, len(tiff.images))
        named = tiff.images[pages[0]]
        largest = math.prod(image_at(tiff, place).size)
        if len(pages) > 1 or (math.prod(named.size) >= largest and not named.is_reduced):
            return replace(stored, pages=pages)
    return replace(stored, pages=(place.page,), subifd=place.subifd)


def _shown(stored: StoredImage, tiff: Tiff) -> tuple[int, ...] | None:
    """The channels that are colours and transparency, where there are others; see `shown_channels`."""
    if len(stored.pages) > 1:
        return None
    image = image_at(tiff, Place(stored.pages[0], stored.subifd))
    shown = shown_channels(image)
    if shown is not None:
        logger.warning(
            "of the slide's %d channels, those neither of colour nor marked as transparency are left out",
            image.first(Tag.SAMPLES_PER_PIXEL),
        )
    return shown


def _ome_pages(ome: OmeImage, number: int) -> tuple[int, ...]:
    pages = tuple(range(ome.page, ome.page + (ome.planes if ome.is_rgb else 1)))
    if pages[-1] >= number:
        raise InputError(
            f"its OME-XML places the slide in image {pages[-1] + 1} of a file of {number}",
            expected="an OME-TIFF in a single, whole file",
            action="export the slide again into one file",
        )
    if ome.planes > 1 and not ome.is_rgb:
        raise InputError(
            f"it consists of {ome.planes} separate images (channels, depths or times), as in fluorescence, "
            "that are not marked as 8-bit red, green and blue",
            expected="a colour image of an H&E stain",
            action="export it as RGB (in raw2ometiff with --rgb)",
        )
    return pages


def _resolution(image: pyvips.Image) -> tuple[float, float]:
    """Return the width and height of a pixel in um from its resolution tags; 0 where there are none."""
    # A TIFF whose resolution unit is "none" states a ratio only, but libvips fills in xres all the same.
    if image.get("vips-loader").startswith("tiffload") and not image.get_typeof("resolution-unit"):
        return 0.0, 0.0
    across, down = (1000 / res if res > 0 else 0.0 for res in (image.xres, image.yres))
    return across, down


def _believed(axes: tuple[float, float]) -> float | None:
    mpp = believable_mpp(*axes)
    if mpp is None and all(believable_mpp(axis, axis) for axis in axes):
        logger.warning("the picture states unequal pixel sizes, %g and %g um; neither is used", *axes)
    return mpp


def _is_unsupported(error: OSError | pyvips.Error) -> bool:
    return bool(re.search("not (implemented|supported|configured)", reason(error)))


def _unreadable(error: OSError | pyvips.Error, place: str = "") -> InputError:
    trouble = machine_trouble(error)
    if trouble is not None:
        return trouble
    unsupported = _is_unsupported(error)
    readable = "JPEG, PNG, WebP, or a TIFF with JPEG, deflate, LZW, zstd or no compression"
    return InputError(
        f"the picture cannot be read{place} ({reason(error)})",
        expected=readable if unsupported else "a whole picture",
        action=("" if unsupported else "copy it again from its source, or ") + "save it again as TIFF or PNG",
    )
