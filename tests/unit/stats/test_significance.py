import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist
from scipy.stats import pearsonr

from ressat.stats.significance import CorrelationTest, benjamini_hochberg, correlation_p_values

PAIRS = 2_000
RANGES = range(2, 9)


def hexagonal_tissue(spots: int) -> np.ndarray:
    """Centres on a hexagonal array, pitch 100, within a ragged outline."""
    column, row = np.meshgrid(np.arange(60) - 30, np.arange(60) - 30)
    grid = 100 * np.column_stack([(column + row % 2 / 2).ravel(), (row * 3**0.5 / 2).ravel()])
    angle = np.arctan2(grid[:, 1], grid[:, 0])
    outline = 1 + 0.25 * np.cos(2 * angle + 1) + 0.15 * np.cos(3 * angle) + 0.08 * np.cos(7 * angle)
    return grid[np.argsort(np.hypot(*grid.T) / outline, kind="stable")[:spots]]


def square_array(edge: int) -> np.ndarray:
    return np.argwhere(np.ones((edge, edge))).astype(float)


def correlations(distance: np.ndarray, family: str, reach: float) -> np.ndarray:
    if family == "exponential":
        return np.exp(-distance / reach)
    if family == "gaussian":
        return np.exp(-((distance / reach) ** 2))
    if family == "smoothed noise":  # white noise after a Gaussian filter of that standard deviation
        return np.exp(-((distance / (2 * reach)) ** 2))
    scaled = np.minimum(distance / reach, 1)
    return 1 - 1.5 * scaled + 0.5 * scaled**3


