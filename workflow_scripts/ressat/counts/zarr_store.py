"""What a SpatialData store must not hold: links that lead out of it, and more data than it stores."""

import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.hdf5_content import refuse_swollen
from ressat.base.names import is_hidden
from ressat.counts.parquet_file import refuse_swollen_parquet

# Files that describe groups and arrays, of both versions of zarr.
METADATA = ("zarr.json", ".zmetadata", ".zattrs", ".zgroup", ".zarray")
# What of a store is read.
ELEMENTS = ("tables", "table", "shapes")
# Chunks and metadata of a table of millions of bins; more would keep the check busy.
MOST_FILES, LARGEST_METADATA = 1_000_000, 1 << 26
# Bytes of a number, at most.
NUMBER = 8


def refuse_foreign(store: Path) -> None:
    """Refuse a store of which a part lies elsewhere, or that declares more data than it stores.

    A symbolic link within the store, or a name in its metadata, may lead to any file of this machine, and
    whoever sent the store chose it: its content would be taken for counts or names of genes. The store itself
    may be a link, since its user made that, and parts of it may be links to others of its parts. (In a folder
    of Space Ranger's outs users link the few files themselves, so links are followed there.)

    Parameters
    ----------
    store
        The folder of the store. Only what is read of it is looked at: metadata, tables and shapes.

    Raises
    ------
    InputError
        If that is so; names the first such part.
    """
    own, consolidated, stored = 0, 0, 0
    for number, file in enumerate(_files(store)):
        if number == MOST_FILES:
            raise InputError(
                f"more than {MOST_FILES} files in its tables and shapes",
                expected="a table of counts and the shapes of its spots",
                action="write these alone to a new store",
            )
        size = os.path.getsize(file)
        stored += size
        if file.name in METADATA:
            content = _content(file, size, store)
            entries = _consolidated(content, file, store)
            own += _array_bytes(content)
            # The reader may take the shapes of either.
            consolidated = max(consolidated, sum(map(_array_bytes, entries.values())))
        elif file.suffix == ".parquet":
            refuse_swollen_parquet(str(file))
    refuse_swollen(max(own, consolidated), stored)


def _files(store: Path) -> Iterator[Path]:
    """The files that are read, links followed once they are known to stay in the store."""
    inside = os.path.realpath(store)
    parts = [store / name for name in (*METADATA, *ELEMENTS)]
    seen: set[str] = set()
    while parts:
        part = parts.pop()
        if os.path.islink(part):
            target = os.path.realpath(part)
            if os.path.commonpath([inside, target]) != inside:
                raise InputError(
                    f"its {part.relative_to(store)} is a link out of the store ({os.readlink(part)!r})",
                    expected="a store that holds all of its content itself",
                    action="if you know who made it and why, put the content itself in its place",
                )
        if os.path.isdir(part):
            folder = os.path.realpath(part)
            if folder not in seen:
                seen.add(folder)
                # Hidden names of zarr itself are metadata; others, such as those of macOS, are not read.
                names = os.listdir(part)
                parts += [part / name for name in names if name in METADATA or not is_hidden(name)]
        elif os.path.isfile(part):
            yield part


def _content(file: Path, size: int, store: Path) -> dict:
    """What a file of metadata holds; nothing where it is damaged, which the reader says."""
    if size > LARGEST_METADATA:
        raise InputError(
            f"its {file.relative_to(store)} is of {size / 1e6:.0f} MB",
            expected="names and attributes of groups and arrays",
            action="write the store again",
        )
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _consolidated(content: dict, file: Path, store: Path) -> dict[str, object]:
    """Metadata of further groups and arrays by their names; refuses a name that leads elsewhere."""
    part = content.get("consolidated_metadata") or content
    entries = part.get("metadata") if isinstance(part, dict) else None
    entries = entries if isinstance(entries, dict) else {}
    for name in entries:
        if ".." in re.split(r"[/\\]", name) or name.startswith(("/", "\\")) or "://" in name:
            raise InputError(
                f"its {file.relative_to(store)} names {name!r}, which is not a part of the store",
                expected="names of its own groups and arrays",
                action="write the store again, or consolidate its metadata anew",
            )
    return entries


def _array_bytes(content: object) -> int:
    """Bytes of the array that metadata describe, if they do."""
    shape = content.get("shape") if isinstance(content, dict) else None
    if not isinstance(shape, list) or not all(isinstance(edge, int) and edge >= 0 for edge in shape):
        return 0
    return NUMBER * math.prod(shape)
