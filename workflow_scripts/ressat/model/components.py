"""Principal components of expression, whose predictions are shrunk one by one."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from ressat.model.scaler import Scaler
from ressat.model.section_data import SectionData

# Slopes only shrink. None is 0: the map of a gene could be constant, and its correlation undefined.
SMALLEST_SLOPE, LARGEST_SLOPE = 0.05, 1.0


@dataclass(frozen=True)
class Components:
    """The leading principal components of a fold's targets, and what they leave.

    What belongs to a component is given in their order, and last for the rest.

    Attributes
    ----------
    axes
        Orthonormal, shape (genes, components).
    """

    axes: np.ndarray

    @classmethod
    def fit(cls, sections: list[SectionData], most: int) -> "Components":
        """Fit on targets in z units, without differences between sections.

        Parameters
        ----------
        sections
            The fold's training sections.
        most
            The largest number of components.
        """
        targets = Scaler.streamed([data.targets for data in sections])
        genes = len(targets.mean)
        if most == 0:
            return cls(np.empty((genes, 0)))
        covariance = np.zeros((genes, genes))
        for data in sections:
            z = targets.scale(data.targets)
            z -= z.mean(axis=0)
            covariance += z.T @ z
        _, axes = eigh(covariance, subset_by_index=(max(genes - most, 0), genes - 1))
        return cls(np.ascontiguousarray(axes[:, ::-1]))

    def moments(self, observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Return the sums of products and of the prediction's squares, over the spots of one section.

        Parameters
        ----------
        observed, predicted
            In z units, shape (spots, genes); their means over spots are taken off.

        Returns
        -------
        numpy.ndarray
            Shape (2, components + 1).
        """
        sums = []
        y, p = (table - table.mean(axis=0) for table in (observed, predicted))
        y_axes, p_axes = y @ self.axes, p @ self.axes
        for of_genes, of_axes in (((y * p).sum(), y_axes * p_axes), ((p * p).sum(), p_axes**2)):
            of_axes = of_axes.sum(axis=0)
            # Components are orthonormal: sums over them and over the rest add up to those over genes.
            sums.append([*of_axes, of_genes - of_axes.sum()])
        return np.array(sums)

    def scaled(self, table: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Multiply each component of a table of shape (rows, genes) by its factor, the rest by the last."""
        return factors[-1] * table + ((table @ self.axes) * (factors[:-1] - factors[-1])) @ self.axes.T


def slopes(moments: np.ndarray) -> np.ndarray:
    """Return the slopes by which held-back predictions come closest to what was observed.

    Those of least squares, kept between `SMALLEST_SLOPE` and `LARGEST_SLOPE`.

    Parameters
    ----------
    moments
        Sums of `Components.moments`, shape (2, ...).

    Returns
    -------
    numpy.ndarray
        Shape (...); the smallest for a prediction that is constant.
    """
    products, squares = moments
    raw = np.divide(products, squares, out=np.zeros_like(products), where=squares > 0)
    return np.clip(raw, SMALLEST_SLOPE, LARGEST_SLOPE)


def explained(moments: np.ndarray) -> np.ndarray:
    """Return how much of the observed sum of squares predictions explain with their `slopes`, shape (...)."""
    products, squares = moments
    slope = slopes(moments)
    return 2 * slope * products - slope**2 * squares
