import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse

from ressat.base.anndata_file import write_anndata


def content(path) -> dict:
    """Names and attributes of all that is in a file."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: {k: str(v) for k, v in item.attrs.items()}}))
        return found | {"/": {k: str(v) for k, v in file.attrs.items()}}


def test_the_file_is_laid_out_as_anndata_does(tmp_path):
    obs = pd.DataFrame({"section": ["S1"] * 3}, index=["a", "b", "c"])
    adata = anndata.AnnData(scipy.sparse.csr_matrix(np.eye(3, 4, dtype=np.float32)), obs=obs)
    adata.layers["direct"] = np.ones((3, 4), np.float32)
    adata.uns["ressat"] = {"unit": "log1p", "version": 3}
    write_anndata(tmp_path / "ours.h5ad", adata.copy())
    adata.write_h5ad(tmp_path / "theirs.h5ad", compression="gzip")
    assert content(tmp_path / "ours.h5ad") == content(tmp_path / "theirs.h5ad")
