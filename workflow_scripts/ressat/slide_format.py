"""Whether OpenSlide reads a file as a slide, told from its name and, for TIFF, its tags.

Runs for every slide of the sheet while the workflow is parsed, where there is no OpenSlide: standard
library only, a few kilobytes read per TIFF, no pixel. The rules for TIFF are those by which
OpenSlide 4.0 takes a file (its documentation of formats, and measurement), on the safe side where its
builds differ: a needless conversion costs minutes, a slide that cannot be opened costs the run.
"""

import os
import struct
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

from ressat.errors import InputError

SLIDE_SUFFIXES = (".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide", ".dcm", ".czi")
TIFF_SUFFIXES = (".tif", ".tiff")
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


class Tag(IntEnum):
    """The TIFF tags that tell, by their names in the TIFF 6.0 specification and its supplements."""

    NEW_SUBFILE_TYPE = 254
    IMAGE_WIDTH = 256
    IMAGE_LENGTH = 257
    BITS_PER_SAMPLE = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    IMAGE_DESCRIPTION = 270
    MAKE = 271
    ORIENTATION = 274
    SAMPLES_PER_PIXEL = 277
    SOFTWARE = 305
    TILE_WIDTH = 322
    TILE_LENGTH = 323
    SUB_IFDS = 330
    SAMPLE_FORMAT = 339
    XMP = 700
    NDPI_FORMAT = 65420  # Hamamatsu's own


WANTED = frozenset(Tag)

# Bytes per value by TIFF data type, and the types that hold unsigned integers.
TYPES_BY_SIZE = {1: (1, 2, 6, 7), 2: (3, 8), 4: (4, 9, 11, 13), 8: (5, 10, 12, 16, 17, 18)}
TYPE_SIZES = {kind: size for size, kinds in TYPES_BY_SIZE.items() for kind in kinds}
INTEGERS = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}

# none, LZW, JPEG, deflate, PackBits, deflate (old number), zstd: what every build of OpenSlide decodes.
COMPRESSIONS = {1, 5, 7, 8, 32773, 32946, 50000}
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
REDUCED = 1  # bit of the subfile type: a reduced-resolution version of another image
TEXT_READ = 1 << 16  # bytes of a text tag that are looked at


class _UnknownType(Exception):
    """A directory holds a data type that OpenSlide's own TIFF parser gives up at."""


@dataclass(frozen=True)
class _Image:
    """The wanted tags of one TIFF directory: integers, or the text of those that hold text."""

    integers: dict[int, tuple[int, ...]]
    texts: dict[int, bytes]

    def first(self, tag: int, default: int = 0) -> int:
        return self.integers.get(tag, (default,))[0]

    def text(self, tag: int) -> bytes:
        return self.texts.get(tag, b"")

    @property
    def is_tiled(self) -> bool:
        return Tag.TILE_WIDTH in self.integers and Tag.TILE_LENGTH in self.integers

    @property
    def is_reduced(self) -> bool:
        return bool(self.first(Tag.NEW_SUBFILE_TYPE) & REDUCED)


def needs_conversion(path: str | os.PathLike) -> bool:
    """Say whether OpenSlide cannot read a file as the slide that it is.

    Parameters
    ----------
    path
        A slide of the sheet. Slide formats of scanners are taken as they are and pictures are always
        converted, by their names alone; a TIFF is looked into.

    Returns
    -------
    bool
        True where the file must be rewritten first: OpenSlide does not open it, does not see all
        levels of its pyramid, misreads its pixels, or does not see its pixel size (OME-TIFF).

    Raises
    ------
    InputError
        The name ends in no format that can be read, or the TIFF's header or directories are damaged.
    """
    suffix = Path(path).suffix.lower()
    if suffix in SLIDE_SUFFIXES:
        return False
    if suffix in PICTURE_SUFFIXES:
        return True
    if suffix not in TIFF_SUFFIXES:
        known = " ".join(SLIDE_SUFFIXES + TIFF_SUFFIXES + PICTURE_SUFFIXES)
        raise InputError(
            f"the name ends in '{suffix}'" if suffix else "the name has no ending",
            expected=f"a slide, TIFF or picture ({known})",
            action="save the image as TIFF or PNG",
            file=path,
        )
    try:
        with open(path, "rb") as handle:
            return not _opens(*_read_tiff(handle, path))
    except _UnknownType:
        return True
    except OSError as error:
        raise InputError(
            f"the file cannot be opened ({error.strerror})",
            expected="a readable TIFF",
            action="correct the slide's path in the sheet or the file's permissions",
            file=path,
        ) from error


def _opens(images: list[_Image], is_classic_big_endian: bool) -> bool:
    main, others = images[0], images[1:]
    # OpenSlide reads the offsets of a classic TIFF eight bytes wide (Hamamatsu's files beyond 4 GB need
    # it) and looks into the wrong half of them in big-endian files.
    if is_classic_big_endian:
        return False
    # The two scanner formats whose first image need not be tiled.
    if Tag.NDPI_FORMAT in main.integers or b"iScan" in main.text(Tag.XMP):
        return True
    if not main.is_tiled:
        return False
    if _is_scanner_format(main):
        return True
    # OpenSlide opens an OME-TIFF as any TIFF: without its pixel size and, where the channels are images of
    # their own, as its first channel.
    if b"openmicroscopy.org" in main.text(Tag.IMAGE_DESCRIPTION) or Tag.SUB_IFDS in main.integers:
        return False
    levels = [main] + [image for image in others if image.is_tiled and image.is_reduced]
    unseen = [image for image in others if not image.is_reduced and _is_smaller_copy(image, main)]
    return not unseen and all(_is_read_right(level) for level in levels)


