"""log1p CP10k of counts thinned to one depth, averaged over all thinnings: nothing is drawn.

When a spot of N counts in all is thinned to D, a gene's count n becomes k, binomial of n and p = D / N. The
gene's value is the expectation of log(1 + 10,000 k / D). A spot with no more than D counts is left as it is.

Up to `LARGEST_EXACT`, the expectation is computed for every spot and count by the recurrence

    f(n, s) = (1 - p) f(n - 1, s) + p f(n - 1, s + 1),  f(0, s) = log(1 + 10,000 s / D),  wanted: f(n, 0)

(de Casteljau's, since f(n, 0) is a Bernstein polynomial in p); beyond, as the integral over t from 0 of

    (1 - (1 - p + p exp(-10,000 t / D))^n) exp(-t) / t

by the trapezoidal rule in log t, which is off by less than 1e-7.
"""

import numpy as np

from ressat.counts.expression_unit import TARGET_SUM

LARGEST_EXACT = 32
# Steps of log t. The error falls like exp(-pi^2 / step); before and after, the integrand is below 1e-9.
NODES = np.arange(-31.0, 3.6, 0.5)
# Values worked on at a time: bounds the memory, changes no result.
BLOCK = 1 << 20


class ThinnedLog:
    """Thinned values of the counts of some spots.

    Parameters
    ----------
    totals
        Total counts of each spot, shape (spots,); those of 0 have no counts to ask for.
    depth
        Counts that spots are thinned to, above 0.
    largest
        The largest count that will be asked for.
    """

    def __init__(self, totals: np.ndarray, depth: float, largest: int) -> None:
        self.totals = np.maximum(np.asarray(totals, dtype=np.float64), 1)
        self.depth = float(depth)
        columns = min(int(largest), LARGEST_EXACT) + 1
        self.table = np.empty((len(self.totals), columns))
        spots = max(1, BLOCK // columns)
        for first in range(0, len(self.totals), spots):
            part = slice(first, first + spots)
            self.table[part] = _table(self.totals[part], self.depth, columns)

    def __call__(self, counts: np.ndarray, spots: np.ndarray) -> np.ndarray:
        """Return the values of counts.

        Parameters
        ----------
        counts
            Whole numbers, shape (entries,).
        spots
            The spot of each, shape (entries,).

        Returns
        -------
        numpy.ndarray
            float64, shape (entries,); 0 where the count is.
        """
        values = self.table[spots, np.minimum(counts, self.table.shape[1] - 1)]
        large = np.flatnonzero(counts >= self.table.shape[1])
        step = BLOCK // len(NODES)
        for first in range(0, len(large), step):
            part = large[first : first + step]
            values[part] = _integral(counts[part], self.totals[spots[part]], self.depth)
        return values


def _table(totals: np.ndarray, depth: float, columns: int) -> np.ndarray:
    """Values of the counts 0, 1 and so on, shape (spots, columns), by recurrence."""
    table = np.zeros((len(totals), columns))
    share = np.minimum(depth / totals, 1.0)[:, np.newaxis]
    # Those left as they are keep all counts, and are divided by their own total.
    scale = TARGET_SUM / np.minimum(totals, depth)[:, np.newaxis]
    of_more = np.log1p(scale * np.arange(columns))
    for count in range(1, columns):
        of_more = (1 - share) * of_more[:, :-1] + share * of_more[:, 1:]
        table[:, count] = of_more[:, 0]
    return table


def _integral(counts: np.ndarray, totals: np.ndarray, depth: float) -> np.ndarray:
    """Values of counts of any size, shape (entries,)."""
    share = np.minimum(depth / totals, 1.0)
    t = np.exp(NODES)
    lost = -np.expm1(-np.outer(TARGET_SUM / np.minimum(totals, depth), t))
    # Of the counts kept, the generating function at exp(-10,000 t / D), less 1.
    with np.errstate(divide="ignore"):
        generating = np.expm1(counts[:, np.newaxis] * np.log1p(-share[:, np.newaxis] * lost))
    # Not a product of matrices, whose last bits depend on how many counts there are.
    return (NODES[1] - NODES[0]) * (-generating * np.exp(-t)).sum(axis=1)
