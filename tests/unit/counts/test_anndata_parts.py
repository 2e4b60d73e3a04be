"""Of an AnnData file, only what is needed must be readable."""

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from count_files import BARCODES, GENES, write_h5
from ressat.base.errors import InputError
from ressat.counts.readers.h5ad import read_h5ad
from ressat.counts.tenx_matrix import read_h5_matrix

COUNTS = np.random.default_rng(0).poisson(2, size=(30, 8)).astype(np.float32) + 1
PLACES = np.stack([np.arange(30) % 6 * 100.0, np.arange(30) // 6 * 100.0], axis=1)


@pytest.fixture
def file(tmp_path):
    obs = pd.DataFrame(
        {"in_tissue": 1, "kind": pd.Categorical(list("abc") * 10)}, index=[f"s{i}" for i in range(30)]
    )
    adata = anndata.AnnData(sparse.csr_matrix(COUNTS), obs=obs)
    adata.obsm["spatial"] = PLACES
    adata.obsm["X_pca"] = np.ones((30, 2))
    adata.layers["kept"] = sparse.csr_matrix(COUNTS + 1)
    adata.layers["other"] = np.ones((30, 8))
    adata.raw = anndata.AnnData(
        sparse.csr_matrix(COUNTS + 2), obs=obs, var=pd.DataFrame(index=list("ABCDEFGH"))
    )
    scales = {"spot_diameter_fullres": 65.0}
    adata.uns.update({"log1p": {"base": 2}, "spatial": {"lib": {"scalefactors": scales}}})
    adata.write_h5ad(tmp_path / "s.h5ad")
    return str(tmp_path / "s.h5ad")


def make_unknown(file: str, name: str) -> None:
    with h5py.File(file, "a") as content:
        content[name].attrs["encoding-type"] = "of-tomorrow"


@pytest.mark.parametrize("name", ["uns/log1p", "obs/kind", "obsm/X_pca", "layers/other"])
@pytest.mark.parametrize("layer", [None, "kept", "raw"])
def test_an_unknown_element_that_is_not_needed_changes_nothing(file, name, layer, caplog):
    caplog.set_level("WARNING", logger="ressat")
    before = read_h5ad(file, layer)
    assert caplog.messages == []
    make_unknown(file, name)
    after = read_h5ad(file, layer)
    assert (after.counts != before.counts).nnz == 0
    assert after.counts.dtype == before.counts.dtype
    assert after.spots.equals(before.spots)
    assert after.genes.equals(before.genes)
    pd.testing.assert_frame_equal(after.places, before.places)
    assert after.array == before.array
    assert caplog.messages[0].startswith("some of it cannot be read and is not needed (")


@pytest.mark.parametrize(
    ("name", "layer"), [("X", None), ("layers/kept", "kept"), ("raw/X", "raw"), ("obs/_index", None)]
)
def test_an_unknown_element_that_is_needed_is_refused(file, name, layer):
    make_unknown(file, name)
    with pytest.raises(InputError, match="it cannot be read as AnnData"):
        read_h5ad(file, layer)


def pack(file: str, name: str, code: int) -> None:
    """Mark a dataset as packed by a filter that is nowhere installed."""
    with h5py.File(file, "a") as content:
        values, attributes = content[name][()], dict(content[name].attrs)
        del content[name]
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_chunk(values.shape)
        layout.set_filter(code, h5py.h5z.FLAG_OPTIONAL, (3,))
        space, kind = h5py.h5s.create_simple(values.shape), h5py.h5t.py_create(values.dtype)
        made = h5py.h5d.create(content.id, name.encode(), kind, space, layout)
        made.write_direct_chunk((0,) * values.ndim, values.tobytes())
        h5py.Dataset(made).attrs.update(attributes)


@pytest.mark.parametrize("code", [32015, 32001])
@pytest.mark.parametrize(("name", "layer"), [("X/data", None), ("layers/kept/indices", "kept")])
def test_a_filter_that_is_not_installed_is_named(file, name, layer, code):
    pack(file, name, code)
    with pytest.raises(InputError, match="packed with an HDF5 filter that is not installed") as caught:
        read_h5ad(file, layer)
    assert f"({code}" in str(caught.value)
    assert "gzip" in caught.value.action
    assert caught.value.file == file
    # What is not needed does not matter.
    assert read_h5ad(file, "raw").total == 30


@pytest.mark.parametrize("name", ["matrix/data", "matrix/indptr"])
def test_a_filter_that_is_not_installed_is_named_of_a_10x_matrix_too(tmp_path, name):
    write_h5(tmp_path / "m.h5", np.ones((4, 3), dtype=int), BARCODES, GENES, ["Gene Expression"] * 3)
    pack(str(tmp_path / "m.h5"), name, 32015)
    with pytest.raises(InputError, match=rf"{name} is packed with an HDF5 filter that is not installed"):
        read_h5_matrix(str(tmp_path / "m.h5"))
