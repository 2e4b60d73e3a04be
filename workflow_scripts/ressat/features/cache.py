"""The feature cache of a section: one HDF5 file, features and coordinates together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ressat.base.errors import InputError, about
from ressat.base.fields import ANY_TEXT, Number, Record, check_field
from ressat.base.files import check_version
from ressat.base.finite import is_finite, not_finite
from ressat.base.own_file import damaged, own_file
from ressat.tiles.datasets import BARCODES, COORDS, read_spots

# The group of features, and the tiles' colour statistics in it, next to the encoder's layers.
FEATURES, COLOUR = "features", "colour"
# The attribute that names the software which made the features, where this pipeline did not.
MADE_ELSEWHERE = "made_elsewhere"
# What a cache must say of itself; what else it says is compared with a model, see `ressat.model.bundle`.
ATTRIBUTES = {
    "section": ANY_TEXT,
    "mpp": Number(1e-3, 1000),
    "tile_um": Number(1, 1e5),
    "slide_fingerprint": ANY_TEXT,
}


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
            If the file is damaged or of another version of the format, lacks a layer, or a number is not
            finite.
        """
        with own_file(path), h5py.File(path) as file:
            attrs = {name: _plain(value) for name, value in file.attrs.items()}
            check_version(attrs, path)
            check_field({name: attrs[name] for name in ATTRIBUTES if name in attrs}, Record(ATTRIBUTES), "")
            group = file[FEATURES]
            widths = {name: data.shape[1] for name, data in group.items() if name != COLOUR}
            spots = read_spots(file)
            layers = tuple(widths) if layers is None else layers
            if MADE_ELSEWHERE in attrs:
                _refuse_without(layers, group)
            columns = [_read_layer(group, layer, spots[BARCODES], attrs["section"]) for layer in layers]
            return cls(
                section=attrs["section"],
                values=np.hstack(columns) if columns else np.empty((len(spots[COORDS]), 0), np.float32),
                **spots,
                attrs=attrs,
                widths=widths,
            )


def _refuse_without(layers: Sequence[str], group: h5py.Group) -> None:
    """Refuse features made elsewhere that lack a layer: nothing is damaged, they never had it."""
    missing = [name for name in layers if name not in group]
    if missing:
        raise InputError(
            f"its features were made elsewhere and lack {', '.join(missing)}",
            expected=f"the layers that the model reads, of which it has {', '.join(group)}",
            action="leave the column features empty for this section, or train a model that reads these",
        )


def _read_layer(group: h5py.Group, name: str, barcodes: np.ndarray, section: str) -> np.ndarray:
    """One layer, float32, shape (spots, width)."""
    if name not in group:
        raise damaged(f"the layer {name} is missing, it has {', '.join(group)}")
    if group[name].shape[:1] != barcodes.shape:
        raise damaged(f"{name} has the shape {group[name].shape}, and there are {len(barcodes)} spots")
    values = group[name][()].astype(np.float32)
    if not is_finite(values):
        with about(section=section):
            raise damaged(f"{name}: {not_finite(values, [f'spot {barcode}' for barcode in barcodes])}")
    return values


def _plain(value: object) -> object:
    """Python's own type of an HDF5 attribute."""
    return value.item() if isinstance(value, np.generic) else value
