"""Writing AnnData files that are either whole or not there."""

import os

import anndata
from anndata.io import write_elem

from ressat.base.hdf5_file import new_hdf5


def write_anndata(path: str | os.PathLike, adata: anndata.AnnData) -> None:
    """Write an AnnData object to a compressed HDF5 file, as its own ``write_h5ad`` does.

    Parameters
    ----------
    path
        The file, conventionally ``.h5ad``; it takes its name once it is whole, also where the disk is full
        (see `ressat.base.hdf5_file.new_hdf5`).
    adata
        What to write; its columns of text become categorical.
    """
    adata.strings_to_categoricals()
    with new_hdf5(path) as file:
        write_elem(file, "/", adata, dataset_kwargs={"compression": "gzip"})
        # anndata before 0.12 cannot read that there is none.
        if adata.raw is None and "raw" in file:
            del file["raw"]
