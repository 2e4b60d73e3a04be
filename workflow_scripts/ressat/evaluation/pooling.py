"""The correlation over the spots of all test sections at once, which differences between sections change."""

from collections.abc import Hashable

import numpy as np
import pandas as pd


class PooledPearson:
    """Pearson of each gene over the spots of all sections that are added; given for comparison only."""

    def __init__(self) -> None:
        self._sums: dict[Hashable, pd.DataFrame] = {}

    def add(self, key: Hashable, genes: pd.Index, observed: np.ndarray, predicted: np.ndarray) -> None:
        """Add the spots of one section.

        Parameters
        ----------
        key
            What is pooled, for example protocol, model and layer.
        genes
            Names; sections may have different ones.
        observed, predicted
            Shape (spots, genes). Genes with a NaN are left out.
        """
        x, y = observed.astype(float), predicted.astype(float)
        sums = {
            "n": np.full(x.shape[1], len(x)),
            "x": x.sum(axis=0),
            "y": y.sum(axis=0),
            "xx": (x * x).sum(axis=0),
            "yy": (y * y).sum(axis=0),
            "xy": (x * y).sum(axis=0),
        }
        table = pd.DataFrame(sums, index=genes).dropna()
        so_far = self._sums.get(key)
        self._sums[key] = table if so_far is None else so_far.add(table, fill_value=0)

    def means(self) -> dict[Hashable, float]:
        """Return the mean over genes by key; a gene without variation is left out, NaN without any left."""
        result = {}
        for key, sums in self._sums.items():
            # Variances times n; a spread below the sums' rounding error counts as none.
            spread = [sums[a + a] - sums[a] ** 2 / sums["n"] for a in "xy"]
            defined = (spread[0] > 1e-9 * sums["xx"]) & (spread[1] > 1e-9 * sums["yy"])
            r = (sums["xy"] - sums["x"] * sums["y"] / sums["n"])[defined]
            result[key] = float((r / np.sqrt(spread[0] * spread[1])[defined]).mean())
        return result
