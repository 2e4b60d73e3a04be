"""The tags of a TIFF's images: standard library only, a few kilobytes read, no pixel."""

import os
import struct
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

from ressat.base.errors import InputError


class Tag(IntEnum):
    """The TIFF tags that matter here, by their names in the TIFF 6.0 specification and its supplements."""

    NEW_SUBFILE_TYPE = 254
    IMAGE_WIDTH = 256
    IMAGE_LENGTH = 257
    BITS_PER_SAMPLE = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    IMAGE_DESCRIPTION = 270
    MAKE = 271
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    SAMPLES_PER_PIXEL = 277
    ROWS_PER_STRIP = 278
    STRIP_BYTE_COUNTS = 279
    PLANAR_CONFIG = 284
    SOFTWARE = 305
    TILE_WIDTH = 322
    TILE_LENGTH = 323
    TILE_OFFSETS = 324
    TILE_BYTE_COUNTS = 325
    SUB_IFDS = 330
    SAMPLE_FORMAT = 339
    XMP = 700
    NDPI_FORMAT = 65420  # Hamamatsu's own


# Where the pixels are: long, with a value per tile, and of no use to most callers.
PLACES = frozenset({Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS, Tag.TILE_OFFSETS, Tag.TILE_BYTE_COUNTS})
USUAL = frozenset(Tag) - PLACES

# Bytes per value by TIFF data type, and the types that hold unsigned integers.
TYPES_BY_SIZE = {1: (1, 2, 6, 7), 2: (3, 8), 4: (4, 9, 11, 13), 8: (5, 10, 12, 16, 17, 18)}
TYPE_SIZES = {kind: size for size, kinds in TYPES_BY_SIZE.items() for kind in kinds}
INTEGERS = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}

REDUCED = 1  # bit of the subfile type: a reduced-resolution version of another image
TEXT_READ = 1 << 16  # bytes of a text tag that are read


class UnknownType(Exception):
    """A directory holds a data type that OpenSlide's own TIFF parser gives up on."""


@dataclass(frozen=True)
class TiffImage:
    """Some tags of one TIFF directory: integers, or text for those that hold text."""

    integers: dict[int, tuple[int, ...]]
    texts: dict[int, bytes]

    def first(self, tag: int, default: int = 0) -> int:
        """Return the first value of an integer tag."""
        return self.integers.get(tag, (default,))[0]

    def text(self, tag: int) -> bytes:
        """Return the beginning of a text tag."""
        return self.texts.get(tag, b"")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.first(Tag.IMAGE_WIDTH), self.first(Tag.IMAGE_LENGTH)

    @property
    def is_tiled(self) -> bool:
        """Whether it is stored in tiles, not in strips."""
        return bool(self.first(Tag.TILE_WIDTH) and self.first(Tag.TILE_LENGTH))

    @property
    def is_reduced(self) -> bool:
        """Whether it is marked as a smaller version of another image."""
        return bool(self.first(Tag.NEW_SUBFILE_TYPE) & REDUCED)


@dataclass(frozen=True)
class Tiff:
    """The images of a TIFF's main chain, the file's size in bytes, and its kind."""

    images: list[TiffImage]
    file_size: int
    is_classic_big_endian: bool


def read_tiff(path: str | os.PathLike, tags: Collection[int] = USUAL) -> Tiff:
    """Read tags of the images in a TIFF's main chain; SubIFDs are not followed.

    Parameters
    ----------
    path
        The file, classic TIFF or BigTIFF, of either byte order.
    tags
        The tags to read, which must include the images' width and height.

    Raises
    ------
    InputError
        The file cannot be opened, is not a TIFF, or its directories are damaged.
    UnknownType
        A tag has a data type that is not in the specification.
    """
    try:
        with open(path, "rb") as handle:
            return _read(handle, path, tags)
    except OSError as error:
        raise InputError(
            f"the file cannot be opened ({error.strerror})",
            expected="a readable TIFF",
            action="correct the slide's path in the sheet or the file's permissions",
            file=path,
        ) from error


def _read(handle: BinaryIO, path: str | os.PathLike, tags: Collection[int]) -> Tiff:
    size = os.fstat(handle.fileno()).st_size
    order = {b"II": "<", b"MM": ">"}.get(handle.read(2))
    header = handle.read(14)
    version = struct.unpack(order + "H", header[:2])[0] if order and len(header) >= 2 else None
    if version not in (42, 43):
        raise InputError(
            "the file is empty" if size == 0 else "the file does not begin like a TIFF",
            expected="a TIFF, as the file's name says",
            action="copy it again from its source, or give it the extension of its real format",
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
            image, offset = _directory(handle, offset, order, is_big, size, tags)
            images.append(image)
        if not images or not all(images[0].size):
            raise EOFError
    except (EOFError, struct.error) as error:
        raise InputError(
            f"the TIFF is damaged or cut short (its tags are not where they should be in its {size} bytes)",
            expected="a whole TIFF",
            action="copy it again from its source",
            file=path,
        ) from error
    return Tiff(images, size, order == ">" and not is_big)


def _directory(
    handle: BinaryIO, offset: int, order: str, is_big: bool, size: int, tags: Collection[int]
) -> tuple[TiffImage, int]:
    entry = struct.Struct(order + ("HHQ8s" if is_big else "HHI4s"))
    pointer = struct.Struct(order + ("Q" if is_big else "I"))
    counter = struct.Struct(order + ("Q" if is_big else "H"))
    (count,) = counter.unpack(_bytes(handle, offset, counter.size, size))
    entries = _bytes(handle, offset + counter.size, count * entry.size + pointer.size, size)
    integers, texts = {}, {}
    for tag, kind, values, field in entry.iter_unpack(entries[: -pointer.size]):
        if kind not in TYPE_SIZES:
            raise UnknownType
        if tag not in tags:
            continue
        length = values * TYPE_SIZES[kind]
        if length > len(field):
            (start,) = pointer.unpack(field)
            field = _bytes(handle, start, length if tag in PLACES else min(length, TEXT_READ), size)
        if kind in INTEGERS:
            number = min(length, len(field)) // TYPE_SIZES[kind]
            integers[tag] = struct.unpack_from(f"{order}{number}{INTEGERS[kind]}", field) or (0,)
        else:
            texts[tag] = field[: min(length, len(field))]
    return TiffImage(integers, texts), pointer.unpack(entries[-pointer.size :])[0]


def _bytes(handle: BinaryIO, offset: int, length: int, size: int) -> bytes:
    # Checked first: a garbage count must not make us ask for gigabytes.
    if offset + length > size:
        raise EOFError
    handle.seek(offset)
    return handle.read(length)
