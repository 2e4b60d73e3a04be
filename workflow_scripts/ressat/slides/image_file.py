"""A picture opened with libvips as 8-bit RGB, and what is wrong with it where it cannot be read."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyvips

from ressat.base.errors import InputError, about, about_its_file
from ressat.slides.ome_image import OME_NAMESPACE, OmeImage, slide_image
from ressat.slides.scale import believable_mpp

logger = logging.getLogger("ressat")

# The loader is chosen by a file's first bytes. libvips knows many more formats, and its own choice would
# depend on what it was built with.
LOADERS = {
    b"\xff\xd8\xff": "jpegload",
    b"\x89PNG\r\n\x1a\n": "pngload",
    b"II*\0": "tiffload",
    b"MM\0*": "tiffload",
    b"II+\0": "tiffload",
    b"MM\0+": "tiffload",
}
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
    _loader: str
    _pages: tuple[int, ...]

    def smaller(self, factor: float) -> pyvips.Image:
        """Return the coarsest stored version that is at least as fine as a downsample, like ``rgb``.

        Only the SubIFDs of a TIFF are considered; if none suits, ``rgb`` is returned.
        """
        best, width, height = self.rgb, self.rgb.width, self.rgb.height
        first = _load(self.path, self._loader, page=self._pages[0]) if self._loader == "tiffload" else None
        for index in range(first.get("n-subifds") if first and first.get_typeof("n-subifds") else 0):
            level = self._read(subifd=index)
            has_shape = abs(level.height * width - height * level.width) <= 2 * max(width, height)
            if has_shape and level.width < best.width and width <= level.width * factor * 1.005:
                best = level
        with about(file=self.path):
            return best if best is self.rgb else _to_rgb(best)

    def unreadable(self, error: pyvips.Error) -> InputError:
        """Turn a reading error into an `InputError` that says what is wrong and, as far as known, where."""
        place = "" if _is_unsupported(error) else self._damage()
        problem = _unreadable(error, place)
        problem.file = str(self.path)
        return problem

    def check(self) -> None:
        """Read all pixels, and raise what is wrong with them as an `InputError`."""
        try:
            self._read().avg()
        except pyvips.Error as error:
            raise self.unreadable(error) from error

    def _read(self, **options: object) -> pyvips.Image:
        return _load_pages(self.path, self._loader, self._pages, **options)

    def _damage(self) -> str:
        """Read piece by piece until that fails again; return where, as a clause, or nothing."""
        image = self._read()
        whole = ("jpeg-multiscan", "interlaced")  # these have no rows to read one by one
        if self._loader == "webpload" or any(image.get_typeof(name) and image.get(name) for name in whole):
            return ""
        if image.get_typeof("tile-width"):
            width, height = image.get("tile-width"), image.get("tile-height")
            image = self._read(access="random")
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
                    if self._loader == "jpegload" and "end of JPEG" not in error.detail:
                        # After damage a decoder carries on with garbage until something impossible turns up.
                        return f", it is damaged within its first {min(y + height, image.height)} rows"
                    return f" from row {y} of {image.height} on"
        return ""


@about_its_file
def open_image(path: str | os.PathLike) -> ImageFile:
    """Open a picture; in an OME-TIFF the slide itself, never its label or macro image.

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
        loader = _loader(path)
        image = _load(path, loader)
        mpp, pages = None, (0,)
        description = image.get("image-description") if image.get_typeof("image-description") else ""
        ome = slide_image(description) if loader == "tiffload" else None
        if ome is None and loader == "tiffload" and OME_NAMESPACE in description:
            logger.warning("the OME-XML of the slide cannot be understood; it is read like any other TIFF")
        if ome is not None:
            pages = _ome_pages(ome, image)
            image = _load_pages(path, loader, pages)
            if (image.width, image.height) == ome.size:
                mpp = ome.mpp
            else:
                logger.warning("the OME-XML describes an image of another size; its pixel size is not used")
        rgb = _to_rgb(image)
    except (OSError, pyvips.Error) as error:
        raise _unreadable(error) from error
    return ImageFile(path, rgb, _believed(mpp or _resolution(image)), loader, pages)


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


def _loader(path: str | os.PathLike) -> str:
    with open(path, "rb") as handle:
        start = handle.read(12)
    if start[:4] == b"RIFF" and start[8:] == b"WEBP":
        return "webpload"
    for magic, loader in LOADERS.items():
        if start.startswith(magic):
            return loader
    raise InputError(
        "the picture cannot be read (it does not begin like one)" if start else "the file is empty",
        expected="a whole JPEG, PNG, WebP or TIFF picture",
        action="copy it again from its source, or save it again as TIFF or PNG",
    )


def _load(path: str | os.PathLike, loader: str, **options: object) -> pyvips.Image:
    # With "error" libvips returns black where it cannot decode a TIFF tile, and garbage after a damaged
    # place in a JPEG. "warning" includes "error"; private TIFF tags and odd metadata still pass.
    options = {"access": "sequential", "fail_on": "warning", "revalidate": True} | options
    if loader == "tiffload":
        # The default limits libtiff to 50 MB, which refuses a picture stored as one compressed strip.
        options["unlimited"] = True
    return getattr(pyvips.Image, loader)(os.fspath(path), **options)


def _load_pages(
    path: str | os.PathLike, loader: str, pages: tuple[int, ...], **options: object
) -> pyvips.Image:
    """Load one image, or the three that are its red, green and blue."""
    if len(pages) == 1:
        return _load(path, loader, **(options | ({"page": pages[0]} if pages[0] else {})))
    red, *others = (_load(path, loader, page=page, **options) for page in pages)
    return red.bandjoin(others).copy(interpretation="srgb")


def _ome_pages(ome: OmeImage, first: pyvips.Image) -> tuple[int, ...]:
    number = first.get("n-pages")
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


def _to_rgb(image: pyvips.Image) -> pyvips.Image:
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
    rgb = image.colourspace("srgb")
    if rgb.hasalpha():
        rgb = rgb.flatten(background=255)
    if rgb.bands != 3:
        raise InputError(
            f"the picture has {image.bands} channels",
            expected="RGB, with or without an alpha channel",
            action="save it again as 8-bit RGB",
        )
    return rgb


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
    unsupported = _is_unsupported(error)
    readable = "JPEG, PNG, WebP, or a TIFF with JPEG, deflate, LZW, zstd or no compression"
    return InputError(
        f"the picture cannot be read{place} ({reason(error)})",
        expected=readable if unsupported else "a whole picture",
        action=("" if unsupported else "copy it again from its source, or ") + "save it again as TIFF or PNG",
    )
