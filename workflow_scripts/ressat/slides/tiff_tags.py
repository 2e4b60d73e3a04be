"""The tags of a TIFF's images: standard library only, a few kilobytes read, no pixel."""

import os
import struct
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import BinaryIO

from ressat.base.errors import InputError
from ressat.base.machine import refuse_trouble


class Tag(IntEnum):
    """The TIFF tags that matter here, by their names in the TIFF 6.0 specification and its supplements."""

    NEW_SUBFILE_TYPE = 254
    IMAGE_WIDTH = 256
    IMAGE_LENGTH = 257
    SUBFILE_TYPE = 255
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
    MAX_SAMPLE_VALUE = 281
    PLANAR_CONFIG = 284
    RESOLUTION_UNIT = 296
    SOFTWARE = 305
    TILE_WIDTH = 322
    TILE_LENGTH = 323
    TILE_OFFSETS = 324
    TILE_BYTE_COUNTS = 325
    SUB_IFDS = 330
    EXTRA_SAMPLES = 338
    SAMPLE_FORMAT = 339
    SMAX_SAMPLE_VALUE = 341
    XMP = 700
    NDPI_FORMAT = 65420  # Hamamatsu's own


# Where the pixels are: long, with a value per tile, and of no use to most callers.
PLACES = frozenset({Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS, Tag.TILE_OFFSETS, Tag.TILE_BYTE_COUNTS})
USUAL = frozenset(Tag) - PLACES

# Bytes per value by TIFF data type, and the types that hold unsigned integers.
TYPES_BY_SIZE = {1: (1, 2, 6, 7), 2: (3, 8), 4: (4, 9, 11, 13), 8: (5, 10, 12, 16, 17, 18)}
TYPE_SIZES = {kind: size for size, kinds in TYPES_BY_SIZE.items() for kind in kinds}
INTEGERS = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}

# Bits of the subfile type: a reduced-resolution version of another image, and a transparency mask.
REDUCED, MASK = 1, 4
# Kinds of a channel beyond the colours that are transparency, multiplied into the colours or not.
TRANSPARENCY = (1, 2)
# No unit, inch and centimetre; tifffile also writes 4 and 5, of which libtiff knows nothing.
NO_UNIT, RESOLUTION_UNITS = 1, (1, 2, 3)
REDUCED_OLD = 2  # value of the older tag of this name: the same as the bit
TEXT_READ = 1 << 16  # bytes of a text tag that are read
# More than any slide has; a crafted file could name millions within a few kilobytes.
MOST_IMAGES, MOST_TAGS = 10_000, 4096


class _Circle(Exception):
    """Directories that lead back to one another."""


@dataclass(frozen=True)
class TiffImage:
    """Some tags of one TIFF directory: integers, or text for those that hold text.

    Attributes
    ----------
    integers, texts
        By tag.
    subimages
        Those of its SubIFDs, if asked for. Theirs are not followed.
    """

    integers: dict[int, tuple[int, ...]]
    texts: dict[int, bytes]
    subimages: tuple["TiffImage", ...] = ()

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
        return bool(self.first(Tag.NEW_SUBFILE_TYPE) & REDUCED) or (
            self.first(Tag.SUBFILE_TYPE) == REDUCED_OLD
        )

    @property
    def is_mask(self) -> bool:
        """Whether it is marked as another image's transparency."""
        return bool(self.first(Tag.NEW_SUBFILE_TYPE) & MASK)


@dataclass(frozen=True)
class Tiff:
    """A whole TIFF.

    Attributes
    ----------
    images
        Those of its main chain.
    file_size
        In bytes.
    is_classic_big_endian
        Whether it is, and no BigTIFF.
    has_unknown_type
        Whether the main chain holds a data type that is not in the specification: OpenSlide's own parser
        gives up on it.
    patches
        Bytes to put over places of the file so that the tags of each image are sorted and each is there
        once, as the specification asks for, and so that a unit of resolution that is not in it is none.
    """

    images: list[TiffImage]
    file_size: int
    is_classic_big_endian: bool
    has_unknown_type: bool
    patches: tuple[tuple[int, bytes], ...]


def stated_bits(image: TiffImage) -> int | None:
    """Return the bits per channel by the tag of the largest value, where that is all ones; else None."""
    largest = image.first(Tag.SMAX_SAMPLE_VALUE) or image.first(Tag.MAX_SAMPLE_VALUE)
    return largest.bit_length() if largest > 1 and largest & (largest + 1) == 0 else None


