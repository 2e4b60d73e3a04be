import numpy as np
import pytest
from scipy.stats import pearsonr, rankdata
from sklearn.linear_model import LinearRegression

from ressat.stats.metrics import pearson, spearman
from ressat.stats.partial import partial_pearson, partial_spearman, without


@pytest.fixture
def maps():
    """Two maps that have nothing in common but the covariate."""
    rng = np.random.default_rng(0)
    given = 8 + rng.normal(size=400)
    observed, predicted = (2 * given[:, None] + rng.normal(size=(400, 3)) for _ in "xy")
    return observed, predicted, given


def test_it_is_the_correlation_of_residuals(maps):
    observed, predicted, given = maps
    rest = []
    for table in (observed, predicted):
        fit = LinearRegression().fit(given[:, None], table)
        rest.append(table - fit.predict(given[:, None]))
        np.testing.assert_allclose(without(table, given), rest[-1], atol=1e-9)
    expected = [pearsonr(rest[0][:, gene], rest[1][:, gene])[0] for gene in range(3)]
    np.testing.assert_allclose(partial_pearson(observed, predicted, given), expected)
    assert np.abs(expected).max() < 0.15 < 0.7 < pearson(observed, predicted).min()


def test_it_is_the_formula_of_three_correlations(maps):
    observed, predicted, given = maps
    xy, xz, yz = (
        pearson(*pair)
        for pair in ((observed, predicted), (observed, given[:, None]), (predicted, given[:, None]))
    )
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    np.testing.assert_allclose(partial_pearson(observed, predicted, given), expected)


def test_that_of_ranks_is_unchanged_by_monotone_units(maps):
    observed, predicted, given = maps
    rho = partial_spearman(observed, predicted, given)
    ranks = [np.apply_along_axis(rankdata, 0, table) for table in maps]
    np.testing.assert_allclose(rho, partial_pearson(*ranks))
    np.testing.assert_allclose(partial_spearman(np.exp(observed / 9), predicted, np.exp(given)), rho)


def test_a_constant_covariate_takes_nothing_away(maps):
    observed, predicted, given = maps
    flat = np.full_like(given, 7.3)
    np.testing.assert_allclose(partial_pearson(observed, predicted, flat), pearson(observed, predicted))
    np.testing.assert_allclose(partial_spearman(observed, predicted, flat), spearman(observed, predicted))


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_a_map_that_the_covariate_explains_wholly_is_undefined(maps, kind):
    observed, _, given = maps
    line = (3 - 2 * given[:, None]).astype(kind)
    assert np.isnan(partial_pearson(observed[:, :1], line, given)).all()
    assert np.isnan(partial_spearman(observed[:, :1], line, given)).all()
    assert np.isnan(partial_pearson(np.full((400, 1), np.nan), observed[:, :1], given)).all()