def random_fields(
    coords: np.ndarray, pitch: float, family: str, reach: float, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Return independent Gaussian fields of variance 1, (spots, count)."""
    values, vectors = np.linalg.eigh(correlations(cdist(coords, coords) / pitch, family, reach))
    return vectors @ (np.sqrt(np.maximum(values, 0))[:, None] * rng.normal(size=(len(coords), count)))


def naive_p_values(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return pearsonr(x, y, axis=0, alternative="greater").pvalue


def share(p: np.ndarray, level: float = 0.05) -> float:
    return float((p < level).mean())


@pytest.mark.parametrize("family", ["exponential", "gaussian", "spherical", "smoothed noise"])
def test_independent_maps_are_called_significant_at_most_7_times_in_100(family):
    coords = hexagonal_tissue(350)
    rng = np.random.default_rng(1)
    naive = {}
    for reach in RANGES:
        x, y = (random_fields(coords, 100, family, reach, PAIRS, rng) for _ in "xy")
        assert share(correlation_p_values(x, y, coords)[0]) <= 0.07, reach
        naive[reach] = share(naive_p_values(x, y))
    assert min(naive[6], naive[8]) > 0.2


@pytest.mark.parametrize("mode", ["reflect", "wrap"])
def test_noise_smoothed_on_a_square_array_keeps_the_level_however_its_edges_are_filled(mode):
    coords = square_array(16)
    rng = np.random.default_rng(2)
    for reach in RANGES:
        noise = rng.normal(size=(2, PAIRS, 16, 16))
        x, y = gaussian_filter(noise, (0, 0, reach, reach), mode=mode).reshape(2, PAIRS, -1).swapaxes(1, 2)
        assert share(correlation_p_values(x, y, coords)[0]) <= 0.07, reach
        assert share(naive_p_values(x, y)) > 0.2


@pytest.mark.parametrize("family", ["exponential", "smoothed noise"])
def test_a_noisy_map_against_a_smooth_one_keeps_the_level(family):
    coords = hexagonal_tissue(350)
    rng = np.random.default_rng(3)
    for reach in (2, 4, 8):
        x, y = (random_fields(coords, 100, family, reach, PAIRS, rng) for _ in "xy")
        x = np.sqrt(0.3) * x + np.sqrt(0.7) * rng.normal(size=x.shape)
        assert share(correlation_p_values(x, y, coords)[0]) <= 0.07, reach


@pytest.mark.parametrize("degrees", [0, 22.5, 45])
def test_layered_tissue_keeps_the_level_whichever_way_the_layers_run(degrees):
    coords = hexagonal_tissue(350)
    across, along = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    layers = coords @ [[across, -along], [along, across]] * [1, 1 / 3]
    rng = np.random.default_rng(4)
    for reach in (2, 4):
        x, y = (random_fields(layers, 100, "exponential", reach, PAIRS, rng) for _ in "xy")
        assert share(correlation_p_values(x, y, coords)[0]) <= 0.07, reach


def test_maps_that_are_both_high_in_a_few_islands_are_not_discovered_by_chance():
    """The tail decides on discoveries; r alone finds such maps significant ten times too often."""
    coords = hexagonal_tissue(350)
    rng = np.random.default_rng(6)
    islands = [
        np.exp(2.5 * random_fields(coords, 100, "gaussian", 3, PAIRS, rng))
        + 0.3 * rng.normal(size=(350, PAIRS))
        for _ in "xy"
    ]
    p, _ = correlation_p_values(*islands, coords)
    assert share(p) <= 0.07
    assert (p < 0.001).mean() <= 0.002
    assert all((benjamini_hochberg(genes) > 0.05).all() for genes in np.split(p, 8))


@pytest.mark.parametrize("spots", [20, 350])
def test_without_autocorrelation_every_spot_counts(spots):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, spots, PAIRS))
    p, size = correlation_p_values(x, y, hexagonal_tissue(spots))
    assert 0.02 <= share(p) <= 0.07
    assert np.median(size) > 0.9 * spots
    assert size.max() <= spots


def test_twenty_spots_keep_the_level():
    coords = hexagonal_tissue(20)
    rng = np.random.default_rng(6)
    for reach in RANGES:
        x, y = (random_fields(coords, 100, "exponential", reach, PAIRS, rng) for _ in "xy")
        assert share(correlation_p_values(x, y, coords)[0]) <= 0.07, reach


# Ranges up to which 500 spots hold enough independent ones; beyond, no valid test has this power.
@pytest.mark.parametrize(("family", "longest"), [("exponential", 5), ("gaussian", 3), ("spherical", 8)])
def test_a_correlation_of_one_half_is_found_in_500_spots_4_times_in_5(family, longest):
    coords = hexagonal_tissue(500)
    rng = np.random.default_rng(7)
    for reach in range(2, longest + 1):
        x, other = (random_fields(coords, 100, family, reach, 500, rng) for _ in "xy")
        assert share(correlation_p_values(x, x / 2 + np.sqrt(0.75) * other, coords)[0]) > 0.8, reach


def test_the_effective_sample_size_is_the_one_that_the_spread_of_r_shows():
    coords = hexagonal_tissue(350)
    rng = np.random.default_rng(8)
    for family, reach in (("exponential", 2), ("spherical", 4), ("gaussian", 3)):
        x, y = (random_fields(coords, 100, family, reach, PAIRS, rng) for _ in "xy")
        shown = 1 + 1 / pearsonr(x, y, axis=0).statistic.var()
        assert np.median(correlation_p_values(x, y, coords)[1]) == pytest.approx(shown, rel=0.15)


@pytest.mark.parametrize("family", ["exponential", "gaussian", "spherical", "smoothed noise"])
def test_maps_that_share_nothing_but_a_covariate_keep_the_level_given_it(family):
    coords = hexagonal_tissue(350)
    rng = np.random.default_rng(14)
    plain = []
    for reach, of_depth in ((2, 4), (4, 2), (8, 6)):
        x, y = (random_fields(coords, 100, family, reach, PAIRS, rng) for _ in "xy")
        depth = random_fields(coords, 100, family, of_depth, 1, rng)
        x, y = x + depth, y + 2 * depth
        assert share(correlation_p_values(x, y, coords, depth[:, 0])[0]) <= 0.06, reach
        plain.append(share(correlation_p_values(x, y, coords)[0]))
    assert max(plain) > 0.15


def test_what_maps_share_beside_a_covariate_is_found_given_it():
    coords = hexagonal_tissue(500)
    rng = np.random.default_rng(15)
    x, other = (random_fields(coords, 100, "exponential", 3, PAIRS, rng) for _ in "xy")
    depth = random_fields(coords, 100, "exponential", 3, 1, rng)
    y = x / 2 + np.sqrt(0.75) * other
    p, size = correlation_p_values(x + depth, y + depth, coords, depth[:, 0])
    assert share(p) > 0.8
    assert np.median(size) == pytest.approx(np.median(correlation_p_values(x, y, coords)[1]), rel=0.1)


def test_a_negative_correlation_is_not_significant():
    coords = hexagonal_tissue(350)
    x = random_fields(coords, 100, "exponential", 2, 5, np.random.default_rng(9))
    assert (correlation_p_values(x, -x, coords)[0] == 1).all()
    assert (correlation_p_values(x, x, coords)[0] < 1e-6).all()


def test_constant_genes_and_genes_without_truth_are_undefined():
    coords = hexagonal_tissue(60)
    x, y = np.random.default_rng(10).normal(size=(2, 60, 4))
    x[:, 1], y[:, 2], x[3, 3] = 4.2, 0, np.nan
    for result in correlation_p_values(x, y, coords):
        assert result.dtype == np.float64
        assert np.isnan(result).tolist() == [False, True, True, True]
    assert np.isnan(correlation_p_values(x[:, 1:], y[:, 1:], coords)).all()


def test_the_result_depends_on_neither_the_order_of_spots_nor_the_unit():
    coords = hexagonal_tissue(200)
    rng = np.random.default_rng(11)
    x, y = (random_fields(coords, 100, "gaussian", 3, 20, rng) for _ in "xy")
    expected = correlation_p_values(x, y, coords)
    order = rng.permutation(200)
    np.testing.assert_array_equal(correlation_p_values(x[order], y[order], coords[order]), expected)
    np.testing.assert_allclose(correlation_p_values(x * 3 + 7, y, coords / 55 - 1000), expected, rtol=1e-6)
    np.testing.assert_allclose(correlation_p_values(y, x, coords), expected, rtol=1e-6)
    depth = random_fields(coords, 100, "gaussian", 3, 1, rng)[:, 0]
    expected = correlation_p_values(x, y, coords, depth)
    given = correlation_p_values(x[order], y[order], coords[order], depth[order])
    np.testing.assert_array_equal(given, expected)
    x = x + depth[:, None]
    np.testing.assert_allclose(correlation_p_values(x, y, coords, 5 * depth), expected, rtol=1e-6)


def test_two_spots_say_nothing_however_they_correlate():
    x, y = np.random.default_rng(14).normal(size=(2, 2, 20))
    p, _ = correlation_p_values(x, y, np.array([[0.0, 0.0], [100.0, 0.0]]))
    np.testing.assert_allclose(p, 0.5, atol=0.02)
    assert np.isnan(correlation_p_values(x[:1], y[:1], np.zeros((1, 2)))).all()


def test_several_pairs_of_maps_are_tested_as_one_by_one():
    coords = hexagonal_tissue(60)
    x, y, z = np.random.default_rng(15).normal(size=(3, 60, 4))
    for given in (None, z[:, 0]):
        test = CorrelationTest(coords, given)
        for pair in ((x, y), (x, z[:, ::-1])):
            np.testing.assert_array_equal(test(*pair), correlation_p_values(*pair, coords, given))


def test_spots_in_one_row_can_be_tested():
    x, y = np.random.default_rng(12).normal(size=(2, 20, PAIRS))
    row = np.column_stack([np.arange(20.0), np.zeros(20)])
    assert 0.03 <= share(correlation_p_values(x, y, row)[0]) <= 0.07


def test_a_section_of_3000_spots_is_tested_on_all_of_them():
    coords = hexagonal_tissue(3_000)
    rng = np.random.default_rng(13)
    x, y = rng.normal(size=(2, 3_000, 100))
    p, size = correlation_p_values(x, y + 0.15 * x, coords)
    assert share(p, 1e-4) > 0.98
    assert size.min() > 2_500


def test_q_values_are_benjamini_and_hochbergs_and_leave_undefined_genes_out():
    np.testing.assert_allclose(
        benjamini_hochberg(np.array([0.01, np.nan, 0.04, 0.03])), [0.03, np.nan, 0.04, 0.04]
    )
    assert np.isnan(benjamini_hochberg(np.full(3, np.nan))).all()
    assert benjamini_hochberg(np.empty(0)).size == 0
