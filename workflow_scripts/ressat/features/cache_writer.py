"""Writing the feature cache of a section."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import h5py
import numpy as np

from ressat.base.errors import InputError
from ressat.base.files import FORMAT_VERSION
from ressat.base.finite import is_finite, not_finite
from ressat.base.hdf5_file import new_hdf5
from ressat.features.cache import COLOUR, FEATURES
from ressat.features.colour import COLOUR_STATISTICS
from ressat.tiles.datasets import BARCODES, COORDS, TISSUE
from ressat.tiles.table import Tiles

# Tiles that are compressed and written together.
CHUNK_ROWS = 128
# Lossless, and a fifth smaller: activations have similar exponents.
COMPRESSION = {"shuffle": True, "compression": "gzip", "compression_opts": 1}


def write_features(
    path: str | Path,
    tiles: Tiles,
    widths: Mapping[str, int],
    batches: Iterable[dict[str, np.ndarray]],
    provenance: dict,
    colour: bool = True,
) -> None:
    """Stream features into the cache, which appears once it is complete.

    Parameters
    ----------
    path
        The file described in docs/outputs.md.
    tiles
        The section's tiles; coordinates and barcodes are copied.
    widths
        Widths of the encoder's layers, by name.
    batches
        As `encode` yields them, covering all tiles in order.
    provenance
        Attributes that say how the features were made.
    colour
        Whether the batches have the tiles' colour statistics.

    Raises
    ------
    InputError
        If a feature is not finite, such as an activation too large for half precision.
    """
    total = len(tiles.coords)
    columns = {
        **({COLOUR: (len(COLOUR_STATISTICS), "f4")} if colour else {}),
        **{name: (width, "f2") for name, width in widths.items()},
    }
    with new_hdf5(path) as file:
        group = file.create_group(FEATURES)
        for name, (width, dtype) in columns.items():
            chunks = (min(CHUNK_ROWS, max(total, 1)), width)
            group.create_dataset(name, shape=(total, width), dtype=dtype, chunks=chunks, **COMPRESSION)
        file[COORDS] = tiles.coords
        file.create_dataset(BARCODES, data=tiles.barcodes.astype(object), dtype=h5py.string_dtype())
        file[TISSUE] = tiles.tissue
        done = 0
        for chunk in _whole_chunks(batches, columns):
            count = _length(chunk)
            for name, values in chunk.items():
                _refuse_odd(name, values, tiles.barcodes[done : done + count])
                group[name][done : done + count] = values
            done += count
        if done != total:
            raise RuntimeError(f"section {tiles.section}: {done} of {total} tiles were encoded")
        file.attrs.update(
            section=tiles.section,
            mpp=tiles.scale.mpp,
            tile_um=tiles.geometry.tile_um,
            slide_fingerprint=tiles.fingerprint,
            version=FORMAT_VERSION,
            **provenance,
        )


def _refuse_odd(name: str, values: np.ndarray, barcodes: np.ndarray) -> None:
    """Refuse features that no model could learn from or predict with."""
    if not is_finite(values):
        raise InputError(
            f"{name} of its tiles: {not_finite(values, [f'spot {barcode}' for barcode in barcodes])}",
            expected="finite features, at most 65504, the largest number in half precision",
            action="check features.weights: they are not those of a trained network, or its activations are "
            "too large for this pipeline",
        )


def _whole_chunks(
    batches: Iterable[dict[str, np.ndarray]], columns: Mapping[str, tuple[int, str]]
) -> Iterator[dict[str, np.ndarray]]:
    """Gather batches in memory allocated once, and yield it as chunks; the last holds what is left."""
    held = {name: np.empty((CHUNK_ROWS, width), dtype) for name, (width, dtype) in columns.items()}
    done = 0
    for batch in batches:
        start, count = 0, _length(batch)
        while start < count:
            first = done % CHUNK_ROWS
            last = min(CHUNK_ROWS, first + count - start)
            for name, values in batch.items():
                held[name][first:last] = values[start : start + last - first]
            start, done = start + last - first, done + last - first
            if last == CHUNK_ROWS:
                yield held
    if done % CHUNK_ROWS:
        yield {name: values[: done % CHUNK_ROWS] for name, values in held.items()}


def _length(batch: Mapping[str, np.ndarray]) -> int:
    """How many tiles a batch has."""
    return len(next(iter(batch.values())))
