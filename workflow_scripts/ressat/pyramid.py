"""A picture rewritten as a pyramidal TIFF that OpenSlide reads, streamed through libvips."""

import os
from dataclasses import dataclass

import pyvips

from ressat.picture_source import libvips_messages_logged, open_picture, reason

TILE_PX = 256

# libvips cannot leave the resolution tags out. Without an mpp it writes its default of 1 px/mm, which
# OpenSlide reports as openslide.mpp-x = 1000: outside `MPP_RANGE`, so absent to whoever reads it.
PX_PER_MM_UNKNOWN = 1.0

# Above this size of the uncompressed level 0 a pyramid might outgrow the 4 GB of a classic TIFF.
CLASSIC_TIFF_BYTES = 2**31

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

    Level 0 has the pixels of `Picture.rgb`. The picture is streamed, in 0.2 GB of memory for 30,000 x 30,000 px. A progressive JPEG and an
    interlaced PNG have no rows to stream and take 3 to 6 bytes per pixel.

    Parameters
    ----------
    source
        A picture as `open_picture` takes it.
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
    with libvips_messages_logged():
        picture = open_picture(source, section)
        mpp_source = "sheet" if mpp is not None else None
        if mpp is None:
            mpp = picture.mpp
            mpp_source = None if mpp is None else "file"
        px_per_mm = PX_PER_MM_UNKNOWN if mpp is None else 1000 / mpp
        rgb = picture.rgb.copy()
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
                bigtiff=rgb.width * rgb.height * 3 > CLASSIC_TIFF_BYTES,
                xres=px_per_mm,
                yres=px_per_mm,
                resunit="cm",
                # A profile may be of a colour space that was left, and descriptions may name a patient.
                keep="none",
            )
        except pyvips.Error as error:
            picture.check()
            raise OSError(f"cannot write {os.fspath(target)}: {reason(error)}") from error
    return Pyramid(rgb.width, rgb.height, mpp, mpp_source)
