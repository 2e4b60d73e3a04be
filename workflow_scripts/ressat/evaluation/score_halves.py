"""Correlation between two random halves of a section's counts, of scores that are sums over genes."""

import numpy as np
from scipy import sparse

from ressat.counts.expression_unit import ExpressionUnit
from ressat.evaluation.half_correlation import HalfCorrelation, values_in_unit
from ressat.stats.partial import without


def score_half_correlations(
    columns: sparse.csc_matrix,
    weights: np.ndarray,
    rng: np.random.Generator,
    thinnings: int,
    unit: ExpressionUnit,
) -> tuple[HalfCorrelation, HalfCorrelation]:
    """Correlate the scores of halves, as they are and given the spots' depth.

    With the same random numbers, the halves are those of
    `ressat.evaluation.half_correlation.half_correlations`.

    Parameters
    ----------
    columns
        Raw counts, shape (spots, genes), without stored zeros.
    weights
        Of the genes in the scores, shape (genes, scores).
    rng
        Draws the halves.
    thinnings
        How many times.
    unit
        That the halves are in.

    Returns
    -------
    tuple of HalfCorrelation
        The plain correlation of each score, and the partial one.
    """
    spots = columns.shape[0]
    whole, spot = columns.data.astype(np.int64), columns.indices
    totals = np.bincount(spot, whole, minlength=spots)
    depth = np.log(np.maximum(totals, 1))
    # Values are needed of the genes in scores alone.
    used = weights.any(axis=1)
    lengths = np.diff(columns.indptr)
    stored, ends = np.repeat(used, lengths), np.concatenate([[0], np.cumsum(lengths[used])])
    sums = [_Sums(spots, weights.shape[1]) for _ in range(2)]
    for _ in range(thinnings):
        half = rng.binomial(whole, 0.5)
        half_totals = np.bincount(spot, half, minlength=spots)
        # A spot that one half leaves empty sits this thinning out.
        full = (half_totals > 0) & (half_totals < totals)
        scores = []
        for part, its_totals in ((half, half_totals), (whole - half, totals - half_totals)):
            in_unit = values_in_unit(unit, its_totals, full, whole.max(initial=0))
            values = in_unit(part[stored], spot[stored])
            table = sparse.csc_matrix((values, spot[stored], ends), shape=(spots, int(used.sum())))
            scores.append((table @ weights[used])[full])
        sums[0].add(full, *(score - score.mean(axis=0) for score in scores))
        sums[1].add(full, *(without(score, depth[full]) for score in scores))
    return sums[0].result(), sums[1].result()


class _Sums:
    """Sums of correlations and of the spots' influences over thinnings; see `half_correlation`."""

    def __init__(self, spots: int, scores: int) -> None:
        self.r, self.defined, self.influence = np.zeros(scores), np.zeros(scores), np.zeros((spots, scores))

    def add(self, full: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        spreads = [np.sqrt((side**2).mean(axis=0)) for side in (x, y)]
        varies = np.minimum(*spreads) > 1e-9
        u, v = (side / np.where(varies, spread, 1) for side, spread in zip((x, y), spreads, strict=True))
        r = np.where(varies, (u * v).mean(axis=0), 0)
        self.r += r
        self.defined += varies
        self.influence[full] += np.where(varies, u * v - r * (u**2 + v**2) / 2, 0)

    def result(self) -> HalfCorrelation:
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.sqrt((self.influence**2).sum(axis=0)) / self.defined / len(self.influence)
            return HalfCorrelation(self.r / self.defined, error, self.defined.astype(np.int64))
