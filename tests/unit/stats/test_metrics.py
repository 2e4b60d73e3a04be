import numpy as np
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import r2_score

from ressat.stats.metrics import held_back_score, mixed_scores, pearson, r_squared, rmse, spearman


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


def test_spearman_agrees_with_scipy_with_and_without_ties():
    rng = np.random.default_rng(2)
    observed, predicted = rng.normal(size=(60, 4)), rng.integers(0, 5, size=(60, 4)).astype(float)
    expected = [spearmanr(observed[:, gene], predicted[:, gene])[0] for gene in range(4)]
    np.testing.assert_allclose(spearman(observed, predicted), expected)
    assert np.isnan(spearman(np.full((60, 1), 0.1, np.float32), observed[:, :1])).all()


def test_r_squared_agrees_with_scikit_learn_and_is_undefined_for_a_constant_gene():
    rng = np.random.default_rng(3)
    observed, predicted = rng.normal(size=(2, 60, 4))
    expected = [r2_score(observed[:, gene], predicted[:, gene]) for gene in range(4)]
    np.testing.assert_allclose(r_squared(observed, predicted), expected)
    assert np.isnan(r_squared(np.full((60, 4), 0.1, np.float32), predicted)).all()
    # A constant prediction is the worse the further it is off.
    assert r_squared(observed, np.full((60, 4), 9.0)).max() < 0


def test_choices_go_by_the_genes_that_vary_and_a_flat_prediction_is_worth_nothing():
    rng = np.random.default_rng(4)
    observed, predicted = rng.normal(size=(2, 60, 3))
    observed[:, 0] = 1.0
    predicted[:, 1] = 2.0
    r = np.corrcoef(observed[:, 2], predicted[:, 2])[0, 1]
    assert np.isclose(held_back_score(observed, predicted), (0 + r) / 2)
    assert held_back_score(observed[:, :1], predicted[:, :1]) == 0


def test_scores_of_mixtures_are_those_of_the_mixtures():
    rng = np.random.default_rng(5)
    observed = rng.normal(3, 1, (60, 30)).astype(np.float32)
    first, second = ((observed + rng.normal(0, sd, (60, 30))).astype(np.float32) for sd in (1, 2))
    observed[:, 0] = 2
    first[:, 1] = second[:, 1] = -4
    first[:, 2] = 0.5
    second[:, 3] = 1 - first[:, 3]
    shares = (0.0, 0.25, 0.5, 1.0)
    expected = [held_back_score(observed, share * second + (1 - share) * first) for share in shares]
    np.testing.assert_allclose(mixed_scores(observed, first, second, shares), expected, atol=1e-6)
    assert (mixed_scores(observed[:, :1], first[:, :1], second[:, :1], shares) == 0).all()
