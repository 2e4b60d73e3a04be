"""The feature cache of a section: one HDF5 file, features and coordinates together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ressat.base import keys
from ressat.base.files import check_version
from ressat.base.hdf5_file import new_hdf5
from ressat.tiles.table import Tiles

# Tiles that are compressed and written together.
CHUNK_ROWS = 128
# Without loss, a fifth smaller: the exponents of activations are much alike.
COMPRESSION = {"shuffle": True, "compression": "gzip", "compression_opts": 1}
# Width and kind of number of what is kept of a tile.
_COLUMNS = {keys.COLOUR: (9, "f4"), **{name: (width, "f2") for name, width in keys.LAYER_WIDTHS.items()}}


@dataclass(frozen=True)
class Features:
    """The cached features of one section.

    Attributes
    ----------
    section
        The section's name.
    values
        float32, shape (n, sum of widths): the layers asked for, side by side.
    coords, barcodes, tissue
        As in `ressat.tiles.table.Tiles`.
    attrs
        Provenance.
    """

    section: str
    values: np.ndarray
    coords: np.ndarray
    barcodes: np.ndarray
    tissue: np.ndarray
    attrs: dict

    @classmethod
    def read(cls, path: str | Path, layers: Sequence[str] = ()) -> "Features":
        """Read some of the cached layers (or `keys.COLOUR`) of a section.

        Raises
        ------
        InputError
            If the file is of another version of the format.
        """
        with h5py.File(path) as file:
            attrs = {name: _plain(value) for name, value in file.attrs.items()}
            check_version(attrs, path)
            group = file[keys.FEATURES]
            coords = file[keys.COORDS][()]
            columns = [group[layer][()].astype(np.float32) for layer in layers]
            return cls(
                section=attrs["section"],
                values=np.hstack(columns) if columns else np.empty((len(coords), 0), np.float32),
                coords=coords,
                barcodes=file[keys.BARCODES].asstr()[()].astype(str),
                tissue=file[keys.TISSUE][()],
                attrs=attrs,
            )


def write_features(
    path: str | Path, tiles: Tiles, batches: Iterable[dict[str, np.ndarray]], provenance: dict
) -> None:
    """Stream features into the cache, which appears once it is whole.

    Parameters
    ----------
    path
        The file described in docs/outputs.md.
    tiles
        The section's tiles; coordinates and barcodes are copied.
    batches
        As `encode` yields them, covering all tiles in order.
    provenance
        Attributes that say how the features were made.
    """
    total = len(tiles.coords)
    with new_hdf5(path) as file:
        group = file.create_group(keys.FEATURES)
        for name, (width, dtype) in _COLUMNS.items():
            chunks = (min(CHUNK_ROWS, max(total, 1)), width)
            group.create_dataset(name, shape=(total, width), dtype=dtype, chunks=chunks, **COMPRESSION)
        file[keys.COORDS] = tiles.coords
        file.create_dataset(keys.BARCODES, data=tiles.barcodes.astype(object), dtype=h5py.string_dtype())
        file[keys.TISSUE] = tiles.tissue
        done = 0
        for chunk in _whole_chunks(batches):
            count = len(chunk[keys.COLOUR])
            for name, values in chunk.items():
                group[name][done : done + count] = values
            done += count
        if done != total:
            raise RuntimeError(f"section {tiles.section}: {done} of {total} tiles were encoded")
        file.attrs.update(
            section=tiles.section,
            mpp=tiles.scale.mpp,
            tile_um=tiles.geometry.tile_um,
            slide_fingerprint=tiles.fingerprint,
            version=keys.FORMAT_VERSION,
            **provenance,
        )


def _whole_chunks(batches: Iterable[dict[str, np.ndarray]]) -> Iterator[dict[str, np.ndarray]]:
    """Gather batches in memory that is taken once, and yield it as chunks, the last of what is left."""
    held = {name: np.empty((CHUNK_ROWS, width), dtype) for name, (width, dtype) in _COLUMNS.items()}
    done = 0
    for batch in batches:
        taken, count = 0, len(batch[keys.COLOUR])
        while taken < count:
            first = done % CHUNK_ROWS
            last = min(CHUNK_ROWS, first + count - taken)
            for name, values in batch.items():
                held[name][first:last] = values[taken : taken + last - first]
            taken, done = taken + last - first, done + last - first
            if last == CHUNK_ROWS:
                yield held
    if done % CHUNK_ROWS:
        yield {name: values[: done % CHUNK_ROWS] for name, values in held.items()}


def _plain(value: object) -> object:
    """Python's own type of an HDF5 attribute."""
    return value.item() if isinstance(value, np.generic) else value
