"""Spots and their neighbours in one section."""

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

# Columns that are averaged at a time, which bounds memory.
BLOCK_COLUMNS = 128


def smoothed(values: np.ndarray, coords: np.ndarray, width: float) -> np.ndarray:
    """Average every spot with its neighbours, weighted by a Gaussian of their distance.

    Parameters
    ----------
    values
        Shape (spots, columns).
    coords
        Shape (spots, 2).
    width
        Standard deviation of the Gaussian in units of the spot pitch, above 0; cut off at three times that.

    Returns
    -------
    numpy.ndarray
        float64, shape (spots, columns).
    """
    weights = _gaussian_weights(coords, width * spot_pitch(coords))
    return (weights @ values.astype(np.float64)) / weights.sum(axis=1)[:, None]


def around(values: np.ndarray, coords: np.ndarray, sigma: float) -> np.ndarray:
    """Return the Gaussian mean of every spot's neighbours, the spot itself left out.

    Parameters
    ----------
    values
        Shape (spots, columns).
    coords
        Shape (spots, 2).
    sigma
        Standard deviation of the Gaussian in the unit of the coordinates, above 0, cut off at three times
        that. A spot without neighbours has its own values.

    Returns
    -------
    numpy.ndarray
        float64, shape (spots, columns).
    """
    weights = _gaussian_weights(coords, sigma)
    weights.setdiag(0)
    total = weights.sum(axis=1)[:, None]
    # In the order of the values in memory: dropout draws its masks in it.
    result = np.empty_like(values, dtype=np.float64)
    for first in range(0, values.shape[1], BLOCK_COLUMNS):
        columns = slice(first, first + BLOCK_COLUMNS)
        own = values[:, columns].astype(np.float64)
        result[:, columns] = np.where(total > 0, (weights @ own) / np.where(total > 0, total, 1), own)
    return result


def with_context(values: np.ndarray, coords: np.ndarray, sigma: float) -> np.ndarray:
    """Average every spot's own values with those `around` it, half and half.

    Parameters
    ----------
    values
        Shape (spots, columns).
    coords
        Shape (spots, 2).
    sigma
        As for `around`; at 0 the values are returned as they are.

    Returns
    -------
    numpy.ndarray
        float64, shape (spots, columns).
    """
    if sigma == 0:
        return values.astype(np.float64)
    result = around(values, coords, sigma)
    result += values
    result /= 2
    return result


def _gaussian_weights(coords: np.ndarray, sigma: float) -> sparse.csr_array:
    """Weights of all pairs of spots within three standard deviations, themselves included."""
    tree = cKDTree(coords)
    # A little more, so that rounding does not decide about spots exactly at the limit.
    reach = 3 * sigma * (1 + 1e-6)
    distances = tree.sparse_distance_matrix(tree, reach, output_type="coo_matrix")
    weights = np.exp(-0.5 * (distances.data / sigma) ** 2)
    return sparse.csr_array((weights, (distances.row, distances.col)), distances.shape)


def spot_pitch(coords: np.ndarray) -> float:
    """Return the median distance of spots (n, 2) to their nearest neighbour; NaN for a single spot."""
    if len(coords) < 2:
        return float("nan")
    distances, _ = cKDTree(coords).query(coords, k=2)
    return float(np.median(distances[:, 1]))
