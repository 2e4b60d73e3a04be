import numpy as np

from ressat.model.scaler import Scaler


def test_scaler_gives_zero_mean_and_unit_deviation_over_all_tables():
    rng = np.random.default_rng(0)
    tables = [rng.normal(5, 3, size=(40, 4)), rng.normal(-2, 1, size=(25, 4))]
    scaler = Scaler.fit(tables)
    z = scaler.scale(np.concatenate(tables))
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(z.std(axis=0), 1)
    np.testing.assert_allclose(scaler.unscale(z), np.concatenate(tables))


def test_a_constant_column_stays_finite():
    scaler = Scaler.fit([np.ones((10, 1), dtype=np.float32)])
    assert scaler.scale(np.array([[1.0], [2.0]])).tolist() == [[0.0], [1.0]]


def test_a_unit_that_hardly_ever_fires_is_not_blown_up():
    rng = np.random.default_rng(0)
    features = np.column_stack([rng.normal(size=200), np.where(np.arange(200) == 7, 1e-4, 0)])
    scaler = Scaler.fit([features], dead_below=1e-3)
    assert np.abs(scaler.scale(np.array([[0.0, 0.5]]))).max() < 1
    assert np.abs(Scaler.fit([features]).scale(np.array([[0.0, 0.5]]))).max() > 1000
