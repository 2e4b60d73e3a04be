"""An ellipsoid in a reduced space, in which most rows of a table lie, and distances to its centre."""

from collections.abc import Sequence
from dataclasses import dataclass

import h5py
import numpy as np
from scipy.linalg import eigh

from ressat.base.errors import InputError
from ressat.base.finite import is_finite, not_finite
from ressat.model.scaler import DEAD_FEATURES_BELOW, SMALLEST_SD, Scaler

# Principal axes that are kept one by one; all other directions share one variance.
MOST_AXES = 64
# Rows that are measured at a time, which bounds memory.
BLOCK_ROWS = 4096


@dataclass(frozen=True)
class Ellipsoid:
    """Mean and shrunk covariance of the rows of some tables; none of the rows themselves.

    Attributes
    ----------
    scaler
        Of the columns.
    axes
        Principal axes of the standardised rows, float32, shape (columns, axes).
    variances
        Shrunk variances along them, shape (axes,).
    rest
        Shrunk variance along every other direction.
    """

    scaler: Scaler
    axes: np.ndarray
    variances: np.ndarray
    rest: float

    @classmethod
    def fit(cls, tables: Sequence[np.ndarray]) -> "Ellipsoid":
        """Fit on the rows of all tables.

        The covariance of the standardised columns is shrunk towards a multiple of the identity as by Ledoit
        & Wolf (J Multivar Anal 2004, 88:365). Its `MOST_AXES` largest principal axes are kept, and the mean
        variance of all others (Moghaddam & Pentland, IEEE PAMI 1997, 19:696).

        Parameters
        ----------
        tables
            Shape (rows, columns) each, in any order.

        Raises
        ------
        InputError
            If all rows are the same, or there is but one.
        """
        scaler = _scaler(tables)
        rows, columns = sum(len(table) for table in tables), tables[0].shape[1]
        covariance, fourth = np.zeros((columns, columns)), 0.0
        for z in (part for table in tables for part in _standardised(table, scaler)):
            covariance += z.T @ z
            fourth += ((z**2).sum(axis=1) ** 2).sum()
        covariance /= rows
        mean = np.trace(covariance) / columns
        if not mean > 0:
            raise InputError(
                f"the {rows} training tiles do not differ from one another",
                expected="tiles that differ, from which the spread of others can be learnt",
                action="check the slides, and features.weights",
            )
        squares = (covariance**2).sum() / columns
        # Notation of Ledoit & Wolf: b^2 / d^2, the share of the identity.
        noise = (fourth / rows / columns - squares) / rows
        share = float(np.clip(noise / max(squares - mean**2, np.finfo(float).tiny), 0, 1))
        kept = min(MOST_AXES, columns)
        variances, axes = eigh(covariance, subset_by_index=[columns - kept, columns - 1])
        others = max(np.trace(covariance) - variances.sum(), 0) / max(columns - kept, 1)
        # Few rows in few columns may leave a direction without any variance.
        shrunk = np.maximum((1 - share) * np.r_[variances, others] + share * mean, SMALLEST_SD * mean)
        return cls(scaler, axes.astype(np.float32), shrunk[:-1], float(shrunk[-1]))

    def distance(self, table: np.ndarray) -> np.ndarray:
        """Return the Mahalanobis distance of each row to the centre, float64, shape (rows,).

        Parameters
        ----------
        table
            Shape (rows, columns).

        Raises
        ------
        InputError
            If a number is not finite, or the columns are others.
        """
        if table.shape[1] != len(self.scaler.mean):
            raise InputError(
                f"{table.shape[1]} features a tile", expected=f"{len(self.scaler.mean)}, as in training"
            )
        if not is_finite(table):
            raise InputError(f"its features: {not_finite(table)}", expected="finite numbers")
        parts = []
        for z in _standardised(table, self.scaler):
            along = z @ self.axes
            across = np.maximum((z**2).sum(axis=1) - (along**2).sum(axis=1), 0)
            parts.append(np.sqrt((along**2 / self.variances).sum(axis=1) + across / self.rest))
        return np.concatenate(parts) if parts else np.empty(0)

    def write(self, group: h5py.Group) -> None:
        """Write into a group of its own."""
        group["mean"], group["sd"] = self.scaler.mean, self.scaler.sd
        group["axes"], group["variances"] = self.axes, self.variances
        group.attrs["rest"] = self.rest

    @classmethod
    def read(cls, group: h5py.Group) -> "Ellipsoid":
        """Read what `write` wrote."""
        scaler = Scaler(group["mean"][()], group["sd"][()])
        return cls(scaler, group["axes"][()], group["variances"][()], float(group.attrs["rest"]))

    @property
    def problem(self) -> str | None:
        """What is wrong with its numbers, in words; None if nothing is."""
        columns, (rows, kept) = self.scaler.mean.shape, self.axes.shape
        if self.scaler.sd.shape != columns or columns != (rows,) or self.variances.shape != (kept,):
            return "its tables have different shapes"
        tables = {"mean": self.scaler.mean, "sd": self.scaler.sd, "axes": self.axes}
        tables |= {"variances": self.variances, "rest": np.array(self.rest)}
        for name, values in tables.items():
            if not is_finite(values):
                return f"{name}: not finite"
        if min(self.scaler.sd.min(), self.variances.min(), self.rest) <= 0:
            return "a variance is not above 0"
        return None


def _scaler(tables: Sequence[np.ndarray]) -> Scaler:
    """As `Scaler.fit`, with no more than one table in double precision at a time."""
    rows = sum(len(table) for table in tables)
    mean = sum(table.sum(axis=0, dtype=np.float64) for table in tables) / rows
    sd = np.sqrt(sum(((table - mean) ** 2).sum(axis=0) for table in tables) / rows)
    floor = max(SMALLEST_SD, DEAD_FEATURES_BELOW * sd.max())
    return Scaler(mean, np.where(sd > floor, sd, 1.0))


def _standardised(table: np.ndarray, scaler: Scaler) -> list[np.ndarray]:
    return [scaler.scale(table[first : first + BLOCK_ROWS]) for first in range(0, len(table), BLOCK_ROWS)]