def read_tiff(path: str | os.PathLike, tags: Collection[int] = USUAL) -> Tiff:
    """Read tags of the images in a TIFF's main chain and, if asked for the tag, of their SubIFDs.

    Parameters
    ----------
    path
        The file, classic TIFF or BigTIFF, of either byte order.
    tags
        The tags to read, which must include the images' width and height.

    Raises
    ------
    InputError
        The file cannot be opened, is not a TIFF, or its directories are damaged, or too many.
    """
    try:
        with open(path, "rb") as handle:
            return _read(handle, path, tags)
    except OSError as error:
        refuse_trouble(error)
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
    reader = _Directories(handle, order, version == 43, size, tags)
    try:
        images = reader.all(header)
        if not images or not all(images[0].size):
            raise EOFError
    except _Circle as error:
        raise InputError(
            "the TIFF's directories lead back to one another, or are more than any slide has",
            expected=f"at most {MOST_IMAGES} images, one after the other",
            action="export the slide again",
            file=path,
        ) from error
    except (EOFError, struct.error) as error:
        raise InputError(
            f"the TIFF is damaged or cut short (its tags are not where they should be in its {size} bytes)",
            expected="a whole TIFF",
            action="copy it again from its source",
            file=path,
        ) from error
    return Tiff(images, size, order == ">" and version == 42, reader.has_unknown_type, tuple(reader.patches))


class _Directories:
    """Reads the directories of one file, each of them once."""

    def __init__(self, handle: BinaryIO, order: str, is_big: bool, size: int, tags: Collection[int]) -> None:
        self.handle, self.order, self.size, self.tags = handle, order, size, tags
        self.first = 6 if is_big else 2  # where the header names the first directory, after the byte order
        self.entry = struct.Struct(order + ("HHQ8s" if is_big else "HHI4s"))
        self.pointer = struct.Struct(order + ("Q" if is_big else "I"))
        self.counter = struct.Struct(order + ("Q" if is_big else "H"))
        self.seen: set[int] = set()
        self.has_unknown_type = False
        self.patches: list[tuple[int, bytes]] = []

    def all(self, header: bytes) -> list[TiffImage]:
        """Read the main chain, which begins where the header (without the byte order) says."""
        (offset,) = self.pointer.unpack_from(header, self.first)
        images = []
        while offset:
            image, offset, unknown = self.one(offset)
            self.has_unknown_type |= unknown
            inner = tuple(self.one(place)[0] for place in image.integers.get(Tag.SUB_IFDS, ()) if place)
            images.append(TiffImage(image.integers, image.texts, inner))
        return images

    def one(self, offset: int) -> tuple[TiffImage, int, bool]:
        """Read one directory; return it, the place of the next, and whether it has an unknown data type."""
        if offset in self.seen or len(self.seen) >= MOST_IMAGES:
            raise _Circle
        self.seen.add(offset)
        (count,) = self.counter.unpack(self.bytes(offset, self.counter.size))
        if count > MOST_TAGS:
            raise EOFError
        entries = self.bytes(offset + self.counter.size, count * self.entry.size + self.pointer.size)
        fields = list(self.entry.iter_unpack(entries[: -self.pointer.size]))
        fields, is_mended = self.with_known_unit(fields)
        integers, texts = {}, {}
        for tag, kind, values, field in fields:
            # Of a tag that is there twice, libtiff and OpenSlide take the first.
            if tag not in self.tags or kind not in TYPE_SIZES or tag in integers or tag in texts:
                continue
            length = values * TYPE_SIZES[kind]
            if length > len(field):
                (start,) = self.pointer.unpack(field)
                field = self.bytes(start, length if tag in PLACES else min(length, TEXT_READ))
            if kind in INTEGERS:
                number = min(length, len(field)) // TYPE_SIZES[kind]
                integers[tag] = struct.unpack_from(f"{self.order}{number}{INTEGERS[kind]}", field) or (0,)
            else:
                texts[tag] = field[: min(length, len(field))]
        if is_mended or not all(one[0] < other[0] for one, other in pairwise(fields)):
            first = {field[0]: field for field in reversed(fields)}
            tags = b"".join(self.entry.pack(*first[tag]) for tag in sorted(first))
            self.patches.append(
                (offset, self.counter.pack(len(first)) + tags + entries[-self.pointer.size :])
            )
        unknown = any(field[1] not in TYPE_SIZES for field in fields)
        (following,) = self.pointer.unpack(entries[-self.pointer.size :])
        return TiffImage(integers, texts), following, unknown

    def with_known_unit(self, fields: list[tuple]) -> tuple[list[tuple], bool]:
        """Return a directory's entries without an unknown unit of resolution, and whether there was one."""
        unit = struct.Struct(self.order + "H")
        for index, (tag, kind, values, field) in enumerate(fields):
            if tag == Tag.RESOLUTION_UNIT and INTEGERS.get(kind) == "H" and values == 1:
                if unit.unpack_from(field)[0] in RESOLUTION_UNITS:
                    break
                mended = tag, kind, values, unit.pack(NO_UNIT) + field[unit.size :]
                return [*fields[:index], mended, *fields[index + 1 :]], True
        return fields, False

    def bytes(self, offset: int, length: int) -> bytes:
        """Read from a place in the file."""
        # Checked first: a garbage count must not make us ask for gigabytes.
        if offset + length > self.size:
            raise EOFError
        self.handle.seek(offset)
        return self.handle.read(length)
