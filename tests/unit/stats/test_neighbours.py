import numpy as np
import pytest

from ressat.stats.autocorrelation import morans_i, neighbour_graph
from ressat.stats.neighbours import smoothed, spot_pitch


def hexagonal(side: int = 12, pitch: float = 100.0) -> np.ndarray:
    row, column = (values.ravel() for values in np.mgrid[:side, :side])
    return pitch * np.stack([column + 0.5 * (row % 2), row * np.sqrt(3) / 2], -1)


def test_the_pitch_is_the_distance_to_the_nearest_spot():
    assert spot_pitch(hexagonal()) == pytest.approx(100)
    assert np.isnan(spot_pitch(np.zeros((1, 2))))


@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
def test_smoothing_is_a_gaussian_mean_over_neighbours_and_the_spot_itself(width):
    coords = hexagonal(pitch=7.0)
    values = np.random.default_rng(0).normal(size=(len(coords), 3)).astype(np.float32)
    distances = np.linalg.norm(coords[:, None] - coords[None], axis=-1) / (7 * width)
    weights = np.where(distances <= 3 + 1e-6, np.exp(-0.5 * distances**2), 0)
    expected = weights @ values / weights.sum(axis=1)[:, None]
    np.testing.assert_allclose(smoothed(values, coords, width), expected, rtol=1e-5, atol=1e-7)


def test_smoothing_leaves_a_constant_alone():
    np.testing.assert_allclose(smoothed(np.full((144, 1), 3.5), hexagonal(), 1.5), 3.5)


def test_morans_i_is_that_of_the_textbook():
    coords = hexagonal()
    rng = np.random.default_rng(1)
    values = np.stack([coords[:, 0], rng.normal(size=len(coords)), (coords[:, 1] > 500) * 1.0], -1)
    weights = neighbour_graph(coords).toarray()
    assert (weights.sum(axis=1) == 6).all()
    deviations = values - values.mean(axis=0)
    expected = [len(z) / weights.sum() * (z @ weights @ z) / (z @ z) for z in deviations.T]
    found = morans_i(values, coords)
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.02)
    assert found[0] > 0.8
    assert abs(found[1]) < 0.1


def test_morans_i_of_a_gene_without_variation_is_undefined():
    values = np.ones((144, 2))
    values[0, 1] = np.nan
    assert np.isnan(morans_i(values, hexagonal())).all()
