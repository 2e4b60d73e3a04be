import h5py
import numpy as np
import pytest
from scipy.stats import chi2
from sklearn.covariance import LedoitWolf
from sklearn.preprocessing import StandardScaler

from ressat.base.errors import InputError
from ressat.trust.ellipsoid import MOST_AXES, Ellipsoid


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_distances_in_a_gaussian_cloud_have_the_quantiles_of_chi(rng):
    mixing = np.eye(6) + 0.2 * rng.normal(size=(6, 6))
    rows = rng.normal(size=(20_000, 6)) @ mixing + 100
    distance = Ellipsoid.fit([rows[:10_000]]).distance(rows[10_000:])
    for share in (0.5, 0.9, 0.95):
        assert np.quantile(distance**2, share) == pytest.approx(chi2.ppf(share, 6), rel=0.03)


@pytest.mark.parametrize(("rows", "columns"), [(30, 20), (300, 20), (40, MOST_AXES)])
def test_the_covariance_is_shrunk_as_by_ledoit_and_wolf(rng, rows, columns):
    table = rng.normal(size=(rows, columns)) @ rng.normal(size=(columns, columns))
    scaler = StandardScaler().fit(table)
    expected = LedoitWolf(assume_centered=True).fit(scaler.transform(table))
    others = rng.normal(size=(50, columns))
    squares = Ellipsoid.fit([table]).distance(others) ** 2
    z = scaler.transform(others)
    np.testing.assert_allclose(squares, np.einsum("ij,jk,ik->i", z, expected.precision_, z), rtol=1e-4)


def test_directions_beyond_the_axes_count_by_their_mean_variance(rng):
    spread = np.r_[np.full(MOST_AXES, 1.3), np.full(36, 1.0)]
    rows = (rng.normal(size=(4000, 100)) * spread) @ np.linalg.qr(rng.normal(size=(100, 100)))[0]
    ellipsoid = Ellipsoid.fit([rows])
    assert ellipsoid.axes.shape == (100, MOST_AXES)
    assert (ellipsoid.distance(rows) ** 2).mean() == pytest.approx(100, rel=0.02)


def test_the_order_of_rows_and_their_tables_change_nothing(rng):
    rows = rng.normal(size=(200, 90))
    others = rng.normal(size=(20, 90))
    order = rng.permutation(200)
    one = Ellipsoid.fit([rows]).distance(others)
    other = Ellipsoid.fit([rows[order[:70]], rows[order[70:]]]).distance(others[::-1])[::-1]
    np.testing.assert_allclose(one, other, rtol=1e-6)


def test_constant_and_nearly_dead_columns_make_no_tile_new(rng):
    rows = np.column_stack([rng.normal(size=(100, 5)), np.full(100, 3.0), np.zeros(100)])
    rows[0, 6] = 1e-4  # a unit of a network that fired once
    others = rows + np.r_[np.zeros(6), 1e-3]
    ellipsoid = Ellipsoid.fit([rows])
    np.testing.assert_allclose(ellipsoid.distance(others), ellipsoid.distance(rows), atol=0.1)


@pytest.mark.parametrize("rows", [np.ones((30, 4)), np.ones((1, 4))])
def test_tiles_that_are_all_alike_are_refused(rows):
    with pytest.raises(InputError, match="do not differ"):
        Ellipsoid.fit([rows])


def test_numbers_that_are_not_finite_and_other_features_are_refused(rng):
    ellipsoid = Ellipsoid.fit([rng.normal(size=(30, 4))])
    with pytest.raises(InputError, match=r"1 of 8 numbers are not finite \(the first is nan"):
        ellipsoid.distance(np.array([[0, 1, np.nan, 2], [0, 0, 0, 0]]))
    with pytest.raises(InputError, match="5 features a tile; expected 4"):
        ellipsoid.distance(np.zeros((2, 5)))
    assert ellipsoid.distance(np.empty((0, 4))).shape == (0,)


def test_it_is_read_as_it_was_written(rng, tmp_path):
    ellipsoid = Ellipsoid.fit([rng.normal(size=(30, 80))])
    with h5py.File(tmp_path / "one.h5", "w") as file:
        ellipsoid.write(file.create_group("features"))
        again = Ellipsoid.read(file["features"])
    assert again.problem is None
    others = rng.normal(size=(9, 80))
    np.testing.assert_array_equal(again.distance(others), ellipsoid.distance(others))
