"""Correlation of two maps that is not the correlation of both with a third: the partial correlation."""

import numpy as np
from scipy.stats import rankdata

from ressat.stats.metrics import pearson


def without(table: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return what a straight line in a covariate does not explain of each gene's map.

    Parameters
    ----------
    table
        Shape (spots, genes).
    given
        The covariate, shape (spots,).

    Returns
    -------
    numpy.ndarray
        Residuals of least squares with an intercept, float64, shape (spots, genes). A map of which nothing
        but rounding errors is left is 0 everywhere; one that holds a NaN is NaN.
    """
    table = table.astype(float)
    rest = table - table.mean(axis=0)
    line = given - given.mean()
    if np.abs(line).max(initial=0) > 1e-9 * np.abs(given).max(initial=0):
        rest -= np.outer(line, line @ rest / (line @ line))
    rest -= rest.mean(axis=0)
    spread = np.sqrt((rest**2).mean(axis=0))
    return np.where(spread <= 1e-6 * np.abs(table).max(axis=0, initial=0), 0.0, rest)


def partial_pearson(observed: np.ndarray, predicted: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return the partial correlation of each gene over the spots of one section.

    Pearson's r of the residuals of both maps (Yule 1907, Proc R Soc A 79).

    Parameters
    ----------
    observed, predicted
        Shape (spots, genes).
    given
        The covariate, shape (spots,).

    Returns
    -------
    numpy.ndarray
        float64, shape (genes,). NaN where the covariate explains one of the maps wholly, where a map is
        constant, or where it holds a NaN.
    """
    return pearson(without(observed, given), without(predicted, given))


def partial_spearman(observed: np.ndarray, predicted: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return the partial rank correlation of each gene: `partial_pearson` of ranks, ties at their mean rank.

    NaN also where `partial_pearson` is undefined.
    """
    ranks = [rankdata(table, axis=0, nan_policy="propagate") for table in (observed, predicted, given)]
    undefined = np.isnan(partial_pearson(observed, predicted, given))
    return np.where(undefined, np.nan, partial_pearson(*ranks))
