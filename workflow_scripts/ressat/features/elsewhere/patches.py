"""The patches of features that were made elsewhere: where they are on the slide. No torch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ressat.base.errors import InputError, about
from ressat.base.hdf5_content import opened_hdf5, refuse_missing_filter
from ressat.base.machine import refuse_trouble
from ressat.features.elsewhere import clam, hest, trident
from ressat.features.elsewhere.layout import PatchLayout

FORMATS = {"TRIDENT": trident.layout, "CLAM": clam.layout, "HEST": hest.layout}
COORDS = "coords"
# What the formats call features, and names of patches.
FEATURES, BARCODES = ("features", "embeddings"), ("barcodes", "barcode")
EXPECTED = "features (or embeddings) and coords, as TRIDENT, CLAM and HEST write them"


@dataclass(frozen=True)
class Patches:
    """Where the patches of a file of features are.

    Attributes
    ----------
    layout
        How they lie, and the software that says so.
    software
        Its name.
    centres
        float64, shape (n, 2): level-0 x and y.
    barcodes
        str, shape (n,): those of the file, or ids by place, ``x{left}y{top}``.
    width
        Numbers in a patch's features.
    encoder
        The encoder that the file names; None where it does not.
    """

    layout: PatchLayout
    software: str
    centres: np.ndarray
    barcodes: np.ndarray
    width: int
    encoder: str | None


def read_patches(features: str | Path, patches: str | Path | None = None) -> Patches:
    """Read where the patches of a file of features are.

    Parameters
    ----------
    features
        The file of features.
    patches
        The file of the same patches that states their size, where that of the features does not.

    Raises
    ------
    InputError
        If a file is not such a file, or the two are not about the same patches.
    """
    with opened_features(features) as file:
        data, coords, stated = features_of(file), _coords(file), _layout(file)
        names, encoder, width = _barcodes(file, len(coords)), data.attrs.get("encoder"), data.shape[1]
    if patches is not None:
        with opened_features(patches) as file:
            same, size = _coords(file), _layout(file)
            if size is None:
                raise _without_size("it", "name the file that states it in the column patches")
            if same.shape != coords.shape or not np.array_equal(same, coords):
                raise InputError(
                    f"its {len(same)} coordinates are not the {len(coords)} of the features",
                    expected=f"the patches of {features}, in their order",
                    action="name the file of patches that the features were made from",
                )
        if stated is not None and stated[1].edge != size[1].edge:
            raise InputError(
                f"its patches are {stated[1].edge:g} px wide, those of {patches} {size[1].edge:g} px",
                expected="the same patches in both files",
                action="leave the column patches empty, or correct it",
                file=features,
            )
        stated = size
    if stated is None:
        with about(file=features):
            raise _without_size(
                "the file of features",
                "name the file of patches that it was made from in the column patches (of CLAM, that in its "
                "folder patches; of HEST, the one with img)",
            )
    software, layout = stated
    centres = layout.centres(coords)
    if names is None:
        corners = np.floor(centres - layout.edge / 2).astype(int)
        names = np.array([f"x{x}y{y}" for x, y in corners], dtype=str)
    return Patches(layout, software, centres, names, width, encoder if isinstance(encoder, str) else None)


@contextmanager
def opened_features(path: str | Path) -> Iterator[h5py.File]:
    """Open an HDF5 file of features or patches.

    Raises
    ------
    InputError
        If it is not HDF5, is damaged, or leads to other files; errors in the block name the file.
    """
    try:
        with about(file=path), opened_hdf5(path) as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        refuse_trouble(error)
        raise InputError(
            f"not an HDF5 file, or a damaged one ({type(error).__name__}: {error})",
            expected=f"an HDF5 file with {EXPECTED}",
            action="copy it again, or make it again",
            file=path,
        ) from error


def features_of(file: h5py.File) -> h5py.Dataset:
    """Return the dataset of features, of shape (n, width).

    Raises
    ------
    InputError
        If there is none, or it is no such table.
    """
    name = next((name for name in FEATURES if isinstance(file.get(name), h5py.Dataset)), None)
    if name is None:
        raise InputError(
            f"no features in it, but {', '.join(sorted(file)) or 'nothing'}",
            expected=EXPECTED,
            action="name the file of features in the column features; one of coordinates alone goes into the "
            "column patches",
        )
    data = file[name]
    if data.ndim and not len(data):
        raise InputError(
            f"{name} is empty, of shape {data.shape}",
            expected="features of at least one patch",
            action="leave the section out, or look why no tissue was found where they were made",
        )
    if data.ndim != 2 or data.dtype.kind != "f":
        raise InputError(
            f"{name} has the shape {data.shape} and holds {data.dtype}",
            expected="floating-point numbers, a row for each patch",
            action="give the features of patches, not of whole slides",
        )
    refuse_missing_filter(data)
    return data


def _coords(file: h5py.File) -> np.ndarray:
    """The file's coordinates, whole numbers of shape (n, 2)."""
    if not isinstance(file.get(COORDS), h5py.Dataset):
        raise InputError(
            f"no coords in it, but {', '.join(sorted(file)) or 'nothing'}",
            expected=EXPECTED,
            action="give a file that says where its patches are; without places nothing can be predicted",
        )
    data = file[COORDS]
    refuse_missing_filter(data)
    coords = data[()]
    rows = next((len(file[name]) for name in FEATURES if name in file), None)
    if coords.ndim != 2 or coords.shape[1] != 2 or (rows is not None and len(coords) != rows):
        of = "" if rows is None else f", and there are features of {rows} patches"
        raise InputError(
            f"coords has the shape {coords.shape}{of}",
            expected="x and y of every patch",
            action="make the file again: it is not whole, or not of patches",
        )
    is_whole = coords.dtype.kind in "iu" or (coords.dtype.kind == "f" and (coords == np.round(coords)).all())
    if not is_whole or np.abs(coords.astype(np.float64)).max(initial=0) > np.iinfo(np.int32).max:
        raise InputError(
            f"coords holds {coords.dtype} that are not whole numbers of pixels",
            expected="level-0 pixels",
            action="make the file again with the software that wrote it",
        )
    return coords.astype(np.int64)


def _layout(file: h5py.File) -> tuple[str, PatchLayout] | None:
    """How patches lie, and the software that states it; None where the file does not say."""
    attributes = {name: dict(data.attrs) for name, data in file.items() if isinstance(data, h5py.Dataset)}
    for software, layout in FORMATS.items():
        found = layout(attributes)
        if found is not None:
            return software, found
    return None


def _barcodes(file: h5py.File, count: int) -> np.ndarray | None:
    """Names of the patches; None where the file has none."""
    name = next((name for name in BARCODES if isinstance(file.get(name), h5py.Dataset)), None)
    if name is None:
        return None
    data = file[name]
    if data.size != count or h5py.check_string_dtype(data.dtype) is None:
        raise InputError(
            f"{name} has the shape {data.shape} and holds {data.dtype}",
            expected=f"a name for each of {count} patches",
            action="make the file again: it is not whole",
        )
    names = np.array([name.strip() for name in data.asstr()[()].reshape(-1)], dtype=str)
    if len(np.unique(names)) != count:
        raise InputError(
            f"{count - len(np.unique(names))} of {count} barcodes are there twice",
            expected="each patch once",
            action="make the file again, from one section",
        )
    return names


def _without_size(what: str, action: str) -> InputError:
    return InputError(
        f"{what} does not say how large its patches are (coords has none of the attributes of "
        f"{', '.join(FORMATS)})",
        expected="the size of the patches, to compare it with tiling.tile_um",
        action=action,
    )
