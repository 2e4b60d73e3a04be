"""The kernel part of G: spots are predicted by their likeness to spots of the training sections."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ressat.model.scaler import Scaler
from ressat.stats.neighbours import around

MOST_LANDMARKS = 2000
# Spots that are compared with the landmarks at a time, which bounds memory.
BLOCK_SPOTS = 4096


def blocks(features: np.ndarray, coords_um: np.ndarray, context_um: float) -> list[np.ndarray]:
    """Return what the kernel compares: a spot's own features and, with a context, those around it.

    Parameters
    ----------
    features
        Shape (spots, features).
    coords_um
        Shape (spots, 2).
    context_um
        Standard deviation of the Gaussian mean of neighbours; 0 for none.

    Returns
    -------
    list of numpy.ndarray
        One or two tables of shape (spots, features).
    """
    return [features, around(features, coords_um, context_um)] if context_um else [features]


@dataclass(frozen=True)
class LandmarkBlock:
    """One block of the landmarks' features.

    Attributes
    ----------
    scaler
        Of the block's columns.
    landmarks
        Standardised, float32, shape (landmarks, features).
    width
        Squared distance at which likeness has fallen to 1/e.
    """

    scaler: Scaler
    landmarks: np.ndarray
    width: float

    def likeness(self, table: np.ndarray) -> np.ndarray:
        """Return exp(-|x - x'|^2 / width) of standardised rows to the landmarks, (rows, landmarks)."""
        marks = self.landmarks.astype(np.float64)
        squares = (table**2).sum(axis=1)[:, None] + (marks**2).sum(axis=1) - 2 * table @ marks.T
        return np.exp(-np.maximum(squares, 0) / self.width)


@dataclass(frozen=True)
class Landmarks:
    """Spots of the training sections with which others are compared; their features, without places.

    Attributes
    ----------
    context_um
        See `blocks`.
    blocks
        As many as `blocks` returns.
    """

    context_um: float
    blocks: tuple[LandmarkBlock, ...]

    def likeness(self, features: np.ndarray, coords_um: np.ndarray) -> Iterator[np.ndarray]:
        """Compare the spots of one section with the landmarks, up to `BLOCK_SPOTS` at a time.

        Parameters
        ----------
        features
            Of the layers that the landmarks have, shape (spots, features).
        coords_um
            Shape (spots, 2).

        Yields
        ------
        numpy.ndarray
            Mean over blocks of Gaussians of the distance, 0 to 1, float64, shape (spots, landmarks).
        """
        tables = blocks(features, coords_um, self.context_um)
        for first in range(0, len(features), BLOCK_SPOTS):
            rows = slice(first, first + BLOCK_SPOTS)
            parts = zip(self.blocks, tables, strict=True)
            yield sum(block.likeness(block.scaler.scale(table[rows])) for block, table in parts) / len(tables)


@dataclass(frozen=True)
class KernelMap:
    """A map from features to expression, linear in the likeness to landmarks.

    Attributes
    ----------
    landmarks
        What spots are compared with.
    weights
        float64, shape (landmarks, genes).
    intercept
        float64, shape (genes,).
    """

    landmarks: Landmarks
    weights: np.ndarray
    intercept: np.ndarray

    def predict(self, features: np.ndarray, coords_um: np.ndarray) -> np.ndarray:
        """Return expression in z units, float64, shape (spots, genes); see `Landmarks.likeness`."""
        parts = [like @ self.weights for like in self.landmarks.likeness(features, coords_um)]
        return np.concatenate(parts) + self.intercept
