import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from ressat.base.errors import InputError
from ressat.base.files import FORMAT_VERSION, UNS
from ressat.counts.expression import log1p_cp10k, read_log_expression


@pytest.fixture(scope="module")
def counts():
    """Spots of very different depth."""
    rng = np.random.default_rng(1)
    depth = np.geomspace(0.05, 50, 40)[:, np.newaxis]
    counts = rng.poisson(depth * rng.gamma(0.5, 2, size=(40, 300)))
    counts[:, 0] += 1
    return sparse.csr_matrix(counts, dtype=np.float32)


@pytest.fixture(scope="module")
def file(counts, tmp_path_factory):
    adata = anndata.AnnData(
        counts,
        obs=pd.DataFrame(index=[f"spot{i}" for i in range(40)]),
        var=pd.DataFrame(index=[f"g{i}" for i in range(300)]),
        uns={UNS: {"version": FORMAT_VERSION}},
    )
    path = tmp_path_factory.mktemp("expression") / "S1.h5ad"
    adata.write_h5ad(path)
    return path


def test_equals_scanpy_to_single_precision(counts):
    import scanpy as sc

    adata = anndata.AnnData(counts.astype(np.float64))
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    np.testing.assert_allclose(log1p_cp10k(counts).toarray(), adata.X.toarray(), rtol=1e-6)


def test_is_the_logarithm_of_the_share_of_a_spot_s_counts():
    values = log1p_cp10k(sparse.csr_matrix([[1.0, 3.0, 0.0], [0.0, 0.0, 7.0]])).toarray()
    np.testing.assert_allclose(values, np.log([[2501, 7501, 1], [1, 1, 10001]]))


def test_depth_does_not_matter(counts):
    np.testing.assert_allclose(log1p_cp10k(counts * 3).toarray(), log1p_cp10k(counts).toarray())


def test_counts_are_left_as_they_are(counts):
    before = counts.copy()
    log1p_cp10k(counts)
    assert (counts != before).nnz == 0


def test_genes_come_in_the_order_asked_for_normalised_over_all_genes(counts, file):
    genes = ["g7", "g0", "g299"]
    read = read_log_expression(file, genes)
    np.testing.assert_allclose(read.values, log1p_cp10k(counts).toarray()[:, [7, 0, 299]], rtol=1e-6)
    assert (read.values.dtype, read.values.shape) == (np.float32, (40, 3))
    np.testing.assert_array_equal(read.n_counts, np.asarray(counts.sum(axis=1)).ravel())
    assert read.barcodes.tolist() == [f"spot{i}" for i in range(40)]


def test_a_gene_that_the_section_does_not_have_is_nan_and_not_zero(file):
    values = read_log_expression(file, ["g1", "nowhere", "g2"]).values
    assert np.isnan(values[:, 1]).all()
    np.testing.assert_array_equal(values[:, [0, 2]], read_log_expression(file, ["g1", "g2"]).values)


@pytest.mark.parametrize("row", [[0, 0, 0], [-1, 2, 3], [-2, 1, 0]])
def test_counts_that_no_section_has_are_refused_by_file(tmp_path, row):
    counts = sparse.csr_matrix(np.array([[1, 2, 3], row], np.float32))
    anndata.AnnData(counts, uns={UNS: {"version": FORMAT_VERSION}}).write_h5ad(tmp_path / "C2.h5ad")
    with pytest.raises(InputError, match=r"C2\.h5ad: a spot has no counts, or negative ones; .*run again"):
        read_log_expression(tmp_path / "C2.h5ad", ["0"])
