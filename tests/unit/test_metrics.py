import numpy as np
from scipy.stats import pearsonr

from ressat.metrics import pearson, rmse


def test_pearson_agrees_with_scipy():
    rng = np.random.default_rng(0)
    observed, predicted = rng.normal(size=(2, 60, 5)) + 3
    expected = [pearsonr(observed[:, gene], predicted[:, gene])[0] for gene in range(5)]
    np.testing.assert_allclose(pearson(observed, predicted), expected)


def test_a_constant_gene_is_undefined_not_zero():
    rng = np.random.default_rng(0)
    varied = rng.normal(size=(60, 1)).astype(np.float32)
    for constant in (0.0, 4.2, 0.1):
        flat = np.full((60, 1), constant, dtype=np.float32)
        assert np.isnan(pearson(flat, varied)).all()
        assert np.isnan(pearson(varied, flat)).all()


def test_a_gene_without_truth_is_undefined():
    assert np.isnan(pearson(np.full((9, 1), np.nan), np.arange(9.0)[:, None])).all()


def test_rmse_is_in_the_unit_of_the_tables():
    assert rmse(np.array([[1.0], [3.0]]), np.array([[2.0], [5.0]])) == np.sqrt(2.5)
