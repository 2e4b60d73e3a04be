"""A picture rewritten as a pyramidal TIFF that OpenSlide reads, streamed through libvips."""

import os

import pyvips

from ressat.slides.image_file import libvips_messages_in_log, open_image, reason

TILE_PX = 256

# Above this size of the uncompressed level 0 a pyramid might outgrow the 4 GB of a classic TIFF.
CLASSIC_TIFF_BYTES = 2**31


def convert(
    source: str | os.PathLike,
    target: str | os.PathLike,
    *,
    mpp: float,
    quality: int = 95,
) -> tuple[int, int]:
    """Write a picture as a tiled pyramidal TIFF with JPEG compression, all levels in its main chain.

    Level 0 has the pixels of `ImageFile.rgb`, and nothing but pixels and their size is carried over. The
    picture is streamed, using 0.2 GB of memory for 30,000 x 30,000 px. A progressive JPEG and an interlaced
    PNG have no rows to stream and take 3 to 6 bytes per pixel.

    Parameters
    ----------
    source
        A picture that `open_image` accepts.
    target
        Path to write to; its name need not end in ``.tiff``.
    mpp
        Size of its pixels in um/px.
    quality
        JPEG quality, 1 to 100. Colour is subsampled below 90.

    Returns
    -------
    tuple of int
        Width and height of level 0 in pixels.

    Raises
    ------
    InputError
        The picture is truncated, corrupt, of an unknown format, not in colour, or of a pixel type
        other than 8 or 16 bit.
    """
    with libvips_messages_in_log():
        picture = open_image(source)
        rgb = picture.rgb.copy()
        rgb.remove("orientation")  # libvips would write it, and OpenSlide rotate each tile on its own
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
                xres=1000 / mpp,
                yres=1000 / mpp,
                resunit="cm",
                # A profile may belong to the original colour space, and descriptions may name a patient.
                keep="none",
            )
        except pyvips.Error as error:
            picture.check()
            raise OSError(f"cannot write {os.fspath(target)}: {reason(error)}") from error
    return rgb.width, rgb.height
