"""Reading back the AnnData files of results."""

from pathlib import Path
from typing import Literal

import anndata

from ressat.base.files import UNS, check_version


def read_results(path: str | Path, backed: Literal["r"] | None = None) -> anndata.AnnData:
    """Read the counts or predictions that an earlier step wrote.

    Parameters
    ----------
    path
        A file of results/expression, results/predictions or results/baselines.
    backed
        ``"r"`` leaves the matrix in the file, which the caller closes.

    Raises
    ------
    InputError
        If the file is of another version of the format.
    """
    adata = anndata.read_h5ad(path, backed=backed)
    try:
        check_version(adata.uns.get(UNS, {}), path)
    except BaseException:
        if backed:
            adata.file.close()
        raise
    return adata
