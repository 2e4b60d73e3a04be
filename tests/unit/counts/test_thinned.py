import numpy as np
import pytest
from scipy import sparse
from scipy.stats import binom

from ressat.base.errors import InputError
from ressat.counts import thinned
from ressat.counts.expression import in_unit, log1p_cp10k
from ressat.counts.expression_unit import LOG1P_CP10K, ExpressionUnit
from ressat.counts.thinned import LARGEST_EXACT, ThinnedLog
from ressat.stats.metrics import pearson

COUNTS = np.array([0, 1, 2, 7, LARGEST_EXACT, LARGEST_EXACT + 1, 90, 400, 900, 20_000])


@pytest.mark.parametrize(
    ("total", "depth"),
    [(50_000, 650), (21_000, 1000), (21_000, 20_999), (1_000_000, 50), (30_000, 30_000), (25_000, 90_000)],
)
def test_it_is_the_sum_over_the_binomial(total, depth):
    value = ThinnedLog(np.array([total]), depth, COUNTS.max())(COUNTS, np.zeros(len(COUNTS), int))
    size = min(depth, total)
    for count, got in zip(COUNTS, value, strict=True):
        kept = np.arange(count + 1)
        expected = binom.pmf(kept, count, size / total) @ np.log1p(1e4 * kept / size)
        assert got == pytest.approx(expected, abs=1e-7)


def test_recurrence_and_integral_are_the_same(monkeypatch):
    totals = np.geomspace(40, 60_000, 50).astype(int)
    counts, spots = np.tile(np.arange(1, 33), 50), np.repeat(np.arange(50), 32)
    by_recurrence = ThinnedLog(totals, 500, 32)(counts, spots)
    monkeypatch.setattr(thinned, "LARGEST_EXACT", 0)
    np.testing.assert_allclose(ThinnedLog(totals, 500, 32)(counts, spots), by_recurrence, atol=1e-7)


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    totals, counts = rng.integers(1000, 9000, 60), rng.integers(0, 200, 500)
    spots = rng.integers(0, 60, 500)
    whole = ThinnedLog(totals, 700, 200)(counts, spots)
    monkeypatch.setattr(thinned, "BLOCK", 100)
    np.testing.assert_array_equal(ThinnedLog(totals, 700, 200)(counts, spots), whole)


@pytest.fixture(scope="module")
def section():
    """Poisson counts of constant rates, 250 to 30,000 counts a spot."""
    rng = np.random.default_rng(2)
    depth = np.exp(rng.normal(np.log(3000), 0.8, size=(600, 1)))
    return sparse.csr_matrix(rng.poisson(depth * rng.dirichlet(np.full(400, 0.5))).astype(np.float32))


def test_it_is_the_mean_of_many_thinnings(section):
    genes, depth, draws = np.arange(0, 400, 4), 800, 2000
    counts = section[:40]
    value = in_unit(counts, genes, ExpressionUnit("thinned", depth)).toarray()
    whole = counts.toarray().astype(int)
    totals = whole.sum(axis=1, keepdims=True)
    kept = np.random.default_rng(3).binomial(
        whole[:, genes], np.minimum(1, depth / totals), size=(draws, 40, len(genes))
    )
    drawn = np.log1p(1e4 * kept / np.minimum(depth, totals))
    error = np.maximum(drawn.std(axis=0) / np.sqrt(draws), 1e-6)
    assert np.abs((value - drawn.mean(axis=0)) / error).max() < 5


def test_it_follows_depth_far_less(section):
    totals = np.asarray(section.sum(axis=1)).ravel()
    depth, genes = int(np.quantile(totals, 0.05)), np.arange(400)
    log_depth = np.tile(np.log(totals)[:, np.newaxis], 400)
    seen = np.asarray((section > 0).mean(axis=0)).ravel() > 0.05

    def follows(unit):
        return np.abs(pearson(in_unit(section, genes, unit).toarray(), log_depth)[seen]).mean()

    plain, other = follows(LOG1P_CP10K), follows(ExpressionUnit("thinned", depth))
    assert plain > 0.15
    assert other < plain / 2


def test_zero_stays_zero_and_the_order_of_counts_stays(section):
    value = in_unit(section, np.arange(400), ExpressionUnit("thinned", 1000))
    np.testing.assert_array_equal(value.toarray() > 0, section.toarray() > 0)
    assert value.nnz == section.nnz
    spot = section[7].toarray().ravel()
    assert (np.diff(value[7].toarray().ravel()[np.argsort(spot, kind="stable")]) >= 0).all()


def test_a_spot_below_the_depth_is_left_as_it_is(section):
    totals = np.asarray(section.sum(axis=1)).ravel()
    shallow = totals <= np.median(totals)
    value = in_unit(section, np.arange(400), ExpressionUnit("thinned", int(np.median(totals)))).toarray()
    plain = log1p_cp10k(section).toarray()
    np.testing.assert_allclose(value[shallow], plain[shallow], atol=1e-7)
    assert (value[~shallow] <= plain[~shallow] + 1e-7).all()


def test_the_plain_unit_is_log1p_cp10k_to_the_last_bit(section):
    genes = np.array([5, 0, 399])
    np.testing.assert_array_equal(
        in_unit(section, genes, LOG1P_CP10K).toarray(), log1p_cp10k(section)[:, genes].toarray()
    )


@pytest.mark.parametrize("unit", [LOG1P_CP10K, ExpressionUnit("thinned", 10)])
def test_a_spot_without_counts_is_refused_in_every_unit(unit):
    with pytest.raises(InputError, match="a spot has no counts"):
        in_unit(sparse.csr_matrix([[1.0, 2.0], [0.0, 0.0]]), np.arange(2), unit)


def test_units_have_words():
    assert LOG1P_CP10K.words == "log1p CP10k"
    assert ExpressionUnit("thinned", 1000).words == "log1p CP10k, thinned to 1,000 counts"
    assert ExpressionUnit.of({"unit": "log1p_cp10k", "depth": 1000}) == LOG1P_CP10K


@pytest.mark.parametrize(
    ("name", "depth", "expected"),
    [
        ("thined", 1000, "log1p_cp10k or thinned"),
        ("thinned", None, "a depth above 0"),
        ("thinned", 0, "a depth above 0"),
        ("log1p_cp10k", 1000, "none for log1p_cp10k"),
    ],
)
def test_a_unit_that_does_not_exist_is_refused(name, depth, expected):
    with pytest.raises(InputError, match=expected):
        ExpressionUnit(name, depth)
