"""Whether a slide's file holds all its pixels, judged by its tags; no pixel is read."""

import os
from pathlib import Path

from ressat.base.errors import InputError
from ressat.slides.tiff_tags import PLACES, Tag, TiffImage, read_tiff

# Scanner formats that are TIFF inside. Not ndpi: beyond 4 GB its offsets differ from TIFF's.
TIFF_SLIDES = (".tif", ".tiff", ".qptiff", ".btf", ".tf8", ".svs", ".scn", ".bif", ".svslide")
TAGS = PLACES | {Tag.IMAGE_WIDTH, Tag.IMAGE_LENGTH, Tag.TILE_WIDTH, Tag.TILE_LENGTH, Tag.ROWS_PER_STRIP}


def require_whole(path: str | os.PathLike) -> None:
    """Refuse a TIFF, or a slide that is TIFF inside, if the file ends before the pixels of its levels.

    OpenSlide opens a file that was cut short as long as its tags are there, and notices only when
    it reads the missing part.

    Raises
    ------
    InputError
        If tiles or strips lie beyond the file's end. Files of other formats, and damaged tags, are left to
        what opens them.
    """
    if Path(path).suffix.lower() not in TIFF_SLIDES:
        return
    try:
        tiff = read_tiff(path, TAGS)
    except InputError:
        return
    main = tiff.images[0]
    for image in (image for image in tiff.images if image is main or image.is_tiled):
        missing, number, first = _gaps(image, tiff.file_size)
        if missing:
            scale = main.size[0] / max(1, image.size[0])
            parts = "tiles" if image.is_tiled else "strips"
            x, y = (round(edge * scale) for edge in _corner(image, first))
            raise InputError(
                f"the slide is cut short: in its image of {image.size[0]} x {image.size[1]} px, {missing} of "
                f"{number} {parts} lie beyond the file's end, the first at level-0 pixel x={x}, y={y}",
                expected="a whole file",
                action="copy it again from its source",
                file=path,
            )


def _gaps(image: TiffImage, file_size: int) -> tuple[int, int, int]:
    """Count the tiles or strips beyond the file's end, and all of them; and find the first one beyond."""
    kind = (Tag.TILE_OFFSETS, Tag.TILE_BYTE_COUNTS)
    if not image.is_tiled:
        kind = (Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS)
    offsets, lengths = (image.integers.get(tag, ()) for tag in kind)
    present, needed = min(len(offsets), len(lengths)), _parts(image)
    # A damaged size makes a picture of terabytes out of nothing, which takes hours to read.
    if present and present < needed:
        return needed - present, needed, present
    beyond = [
        index
        for index, (offset, length) in enumerate(zip(offsets, lengths, strict=False))
        if offset + length > file_size
    ]
    return len(beyond), len(offsets), beyond[0] if beyond else 0


def _parts(image: TiffImage) -> int:
    """How many tiles or strips an image of this size has in each plane."""
    width, height = image.size
    if not image.is_tiled:
        return -(-height // max(1, image.first(Tag.ROWS_PER_STRIP, height)))
    tile = (max(1, image.first(Tag.TILE_WIDTH)), max(1, image.first(Tag.TILE_LENGTH)))
    return -(-width // tile[0]) * -(-height // tile[1])


def _corner(image: TiffImage, index: int) -> tuple[int, int]:
    """Top left corner of a tile or strip, in pixels of its image."""
    width, height = image.size
    tile = (image.first(Tag.TILE_WIDTH), image.first(Tag.TILE_LENGTH))
    if not image.is_tiled:
        tile = (width, image.first(Tag.ROWS_PER_STRIP, height))
    across, down = max(1, -(-width // max(1, tile[0]))), max(1, -(-height // max(1, tile[1])))
    index %= across * down  # separate planes come one after the other
    return index % across * tile[0], index // across * tile[1]
