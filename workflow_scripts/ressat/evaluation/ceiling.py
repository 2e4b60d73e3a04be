"""How well a gene can be predicted at all: the ceiling that counting noise puts on Pearson's r.

Counts are thinned into two halves (Neufeld et al. 2024, "Data thinning for convolution-closed
distributions", JMLR 25): the halves of a Poisson count are independent given its rate. What they share
over the spots of a section is signal, the rest is counting noise.

Only counting noise is accounted for, relative to the realised rate. Overdispersion (cell numbers,
bursts, dissection) is shared by both halves and passes for signal: where one could at best predict
the mean, the ceiling is too high. A spot's sequencing depth passes for signal too, as far as it moves
the expected log1p CP10k.
"""

import numpy as np
import pandas as pd
from scipy import sparse

from ressat.counts.expression import TARGET_SUM

# A ceiling is given where its standard error is at most this,
LARGEST_ERROR = 0.05
# and the halves' correlation is this many standard errors above 0: over thousands of genes, a lower bar lets
# chance pick those that come out far too high.
CLEAR_OF_ZERO = 4
# With fewer counts of the gene, or fewer spots that have it, simulated intervals miss the truth too often.
FEWEST_COUNTS, FEWEST_SPOTS = 50, 20
Z_95 = 1.96
BLOCK = 1_000_000  # stored counts worked on at a time: bounds the memory, changes no result


def noise_ceiling(counts: sparse.csr_matrix, seed: int, thinnings: int = 20) -> pd.DataFrame:
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
        - `total_counts`, `spots_seen`: counts of the gene, and spots with at least one.
    """
    columns = sparse.csc_matrix(counts)
    columns.eliminate_zeros()
    spots_seen = np.diff(columns.indptr)
    total_counts = np.asarray(counts.sum(axis=0, dtype=np.float64)).ravel().astype(np.int64)

    half, error = np.full((2, counts.shape[1]), np.nan)
    defined = np.zeros(counts.shape[1], dtype=np.int64)
    has_counts = spots_seen > 0
    rng = np.random.default_rng(seed)
    half[has_counts], error[has_counts], defined[has_counts] = _half_correlation(columns, rng, thinnings)

    enough = (total_counts >= FEWEST_COUNTS) & (spots_seen >= FEWEST_SPOTS)
    ceiling = _stepped_up(half)
    with np.errstate(divide="ignore", invalid="ignore"):
        ceiling_error = np.where(half > 0, error / (ceiling * (1 + half) ** 2), np.nan)
    reliable = enough & (ceiling_error <= LARGEST_ERROR) & (half >= CLEAR_OF_ZERO * error)
    return pd.DataFrame(
        {
            "ceiling": np.where(reliable, ceiling, np.nan),
            "ceiling_error": ceiling_error,
            "ceiling_low": np.where(enough, _stepped_up(half - Z_95 * error), np.nan),
            "ceiling_high": np.where(enough, _stepped_up(half + Z_95 * error), np.nan),
            "half_correlation": half,
            "thinnings": defined,
            "total_counts": total_counts,
            "spots_seen": spots_seen.astype(np.int64),
        }
    )


def _stepped_up(half: np.ndarray) -> np.ndarray:
    """Square root of Spearman-Brown; a correlation outside 0 to 1 counts as 0 or 1."""
    half = np.clip(half, 0, 1)
    return np.sqrt(2 * half / (1 + half))


def _half_correlation(
    columns: sparse.csc_matrix, rng: np.random.Generator, thinnings: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Correlate halves of the counts, for the genes that are seen at all.

    Returns
    -------
    tuple of numpy.ndarray
        Each of shape (genes seen,): mean correlation over the thinnings that have one, its standard error
        over spots (infinitesimal jackknife; Jaeckel 1972, Bell Laboratories), and the number of those
        thinnings.
    """
    spots = columns.shape[0]
    whole, spot = columns.data.astype(np.int64), columns.indices
    totals = np.bincount(spot, whole, minlength=spots)
    bounds = np.unique(columns.indptr)  # a gene never seen has no entries between its bounds
    first_genes = np.unique(bounds[:-1] // BLOCK, return_index=True)[1]
    blocks = [slice(*ends) for ends in zip(first_genes, [*first_genes[1:], len(bounds) - 1], strict=True)]

    correlation, at_zero, defined = np.zeros((3, len(bounds) - 1))
    influence = np.zeros(len(whole))
    for _ in range(thinnings):
        half = rng.binomial(whole, 0.5)
        half_totals = np.bincount(spot, half, minlength=spots)
        # A spot that one half leaves empty has no CP10k there: it sits this thinning out.
        full = (half_totals > 0) & (half_totals < totals)
        scales = [
            np.where(full, TARGET_SUM / np.maximum(t, 1), 0) for t in (half_totals, totals - half_totals)
        ]
        for genes in blocks:
            starts = bounds[genes]
            entries = slice(starts[0], bounds[genes.stop])
            here, part = spot[entries], half[entries]
            x = np.log1p(part * scales[0][here])
            y = np.log1p((whole[entries] - part) * scales[1][here])
            r, stored, zero, varies = _correlate(x, y, starts - starts[0], full.sum())
            correlation[genes] += r
            influence[entries] += stored
            at_zero[genes] += zero
            defined[genes] += varies

    with np.errstate(invalid="ignore", divide="ignore"):
        unseen = spots - np.diff(bounds)
        spread = np.sqrt(np.add.reduceat(influence**2, bounds[:-1]) + unseen * at_zero**2)
        return correlation / defined, spread / defined / spots, defined


def _correlate(
    x: np.ndarray, y: np.ndarray, starts: np.ndarray, spots: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pearson's r of sparse columns and the influence of each spot on it.

    The influence is u v - r (u^2 + v^2) / 2, with u and v the standardised values (Devlin, Gnanadesikan and
    Kettenring 1975, Biometrika 62).

    Parameters
    ----------
    x, y
        Stored values of both halves, gene after gene, shape (entries,).
    starts
        Where each gene starts, shape (genes,).
    spots
        How many spots there are, including those not stored, whose values are 0.

    Returns
    -------
    tuple of numpy.ndarray
        r, shape (genes,); influence of stored spots, shape (entries,); of a spot not stored, shape
        (genes,); and where r is defined, bool, shape (genes,). 0 where it is not.
    """
    lengths = np.diff(starts, append=len(x))
    products = [np.add.reduceat(values, starts) / spots for values in (x, y, x * x, y * y, x * y)]
    mean_x, mean_y, square_x, square_y, product = products
    variance_x, variance_y = square_x - mean_x**2, square_y - mean_y**2
    # A spread below the values' own rounding error counts as none.
    varies = (variance_x > 1e-10 * square_x) & (variance_y > 1e-10 * square_y)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_x, per_y = (np.where(varies, 1 / np.sqrt(v), 0) for v in (variance_x, variance_y))
    r = (product - mean_x * mean_y) * per_x * per_y

    def influence(u: np.ndarray, v: np.ndarray, r: np.ndarray) -> np.ndarray:
        return u * v - r * (u**2 + v**2) / 2

    zero_x, zero_y = -mean_x * per_x, -mean_y * per_y
    spread = [np.repeat(values, lengths) for values in (per_x, per_y, zero_x, zero_y, r)]
    stored = influence(x * spread[0] + spread[2], y * spread[1] + spread[3], spread[4])
    return r, stored, influence(zero_x, zero_y, r), varies
