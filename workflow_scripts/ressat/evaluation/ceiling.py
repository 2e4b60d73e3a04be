"""How well a gene can be predicted at all: the ceiling that counting noise puts on Pearson's r.

Counts are thinned into two halves (Neufeld et al. 2024, "Data thinning for convolution-closed
distributions", JMLR 25): the halves of a Poisson count are independent given its rate. What they share
over the spots of a section is signal, the rest is counting noise.

Only counting noise is accounted for, relative to the realised rate. Overdispersion (cell numbers,
bursts, dissection) is shared by both halves and passes for signal: where one could at best predict
the mean, the ceiling is too high. A spot's sequencing depth passes for signal too, as far as it moves
the expected expression; its twin, the ceiling of the partial correlation given the depth, leaves that out.
"""

import numpy as np
import pandas as pd
from scipy import sparse

from ressat.counts.expression_unit import LOG1P_CP10K, ExpressionUnit
from ressat.evaluation.depth import depth_free
from ressat.evaluation.half_correlation import HalfCorrelation, half_correlations

# A ceiling is given where its standard error is at most this,
LARGEST_ERROR = 0.05
# and the halves' correlation is this many standard errors above 0: over thousands of genes, a lower bar lets
# chance pick those that come out far too high.
CLEAR_OF_ZERO = 4
# With fewer counts of the gene, or fewer spots that have it, simulated intervals miss the truth too often.
FEWEST_COUNTS, FEWEST_SPOTS = 50, 20
Z_95 = 1.96


def noise_ceiling(
    counts: sparse.csr_matrix, seed: int, thinnings: int = 20, unit: ExpressionUnit = LOG1P_CP10K
) -> pd.DataFrame:
    """Return the largest Pearson that a perfect prediction of each gene's expected expression could reach.

    The mean over thinnings of the correlation between halves, r, gives the reliability of the whole by
    Spearman-Brown, 2r / (1 + r) (Spearman 1910, Brown 1910, Br J Psychol 3). A reliability is the squared
    correlation with the noiseless value, so the ceiling is its square root (attenuation; Spearman 1904,
    Am J Psychol 15). Correlations are averaged before the transformation, which bends sharply near 0.

    The transformation magnifies errors where r is small: with 300 spots, a ceiling below about 0.6 cannot
    be known to within 0.05 from counts alone. Such a gene has no `ceiling`, but an interval. log1p is not
    linear, so Spearman-Brown holds approximately: in simulations, ceilings from 0.3 on are on average within
    0.04 of the truth where depths of spots vary by 40% (standard deviation over mean); where they vary by
    100%, those below 0.6 come out up to 0.13 too high.

    Parameters
    ----------
    counts
        Raw counts of one section, shape (spots, genes), whole numbers; all genes, as each half is
        normalised by its own total; no spot without counts.
    seed
        Of the thinnings. The result depends on it and, through the sequence of random numbers (by less
        than the standard error), on the order of spots and genes; on nothing else.
    thinnings
        How many times the counts are halved.
    unit
        Of the expression that is predicted, and of the halves. Thinned to a depth, the half of a spot with at
        least twice that is on average what the whole is.

    Returns
    -------
    pandas.DataFrame
        One row per gene, in the order of the columns:

        - `ceiling`: Pearson's r, 0 to 1; NaN where unreliable: fewer than 50 counts or 20 spots with the
          gene, a mean correlation not 4 standard errors above 0, or a standard error of the ceiling above
          0.05;
        - `ceiling_error`: its standard error over spots, by the delta method; NaN where r is not above 0;
        - `ceiling_low`, `ceiling_high`: 95% interval from that of r, cut at 0 and 1, for chance alone; NaN
          where counts or spots are too few. Where `ceiling` alone is NaN, this is what can be said;
        - `half_correlation`: mean Pearson's r between halves; NaN where no thinning has one;
        - `thinnings`: how many thinnings have one (both halves vary);
        - the twins of these, `ceiling_depth_free` and so on: the same of the partial correlation given the
          logarithm of the spots' total counts;
        - `total_counts`, `spots_seen`: counts of the gene, and spots with at least one.
    """
    columns = sparse.csc_matrix(counts)
    columns.eliminate_zeros()
    spots_seen = np.diff(columns.indptr)
    total_counts = np.asarray(counts.sum(axis=0, dtype=np.float64)).ravel().astype(np.int64)
    enough = (total_counts >= FEWEST_COUNTS) & (spots_seen >= FEWEST_SPOTS)
    halves = half_correlations(columns, np.random.default_rng(seed), thinnings, unit)
    plain, twin = (ceilings(of, spots_seen > 0, enough) for of in halves)
    return pd.DataFrame(
        plain
        | {depth_free(name): values for name, values in twin.items()}
        | {"total_counts": total_counts, "spots_seen": spots_seen.astype(np.int64)}
    )


def ceilings(of: HalfCorrelation, seen: np.ndarray, enough: np.ndarray) -> dict[str, np.ndarray]:
    """Return ceilings, their errors and intervals by name, each of shape (genes,).

    The halves' correlation is that of the genes that are ``seen``.
    """
    half, error = np.full((2, len(seen)), np.nan)
    defined = np.zeros(len(seen), dtype=np.int64)
    half[seen], error[seen], defined[seen] = of.mean, of.error, of.thinnings
    ceiling = _stepped_up(half)
    with np.errstate(divide="ignore", invalid="ignore"):
        ceiling_error = np.where(half > 0, error / (ceiling * (1 + half) ** 2), np.nan)
    reliable = enough & (ceiling_error <= LARGEST_ERROR) & (half >= CLEAR_OF_ZERO * error)
    return {
        "ceiling": np.where(reliable, ceiling, np.nan),
        "ceiling_error": ceiling_error,
        "ceiling_low": np.where(enough, _stepped_up(half - Z_95 * error), np.nan),
        "ceiling_high": np.where(enough, _stepped_up(half + Z_95 * error), np.nan),
        "half_correlation": half,
        "thinnings": defined,
    }


def _stepped_up(half: np.ndarray) -> np.ndarray:
    """Square root of Spearman-Brown; a correlation outside 0 to 1 counts as 0 or 1."""
    half = np.clip(half, 0, 1)
    return np.sqrt(2 * half / (1 + half))
