"""The feature cache of a section: one HDF5 file, features and coordinates together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ressat.base.files import check_version
from ressat.tiles.datasets import BARCODES, COORDS, TISSUE

# The group of features, and the tiles' colour statistics in it, next to the encoder's layers.
FEATURES, COLOUR = "features", "colour"


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
    widths
        Widths of all cached layers by name, including those not asked for.
    """

    section: str
    values: np.ndarray
    coords: np.ndarray
    barcodes: np.ndarray
    tissue: np.ndarray
    attrs: dict
    widths: dict[str, int]

    @classmethod
    def read(cls, path: str | Path, layers: Sequence[str] | None = ()) -> "Features":
        """Read some of the cached layers (or `COLOUR`) of a section; None for all layers.

        Raises
        ------
        InputError
            If the file is of another version of the format.
        """
        with h5py.File(path) as file:
            attrs = {name: _plain(value) for name, value in file.attrs.items()}
            check_version(attrs, path)
            group = file[FEATURES]
            widths = {name: data.shape[1] for name, data in group.items() if name != COLOUR}
            coords = file[COORDS][()]
            layers = tuple(widths) if layers is None else layers
            columns = [group[layer][()].astype(np.float32) for layer in layers]
            return cls(
                section=attrs["section"],
                values=np.hstack(columns) if columns else np.empty((len(coords), 0), np.float32),
                coords=coords,
                barcodes=file[BARCODES].asstr()[()].astype(str),
                tissue=file[TISSUE][()],
                attrs=attrs,
                widths=widths,
            )


def _plain(value: object) -> object:
    """Python's own type of an HDF5 attribute."""
    return value.item() if isinstance(value, np.generic) else value
