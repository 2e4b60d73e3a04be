"""Chunks of a zarr array that are not there: the library reads them as the fill value, 0, without a word.

Writers leave out chunks that hold nothing but the fill value, so a missing chunk may be no loss. Whether it
is one can be told for an array of counts:

- ``data`` of a sparse matrix holds what is not 0, so a whole chunk of zeros is not left out by any writer of
  counts: it is lost.
- ``indices`` and ``indptr`` of 0 are possible, but if a chunk of either is lost, rows have column 0 more
  than once, or the values of several rows are thrown together: then the indices do not rise within each row.
  If they do, the chunk did hold zeros, as ``indptr`` does where the first spots have no counts.
- A chunk of a dense matrix is some spots by some genes. If both have counts elsewhere, so many that this
  block should have had some too, it is lost. It is refused also where these spots or these genes have no
  counts at all, as nothing then tells a lost block from an empty one; the message says what to do if it is
  empty.
- Names are never empty, so a missing chunk of an index is lost.
"""

import json
import os
from collections.abc import Callable
from itertools import product
from math import ceil, prod
from pathlib import Path

import numpy as np
from scipy import sparse

from ressat.base.errors import InputError
from ressat.counts.sparse_matrix import is_sorted

# Counts that a missing block of a dense matrix should have had, given its spots and genes, to be called lost.
CLEARLY_SOME = 20
# An array of more chunks than this is not looked at, as each of them is a file.
MOST_CHUNKS = 1_000_000
_COPY = "copy the store again, whole"


def missing_chunks(array: Path) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
    """Return the chunks of an array that have no file, by their number along each axis, and a chunk's shape.

    Where several chunks share a file (a shard), the shard is what is looked for.

    Parameters
    ----------
    array
        The folder of the array, in a store of either version of zarr; one that is no array has no chunks.
    """
    shape, chunk, name = _layout(array)
    counts = [ceil(length / edge) for length, edge in zip(shape, chunk, strict=True)]
    if not 0 < prod(counts) <= MOST_CHUNKS:
        return [], chunk
    return [at for at in product(*map(range, counts)) if not os.path.exists(array / name(at))], chunk


def refuse_missing_counts(matrix: Path, values: object, name: str) -> None:
    """Refuse counts of which chunks were lost.

    Parameters
    ----------
    matrix
        The folder of the matrix in the store: a dense array, or a group of data, indices and indptr.
    values
        What was read of it; shape (spots, genes).
    name
        What it is called, for the message.

    Raises
    ------
    InputError
        If so; see above for what a missing chunk means.
    """
    if not sparse.issparse(values):
        lost, chunk = missing_chunks(matrix)
        if lost and (block := _lost_block(np.asarray(values), lost, chunk)):
            raise InputError(
                f"of {name}, chunks are missing that would be read as 0: {len(lost)} ({block})",
                expected="all chunks of the counts",
                action=f"{_COPY}, or if these counts are 0, write the store again with a sparse matrix",
            )
        return
    for part in ("data", "indices", "indptr"):
        lost, _ = missing_chunks(matrix / part)
        if lost and (part == "data" or (values.nnz and not is_sorted(values))):
            raise _missing(len(lost), f"{name}/{part}")


def refuse_missing_names(table: Path, name: str) -> None:
    """Refuse a table (obs or var) of which names of the rows were lost.

    Parameters
    ----------
    table
        Its folder in the store.
    name
        What it is called, for the message.

    Raises
    ------
    InputError
        If so.
    """
    index = _attributes(table).get("_index")
    lost = missing_chunks(table / index)[0] if isinstance(index, str) else []
    if lost:
        raise _missing(len(lost), f"{name}/{index}")


def _missing(number: int, what: str) -> InputError:
    return InputError(
        f"{number} chunk{'s' * (number > 1)} of {what} {'are' if number > 1 else 'is'} missing, which would "
        "be read as 0 or as nothing",
        expected="all chunks of the counts and of their names",
        action=_COPY,
    )


def _lost_block(values: np.ndarray, lost: list[tuple[int, ...]], chunk: tuple[int, ...]) -> str | None:
    """Say which of the missing blocks cannot be told from a lost one; None if there is none."""
    spots, genes = values.sum(axis=1, dtype=float), values.sum(axis=0, dtype=float)
    total = spots.sum()
    for row, column in lost:
        rows = slice(row * chunk[0], min((row + 1) * chunk[0], len(spots)))
        columns = slice(column * chunk[1], min((column + 1) * chunk[1], len(genes)))
        expected = spots[rows].sum() * genes[columns].sum() / total if total else 0
        if expected > CLEARLY_SOME or not spots[rows].any() or not genes[columns].any():
            return (
                f"first: spots {rows.start} to {rows.stop - 1}, genes {columns.start} to {columns.stop - 1}"
            )
    return None


def _layout(array: Path) -> tuple[tuple[int, ...], tuple[int, ...], Callable[[tuple[int, ...]], str]]:
    """Shape, shape of what a file holds, and a file's name by its place in the grid; no axes if no array."""
    content = _json(array / "zarr.json")
    if content.get("node_type") == "array":
        chunk = content["chunk_grid"]["configuration"]["chunk_shape"]
        encoding = content.get("chunk_key_encoding", {})
        separator = encoding.get("configuration", {}).get(
            "separator", "/" if encoding.get("name", "default") == "default" else "."
        )
        prefix = ["c"] if encoding.get("name", "default") == "default" else []
        return (
            tuple(content["shape"]),
            tuple(chunk),
            lambda at: separator.join([*prefix, *map(str, at)]),
        )
    content = _json(array / ".zarray")
    if content:
        separator = content.get("dimension_separator", ".")
        return (
            tuple(content["shape"]),
            tuple(content["chunks"]),
            lambda at: separator.join(map(str, at)),
        )
    return (), (), lambda at: ""


def _attributes(group: Path) -> dict:
    attributes = _json(group / "zarr.json").get("attributes") or _json(group / ".zattrs")
    return attributes if isinstance(attributes, dict) else {}


def _json(file: Path) -> dict:
    """A file of metadata; nothing if it is not there."""
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
