"""Counts and predictions of another version of the format are refused."""

import anndata
import numpy as np
import pytest
from scipy import sparse

from ressat.base.errors import InputError
from ressat.base.files import FORMAT_VERSION
from ressat.base.results_h5ad import read_results


@pytest.fixture
def write(tmp_path):
    def write(**uns):
        path = tmp_path / "C2.h5ad"
        anndata.AnnData(np.ones((3, 2), np.float32), uns=uns).write_h5ad(path)
        return path

    return write


@pytest.mark.parametrize("backed", [None, "r"])
def test_results_of_this_version_are_read(write, backed):
    adata = read_results(write(ressat={"version": FORMAT_VERSION}), backed)
    assert adata.shape == (3, 2)
    assert adata.isbacked == (backed == "r")
    if backed:
        adata.file.close()


@pytest.mark.parametrize("backed", [None, "r"])
@pytest.mark.parametrize("uns", [{}, {"ressat": {}}, {"ressat": {"version": 2}}])
def test_results_of_another_version_are_refused(write, uns, backed):
    path = write(**uns)
    with pytest.raises(InputError, match=r"C2\.h5ad: file format version .*; remove the results") as caught:
        read_results(path, backed)
    assert caught.value.file == str(path)
    path.unlink()


def damage(path, change):
    """Change an AnnData file as another program might."""
    adata = anndata.read_h5ad(path)
    change(adata)
    adata.write_h5ad(path)


def put(where, value):
    def change(adata):
        table = adata.X if where == "X" else adata.layers[where]
        table[1, 1] = value

    return change


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["X", "direct", "observed"])
def test_a_number_that_is_not_finite_is_named_with_its_place(write, where, value):
    path = write(ressat={"version": FORMAT_VERSION})
    damage(path, lambda adata: adata.layers.update(direct=adata.X.copy(), observed=adata.X.copy()))
    assert set(read_results(path).layers) == {"direct", "observed"}
    damage(path, put(where, value))
    said = rf"C2\.h5ad: .*{where}: 1 of 6 numbers are not finite .*{value:g}, at 1, 1.*; remove it and run"
    with pytest.raises(InputError, match=said):
        read_results(path)


def test_a_gene_that_was_not_measured_is_nan_as_a_whole(write):
    path = write(ressat={"version": FORMAT_VERSION})
    unmeasured = np.array([[1, np.nan]] * 3, np.float32)
    damage(path, lambda adata: adata.layers.update(observed=unmeasured))
    np.testing.assert_array_equal(read_results(path).layers["observed"], unmeasured)
    damage(path, lambda adata: adata.layers.update(direct=unmeasured))
    with pytest.raises(InputError, match="layer direct: 3 of 6 numbers"):
        read_results(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_counts_of_results_are_finite(tmp_path, value):
    counts = sparse.csr_matrix(np.array([[1, 0], [2, value]], np.float32))
    uns = {"ressat": {"version": FORMAT_VERSION}}
    anndata.AnnData(counts, uns=uns).write_h5ad(tmp_path / "C2.h5ad")
    with pytest.raises(
        InputError, match=rf"C2\.h5ad: X: 1 of 3 numbers are not finite \(the first is {value:g}"
    ):
        read_results(tmp_path / "C2.h5ad")


@pytest.mark.parametrize("backed", [None, "r"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda adata: setattr(adata, "obs_names", list("aab")), "spot a is there twice"),
        (lambda adata: setattr(adata, "var_names", list("gg")), "gene g is there twice"),
        (lambda adata: adata.obsm.update(spatial=np.full((3, 2), np.nan)), "its coordinates: 6 of 6 numbers"),
        (lambda adata: adata.uns["ressat"].update(version="3"), r"no whole number \(str '3'\)"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*names are not unique")
def test_what_was_never_written_so_is_refused(write, change, said, backed):
    path = write(ressat={"version": FORMAT_VERSION})
    damage(path, change)
    with pytest.raises(InputError, match=said):
        read_results(path, backed)
    path.unlink()


@pytest.mark.parametrize("backed", [None, "r"])
@pytest.mark.parametrize("kept", [0, 0.3, 0.9])
def test_half_a_file_is_refused(write, kept, backed):
    path = write(ressat={"version": FORMAT_VERSION})
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=r"C2\.h5ad: it cannot be read .*; remove it and run again"):
        read_results(path, backed)