def _is_scanner_format(image: _Image) -> bool:
    description = image.text(Tag.IMAGE_DESCRIPTION)
    return (
        description.startswith(b"Aperio")
        or b"www.leica-microsystems.com/scn/" in description
        or image.text(Tag.SOFTWARE).startswith((b"Philips", b"MedScan"))
        or image.text(Tag.MAKE).startswith(b"Huron")
    )


def _is_smaller_copy(image: _Image, main: _Image) -> bool:
    # Thumbnails, labels and overview pictures are striped, and are not missed.
    if not image.is_tiled or not image.first(Tag.IMAGE_WIDTH) < main.first(Tag.IMAGE_WIDTH):
        return False
    height = main.first(Tag.IMAGE_LENGTH) * image.first(Tag.IMAGE_WIDTH) / main.first(Tag.IMAGE_WIDTH)
    return abs(image.first(Tag.IMAGE_LENGTH) - height) <= 2  # each halving rounds


def _is_read_right(image: _Image) -> bool:
    photometric, samples = image.first(Tag.PHOTOMETRIC, -1), image.first(Tag.SAMPLES_PER_PIXEL, 1)
    one_sample = photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE) and samples == 1
    return (
        image.first(Tag.COMPRESSION, 1) in COMPRESSIONS
        and image.first(Tag.BITS_PER_SAMPLE, 1) in (8, 16)
        and image.first(Tag.SAMPLE_FORMAT, 1) == 1  # unsigned: signed and floating-point pixels are misread
        and image.first(Tag.ORIENTATION, 1) == 1  # else each tile would be turned by itself
        and (one_sample or (photometric in (RGB, CMYK, YCBCR) and samples in (3, 4)))
    )


def _read_tiff(handle: BinaryIO, path: str | os.PathLike) -> tuple[list[_Image], bool]:
    """Read the directories of a TIFF's main chain, and whether it is a classic big-endian one."""
    size = os.fstat(handle.fileno()).st_size
    order = {b"II": "<", b"MM": ">"}.get(handle.read(2))
    header = handle.read(14)
    version = struct.unpack(order + "H", header[:2])[0] if order and len(header) >= 2 else None
    if version not in (42, 43):
        raise InputError(
            "the file is empty" if size == 0 else "the file does not begin as a TIFF does",
            expected="a TIFF, as the file's name says",
            action="copy it again from its source, or give it the ending of its real format",
            file=path,
        )
    is_big = version == 43
    try:
        (offset,) = struct.unpack_from(order + ("Q" if is_big else "I"), header, 6 if is_big else 2)
        images, seen = [], set()
        while offset:
            if offset in seen:
                raise EOFError
            seen.add(offset)
            image, offset = _read_directory(handle, offset, order, is_big, size)
            images.append(image)
        if not images or not (images[0].first(Tag.IMAGE_WIDTH) and images[0].first(Tag.IMAGE_LENGTH)):
            raise EOFError
    except (EOFError, struct.error) as error:
        raise InputError(
            f"the TIFF is damaged or cut short (its tags are not where they should be in its {size} bytes)",
            expected="a whole TIFF",
            action="copy it again from its source",
            file=path,
        ) from error
    return images, order == ">" and not is_big


def _read_directory(handle: BinaryIO, offset: int, order: str, is_big: bool, size: int) -> tuple[_Image, int]:
    entry = struct.Struct(order + ("HHQ8s" if is_big else "HHI4s"))
    pointer = struct.Struct(order + ("Q" if is_big else "I"))
    counter = struct.Struct(order + ("Q" if is_big else "H"))
    (count,) = counter.unpack(_read(handle, offset, counter.size, size))
    entries = _read(handle, offset + counter.size, count * entry.size + pointer.size, size)
    integers, texts = {}, {}
    for tag, kind, values, field in entry.iter_unpack(entries[: -pointer.size]):
        if kind not in TYPE_SIZES:
            raise _UnknownType
        if tag not in WANTED:
            continue
        length = values * TYPE_SIZES[kind]
        if length > len(field):
            (start,) = pointer.unpack(field)
            field = _read(handle, start, min(length, TEXT_READ), size)
        if kind in INTEGERS:
            number = min(length, len(field)) // TYPE_SIZES[kind]
            integers[tag] = struct.unpack_from(f"{order}{number}{INTEGERS[kind]}", field) or (0,)
        else:
            texts[tag] = field[: min(length, len(field))]
    return _Image(integers, texts), pointer.unpack(entries[-pointer.size :])[0]


def _read(handle: BinaryIO, offset: int, length: int, size: int) -> bytes:
    # Checked first: a garbage count must not make us ask for gigabytes.
    if offset + length > size:
        raise EOFError
    handle.seek(offset)
    return handle.read(length)
