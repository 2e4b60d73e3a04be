"""Whether a slide's file can hold all its pixels, judged by its tags; no pixel is read."""

import math
import os
from pathlib import Path

from ressat.base.errors import InputError, about
from ressat.slides.level_zero import image_at, slide_place
from ressat.slides.tiff_tags import PLACES, USUAL, Tag, TiffImage, read_tiff

# Scanner formats that are TIFF inside. Not ndpi: beyond 4 GB its offsets differ from TIFF's.
TIFF_SLIDES = (".tif", ".tiff", ".qptiff", ".btf", ".tf8", ".svs", ".scn", ".bif", ".svslide")
# A file that unpacks to far more than it holds, by repeating tiles or by damaged tags, would take hours to
# read. Blank tiles of real slides have 200 px per byte, and some writers store one for all blank places.
MOST_PX_PER_BYTE, LARGE_PX = 2000, 1_000_000_000
# A tile or strip is unpacked whole, in memory.
LARGEST_PART_BYTES = 2**32


def require_whole(path: str | os.PathLike) -> None:
    """Refuse a TIFF, or a slide that is TIFF inside, if the file ends before the pixels of its levels.

    OpenSlide opens a file that was cut short as long as its tags are there, and notices only when
    it reads the missing part.

    Raises
    ------
    InputError
        If tiles or strips lie beyond the file's end, are too large to be unpacked, or are the same few again
        and again. Files of other formats, and damaged tags, are left to
        what opens them.
    """
    if Path(path).suffix.lower() not in TIFF_SLIDES:
        return
    try:
        tiff = read_tiff(path, USUAL | PLACES)
        main = image_at(tiff, slide_place(tiff))
    except InputError:
        return
    tiled = [image for image in tiff.images if image.is_tiled and image is not main]
    for image in (main, *tiled):
        with about(file=path):
            _refuse_bomb(image)
        missing, number, first = _gaps(image, tiff.file_size)
        if missing:
            scale = main.size[0] / max(1, image.size[0])
            parts = "tiles" if image.is_tiled else "strips"
            x, y = (round(edge * scale) for edge in part_corner(image, first))
            raise InputError(
                f"the slide is cut short: in its image of {image.size[0]} x {image.size[1]} px, {missing} of "
                f"{number} {parts} lie beyond the file's end, the first at level-0 pixel x={x}, y={y}",
                expected="a whole file",
                action="copy it again from its source",
                file=path,
            )


def _refuse_bomb(image: TiffImage) -> None:
    width, height = image.size
    part = part_size(image)
    kind = "tile" if image.is_tiled else "strip"
    samples, bits = image.first(Tag.SAMPLES_PER_PIXEL, 1), image.first(Tag.BITS_PER_SAMPLE, 1)
    unpacked = math.prod(part) * samples * bits // 8
    if unpacked > LARGEST_PART_BYTES:
        raise InputError(
            f"a {kind} of its image of {width} x {height} px has {part[0]} x {part[1]} px, "
            f"{unpacked / 2**30:.0f} GB in memory",
            expected=f"tiles or strips of at most {LARGEST_PART_BYTES / 2**30:.0f} GB",
            action="save it again in tiles, or in strips of fewer rows",
        )
    stored = [(offset, length) for offset, length in stored_parts(image) if length]
    pixels, held = len(stored) * math.prod(part), sum(length for _, length in set(stored))
    if pixels > max(LARGE_PX, held * MOST_PX_PER_BYTE):
        raise InputError(
            f"the {len(stored)} {kind}s of its image of {width} x {height} px are copies of "
            f"{len(set(stored))}, of {held} bytes together",
            expected="a slide with pixels of its own at most places",
            action="export the slide again",
        )


def stored_parts(image: TiffImage) -> list[tuple[int, int]]:
    """Return place and length in the file of every tile or strip."""
    kind = (Tag.TILE_OFFSETS, Tag.TILE_BYTE_COUNTS)
    if not image.is_tiled:
        kind = (Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS)
    offsets, lengths = (image.integers.get(tag, ()) for tag in kind)
    return list(zip(offsets, lengths, strict=False))


def _gaps(image: TiffImage, file_size: int) -> tuple[int, int, int]:
    """Count the tiles or strips beyond the file's end, and all of them; and find the first one beyond."""
    stored = stored_parts(image)
    present, needed = len(stored), _parts(image)
    # A damaged size makes a picture of terabytes out of nothing, which takes hours to read.
    if present and present < needed:
        return needed - present, needed, present
    beyond = [index for index, (offset, length) in enumerate(stored) if offset + length > file_size]
    return len(beyond), present, beyond[0] if beyond else 0


def _parts(image: TiffImage) -> int:
    """How many tiles or strips an image of this size has in each plane."""
    (width, height), (part_width, part_height) = image.size, part_size(image)
    return -(-width // part_width) * -(-height // part_height)


def part_size(image: TiffImage) -> tuple[int, int]:
    """Return width and height of a tile or strip, in pixels of its image."""
    width, height = image.size
    if image.is_tiled:
        return image.first(Tag.TILE_WIDTH), image.first(Tag.TILE_LENGTH)
    return width, max(1, min(height, image.first(Tag.ROWS_PER_STRIP, height)))


def part_corner(image: TiffImage, index: int) -> tuple[int, int]:
    """Return the top left corner of a tile or strip, in pixels of its image."""
    (width, height), (part_width, part_height) = image.size, part_size(image)
    across, down = max(1, -(-width // part_width)), max(1, -(-height // part_height))
    index %= across * down  # separate planes come one after the other
    return index % across * part_width, index // across * part_height
