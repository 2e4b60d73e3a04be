"""Means over square boxes of an image, many at a time."""

import numpy as np


class BoxMeans:
    """A summed-area table: one pass over the image, then four look-ups per box.

    Parameters
    ----------
    image
        Numbers or booleans, shape (h, w).
    """

    def __init__(self, image: np.ndarray) -> None:
        kind = np.int64 if image.dtype == bool else np.float64
        self._table = np.pad(image, ((1, 0), (1, 0))).cumsum(axis=0, dtype=kind).cumsum(axis=1)

    @property
    def total(self) -> float:
        """Sum over the whole image."""
        return float(self._table[-1, -1])

    def at(self, x: np.ndarray, y: np.ndarray, edge: float) -> np.ndarray:
        """Return the mean over each square box, what lies outside the image counting as 0.

        Parameters
        ----------
        x, y
            Centres of the boxes in pixels of the image, shape (n,).
        edge
            Edge of the boxes in pixels of the image.

        Returns
        -------
        numpy.ndarray
            float32, shape (n,).
        """
        height, width = np.array(self._table.shape) - 1
        # Whole pixels, the same number in every box: rounding both sides would favour some.
        size = max(1, round(edge))
        first = np.round(np.stack([x, y]) - size / 2).astype(int)
        left, top = np.clip(first, 0, [[width], [height]])
        right, bottom = np.clip(first + size, 0, [[width], [height]])
        table = self._table
        sums = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
        return (sums / size**2).astype(np.float32)
