"""Spots and their neighbours in one section."""

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree


def smoothed(values: np.ndarray, coords: np.ndarray, width: float) -> np.ndarray:
    """Average every spot with its neighbours, weighted by a Gaussian of their distance.

    Parameters
    ----------
    values
        Shape (spots, columns).
    coords
        Shape (spots, 2).
    width
        Standard deviation of the Gaussian in units of the spot pitch, above 0; cut off at three of them.

    Returns
    -------
    numpy.ndarray
        float64, shape (spots, columns).
    """
    sigma = width * spot_pitch(coords)
    tree = cKDTree(coords)
    # A little more, so that rounding does not decide on spots just there.
    reach = 3 * sigma * (1 + 1e-6)
    distances = tree.sparse_distance_matrix(tree, reach, output_type="coo_matrix")
    weights = sparse.csr_array(
        (np.exp(-0.5 * (distances.data / sigma) ** 2), (distances.row, distances.col)), distances.shape
    )
    return (weights @ values.astype(np.float64)) / weights.sum(axis=1)[:, None]


def spot_pitch(coords: np.ndarray) -> float:
    """Return the median distance of spots (n, 2) to their nearest neighbour; NaN for a single spot."""
    if len(coords) < 2:
        return float("nan")
    distances, _ = cKDTree(coords).query(coords, k=2)
    return float(np.median(distances[:, 1]))
