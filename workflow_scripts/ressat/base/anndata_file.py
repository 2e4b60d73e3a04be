"""Writing AnnData files that are either complete or absent."""

import os

import anndata
from anndata.io import write_elem

from ressat.base.hdf5_file import new_hdf5


def write_anndata(path: str | os.PathLike, adata: anndata.AnnData) -> None:
    """Write an AnnData object to a compressed HDF5 file, as its own ``write_h5ad`` does.

    Parameters
    ----------
    path
        The file, conventionally ``.h5ad``; it gets its name only once it is complete, even on a full disk
        (see `ressat.base.hdf5_file.new_hdf5`).
    adata
        What to write; its text columns become categorical.
    """
    adata.strings_to_categoricals()
    with new_hdf5(path) as file:
        write_elem(file, "/", adata, dataset_kwargs={"compression": "gzip"})
        # anndata before 0.12 cannot read a null entry for raw.
        if adata.raw is None and "raw" in file:
            del file["raw"]
