"""Mean and standard deviation of columns, and z units."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# See `Scaler.fit`.
DEAD_FEATURES_BELOW = 1e-3
# Columns that vary less are constant.
SMALLEST_SD = 1e-8


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of each column, over spots."""

    mean: np.ndarray
    sd: np.ndarray

    @classmethod
    def fit(cls, tables: list[np.ndarray], dead_below: float = 0.0) -> "Scaler":
        """Fit on the rows of all tables.

        Parameters
        ----------
        tables
            Shape (spots, columns) each.
        dead_below
            Columns whose standard deviation is below this share of the largest count as constant.
            Units of a network that hardly ever fire would otherwise be blown up to thousands of standard
            deviations in a section where they do.
        """
        rows = np.concatenate(tables).astype(np.float64)
        sd = rows.std(axis=0)
        # A constant column keeps its unit: its z values are then small, and finite.
        return cls(rows.mean(axis=0), np.where(sd > max(SMALLEST_SD, dead_below * sd.max()), sd, 1.0))

    @classmethod
    def streamed(cls, tables: Sequence[np.ndarray]) -> "Scaler":
        """Fit as `fit` does, but for rounding, with no more than one table in double precision at a time."""
        rows = sum(len(table) for table in tables)
        mean = sum(table.sum(axis=0, dtype=np.float64) for table in tables) / rows
        sd = np.sqrt(sum(((table - mean) ** 2).sum(axis=0) for table in tables) / rows)
        return cls(mean, np.where(sd > SMALLEST_SD, sd, 1.0))

    def scale(self, table: np.ndarray) -> np.ndarray:
        """To z units, float64."""
        return (table - self.mean) / self.sd

    def unscale(self, table: np.ndarray) -> np.ndarray:
        """Back from z units, float64."""
        return table * self.sd + self.mean
