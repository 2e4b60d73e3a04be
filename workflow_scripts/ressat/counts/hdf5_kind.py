"""What a file is that should be HDF5 with counts, and is not, judged by its content."""

import os
from collections.abc import Collection

from ressat.base.errors import InputError

ANNDATA, TENX = "an AnnData file", "a count matrix of 10x Genomics"
_ANNDATA = (
    "if it has places in obsm['spatial'], name it .h5ad and set the column expression to it; else give "
    "Space Ranger's outs folder"
)
_MATRIX = "give the filtered_feature_bc_matrix.h5 of the same run in its place"
_CONVERT = "write the raw counts, with the spots' pixels in obsm['spatial'], to an .h5ad file"
# By names at the root of the file, all of which it has.
_KINDS = (
    ({"X", "obs", "var"}, ANNDATA, _ANNDATA),
    ({"barcode_idx", "umi"}, "molecule_info.h5 of Space Ranger, which holds molecules", _MATRIX),
    ({"barcode", "umi"}, "molecule_info.h5 of Space Ranger, which holds molecules", _MATRIX),
    ({"feature_slices"}, "feature_slice.h5 of Visium HD, which Loupe Browser reads", _MATRIX),
    ({"row_attrs", "col_attrs"}, "a loom file", _CONVERT),
    ({"assays", "cell.names"}, "a Seurat object (.h5Seurat)", _CONVERT),
    ({"mod"}, "a MuData file of several modalities", _CONVERT),
)
_STARTS = {
    b"\x1f\x8b": ("a gzipped file", "unpack it"),
    b"PK\x03\x04": ("a zip archive", "unpack it"),
    b"BZh": ("a bzip2 archive", "unpack it"),
    b"<": ("a web page, as of a download that failed or needs a login", "download the file again"),
    b"version https://git-lfs": (
        "a pointer of Git LFS, without the content",
        "run git lfs pull in its folder",
    ),
}


def refuse_other_hdf5(names: Collection[str], expected: str) -> None:
    """Refuse a file of another kind by the names at its root.

    Parameters
    ----------
    names
        At the root of the file.
    expected
        `ANNDATA` or `TENX`.

    Raises
    ------
    InputError
        If it is of a known kind and not the one expected.
    """
    kinds = _KINDS
    if expected == ANNDATA:
        folder = "give the folder that holds it and the folder spatial"
        kinds = (({"matrix"}, TENX, folder), *(kind for kind in _KINDS if kind[1] != ANNDATA))
    for known, kind, action in (*kinds[1:], kinds[0]):
        if known <= set(names) and not (expected == ANNDATA and {"obs", "var"} <= set(names)):
            raise InputError(kind, expected=expected, action=action)


def refuse_no_hdf5(file: str, expected: str) -> None:
    """Refuse what is no HDF5 file at all, if its beginning tells what it is.

    Raises
    ------
    InputError
        If so.
    """
    if os.path.isdir(file):
        raise InputError(
            "a folder",
            expected=expected,
            action="correct the path; a zarr store is written as .h5ad with anndata",
        )
    with open(file, "rb") as handle:
        start = handle.read(32).lstrip()
    for magic, (kind, action) in _STARTS.items():
        if start.startswith(magic):
            raise InputError(kind, expected=expected, action=action)
