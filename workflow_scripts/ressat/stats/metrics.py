"""Scores of predictions against raw log-normalised truth, per gene within one section."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata


def pearson(observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return Pearson's r of each gene over the spots of one section.

    Parameters
    ----------
    observed, predicted
        Shape (spots, genes).

    Returns
    -------
    numpy.ndarray
        float64, shape (genes,). NaN where either side is constant, or holds a NaN.
    """
    deviations = [table - table.mean(axis=0) for table in (observed.astype(float), predicted.astype(float))]
    norms = [np.sqrt((table**2).sum(axis=0)) for table in deviations]
    # A spread below the rounding error of the values counts as none.
    floors = [1e-6 * np.abs(table).max(axis=0, initial=0) for table in (observed, predicted)]
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (deviations[0] * deviations[1]).sum(axis=0) / (norms[0] * norms[1])
    constant = (norms[0] <= floors[0]) | (norms[1] <= floors[1])
    return np.where(constant, np.nan, r)


def rmse(observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the root mean squared error of each gene, in the unit of the tables, shape (genes,)."""
    return np.sqrt(((observed.astype(float) - predicted.astype(float)) ** 2).mean(axis=0))


def spearman(observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return Spearman's rho of each gene, ties at their mean rank, shape (genes,); NaN as in `pearson`."""
    ranks = [rankdata(table, axis=0, nan_policy="propagate") for table in (observed, predicted)]
    # Ranks never look constant by rounding error; the values might.
    return np.where(np.isnan(pearson(observed, predicted)), np.nan, pearson(*ranks))


def r_squared(observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return 1 - residual / total sum of squares of each gene, at most 1, shape (genes,).

    Below zero where the section's own mean would have been closer. NaN where the observed gene is
    constant, or either side holds a NaN.
    """
    observed = observed.astype(float)
    total = ((observed - observed.mean(axis=0)) ** 2).sum(axis=0)
    residual = ((observed - predicted) ** 2).sum(axis=0)
    floor = (1e-6 * np.abs(observed).max(axis=0, initial=0)) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > floor, 1 - residual / total, np.nan)


def held_back_score(observed: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean of Pearson's r over the genes that vary in a held-back section, for model selection.

    A constant prediction has learnt nothing about its gene and scores 0. If no gene varies, the result is 0.
    """
    varies = np.ptp(observed, axis=0) > 0
    if not varies.any():
        return 0.0
    return float(np.nan_to_num(pearson(observed[:, varies], predicted[:, varies])).mean())


def mixed_scores(
    observed: np.ndarray, first: np.ndarray, second: np.ndarray, shares: Sequence[float]
) -> np.ndarray:
    """Return `held_back_score` of ``share * second + (1 - share) * first`` for each share.

    Computed from the moments of the two: those of a mixture are linear or quadratic in the share.

    Parameters
    ----------
    observed, first, second
        Shape (spots, genes).
    shares
        Shares of the second, 0 to 1.

    Returns
    -------
    numpy.ndarray
        float64, shape (shares,).
    """
    varies = np.ptp(observed, axis=0) > 0
    if not varies.any():
        return np.zeros(len(shares))
    tables = [table[:, varies].astype(float) for table in (observed, first, second)]
    y, a, b = (table - table.mean(axis=0) for table in tables)
    yy, aa, bb, ya, yb, ab = (
        (p * q).sum(axis=0) for p, q in ((y, y), (a, a), (b, b), (y, a), (y, b), (a, b))
    )
    # As in `pearson`: a spread below the rounding error of the values counts as none.
    floor = 1e-6 * np.maximum(*(np.abs(table).max(axis=0) for table in tables[1:]))
    scores = []
    for share in shares:
        spread = np.sqrt(np.maximum(share**2 * bb + 2 * share * (1 - share) * ab + (1 - share) ** 2 * aa, 0))
        with np.errstate(invalid="ignore", divide="ignore"):
            r = (share * yb + (1 - share) * ya) / (np.sqrt(yy) * spread)
        scores.append(np.where(spread > floor, r, 0).mean())
    return np.array(scores)
