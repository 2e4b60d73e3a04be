"""Correlation between two random halves of a section's counts, gene by gene, and its standard error."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ressat.counts.expression_unit import LOG1P_CP10K, TARGET_SUM, ExpressionUnit
from ressat.counts.thinned import ThinnedLog

BLOCK = 1_000_000  # stored counts worked on at a time: bounds the memory, changes no result


@dataclass(frozen=True)
class HalfCorrelation:
    """The halves' correlation over many thinnings, for genes that are seen at all.

    Attributes
    ----------
    mean
        Over the thinnings that have one, shape (genes,); NaN without any.
    error
        Its standard error over spots (infinitesimal jackknife; Jaeckel 1972, Bell Laboratories).
    thinnings
        How many have one.
    """

    mean: np.ndarray
    error: np.ndarray
    thinnings: np.ndarray


def half_correlations(
    columns: sparse.csc_matrix,
    rng: np.random.Generator,
    thinnings: int,
    unit: ExpressionUnit = LOG1P_CP10K,
) -> tuple[HalfCorrelation, HalfCorrelation]:
    """Correlate halves of the counts, in a unit of expression, as they are and given the spots' depth.

    The depth is the logarithm of a spot's total counts before it is halved.

    Parameters
    ----------
    columns
        Raw counts, shape (spots, genes), without stored zeros.
    rng
        Draws the halves.
    thinnings
        How many times.
    unit
        That the halves are in.

    Returns
    -------
    tuple of HalfCorrelation
        The plain correlation, and the partial one.
    """
    spots = columns.shape[0]
    whole, spot = columns.data.astype(np.int64), columns.indices
    totals = np.bincount(spot, whole, minlength=spots)
    depth = np.log(np.maximum(totals, 1))
    depth -= depth.mean()
    depth /= depth.std() or 1.0
    bounds = np.unique(columns.indptr)  # a gene never seen has no entries between its bounds
    blocks, largest = list(_blocks(bounds)), whole.max(initial=0)

    plain, given_depth = (_Sums(len(bounds) - 1, len(whole)) for _ in range(2))
    for _ in range(thinnings):
        half = rng.binomial(whole, 0.5)
        half_totals = np.bincount(spot, half, minlength=spots)
        # A spot that one half leaves empty has no CP10k there: it sits this thinning out.
        full = (half_totals > 0) & (half_totals < totals)
        in_unit = [values_in_unit(unit, t, full, largest) for t in (half_totals, totals - half_totals)]
        for genes in blocks:
            starts = bounds[genes]
            entries = slice(starts[0], bounds[genes.stop])
            here, part = spot[entries], half[entries]
            x = in_unit[0](part, here)
            y = in_unit[1](whole[entries] - part, here)
            pair = _Pair(x, y, starts - starts[0], depth[here], depth[full])
            plain.add(pair.plain(), genes, entries)
            given_depth.add(pair.given_depth(), genes, entries)
    return plain.result(bounds, depth, spot), given_depth.result(bounds, depth, spot)


def values_in_unit(
    unit: ExpressionUnit, totals: np.ndarray, full: np.ndarray, largest: int
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return what gives the values of a half's counts and their spots, 0 where a spot sits out."""
    if unit.depth is None:
        scale = np.where(full, TARGET_SUM / np.maximum(totals, 1), 0)
        return lambda counts, spots: np.log1p(counts * scale[spots])
    thinned = ThinnedLog(totals, unit.depth, largest)
    return lambda counts, spots: np.where(full[spots], thinned(counts, spots), 0)


def _blocks(bounds: np.ndarray) -> Iterator[slice]:
    """Yield runs of genes with some `BLOCK` stored counts each."""
    first_genes = np.unique(bounds[:-1] // BLOCK, return_index=True)[1]
    for ends in zip(first_genes, [*first_genes[1:], len(bounds) - 1], strict=True):
        yield slice(*ends)


@dataclass(frozen=True)
class _Correlations:
    """Correlations of one thinning, and how much each spot pulls at them.

    The influence of a spot is u v - r (u^2 + v^2) / 2, with u and v its standardised values (Devlin,
    Gnanadesikan and Kettenring 1975, Biometrika 62), or its standardised residuals.
    """

    r: np.ndarray  # (genes,); 0 where undefined
    varies: np.ndarray  # (genes,)
    stored: np.ndarray  # influence of spots with the gene, (entries,)
    absent: np.ndarray  # of those without it: polynomial in the depth, coefficients (3, genes)


class _Pair:
    """Both halves of some genes, standardised.

    Parameters
    ----------
    x, y
        Stored values, gene after gene, shape (entries,).
    starts
        Where each gene starts, shape (genes,).
    depth
        Of the spots of the stored values, shape (entries,).
    of_all
        Of all spots that take part, shape (spots,), those not stored included: their values are 0.
    """

    def __init__(
        self, x: np.ndarray, y: np.ndarray, starts: np.ndarray, depth: np.ndarray, of_all: np.ndarray
    ) -> None:
        lengths = np.diff(starts, append=len(x))
        self.depth, self.middle, self.width = depth, of_all.mean(), of_all.std() or 1.0
        self._spread = lambda values: np.repeat(values, lengths)

        def mean(values: np.ndarray) -> np.ndarray:
            return np.add.reduceat(values, starts) / len(of_all)

        means, squares = [mean(half) for half in (x, y)], [mean(half * half) for half in (x, y)]
        variances = [square - m**2 for square, m in zip(squares, means, strict=True)]
        # A spread below the values' own rounding error counts as none.
        self.varies = np.logical_and(*(v > 1e-10 * s for v, s in zip(variances, squares, strict=True)))
        with np.errstate(invalid="ignore", divide="ignore"):
            per = [np.where(self.varies, 1 / np.sqrt(v), 0) for v in variances]
        self.r = (mean(x * y) - means[0] * means[1]) * per[0] * per[1]
        self.zeros = [-m * p for m, p in zip(means, per, strict=True)]
        self.values = [
            half * self._spread(p) + self._spread(zero)
            for half, p, zero in zip((x, y), per, self.zeros, strict=True)
        ]
        self.with_depth = [
            (mean(half * depth) - m * self.middle) * p / self.width
            for half, m, p in zip((x, y), means, per, strict=True)
        ]

    def plain(self) -> _Correlations:
        absent = np.zeros((3, len(self.r)))
        absent[0] = _influence(*self.zeros, self.r)
        return _Correlations(self.r, self.varies, _influence(*self.values, self._spread(self.r)), absent)

    def given_depth(self) -> _Correlations:
        unexplained = [1 - r**2 for r in self.with_depth]
        varies = self.varies & (np.minimum(*unexplained) > 1e-10)
        per = [np.where(varies, 1 / np.sqrt(np.maximum(rest, 1e-10)), 0) for rest in unexplained]
        r = np.where(varies, (self.r - self.with_depth[0] * self.with_depth[1]) * per[0] * per[1], 0)
        # Residuals, in standard deviations, are a + b depth where the gene is absent.
        slopes = [-of_depth * p / self.width for of_depth, p in zip(self.with_depth, per, strict=True)]
        offsets = [
            zero * p - slope * self.middle for zero, p, slope in zip(self.zeros, per, slopes, strict=True)
        ]
        residuals = [
            values * self._spread(p) + self._spread(slope) * (self.depth - self.middle)
            for values, p, slope in zip(self.values, per, slopes, strict=True)
        ]
        (a, c), (b, d) = offsets, slopes
        absent = np.stack([_influence(a, c, r), a * d + b * c - r * (a * b + c * d), _influence(b, d, r)])
        return _Correlations(r, varies, _influence(*residuals, self._spread(r)), absent)


def _influence(u: np.ndarray, v: np.ndarray, r: np.ndarray) -> np.ndarray:
    return u * v - r * (u**2 + v**2) / 2


class _Sums:
    """Sums of correlations and influences over thinnings."""

    def __init__(self, genes: int, entries: int) -> None:
        self.r, self.defined = np.zeros((2, genes))
        self.stored, self.absent = np.zeros(entries), np.zeros((3, genes))

    def add(self, of: _Correlations, genes: slice, entries: slice) -> None:
        self.r[genes] += of.r
        self.defined[genes] += of.varies
        self.stored[entries] += of.stored
        self.absent[:, genes] += of.absent

    def result(self, bounds: np.ndarray, depth: np.ndarray, spot: np.ndarray) -> HalfCorrelation:
        # Sums over the spots without a gene are those over all spots, less those with it.
        powers = [
            (depth**power).sum() - np.add.reduceat(depth[spot] ** power, bounds[:-1]) for power in range(5)
        ]
        k0, k1, k2 = self.absent
        squares = (k0**2, 2 * k0 * k1, k1**2 + 2 * k0 * k2, 2 * k1 * k2, k2**2)
        absent = sum(square * power for square, power in zip(squares, powers, strict=True))
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt(np.add.reduceat(self.stored**2, bounds[:-1]) + np.maximum(absent, 0))
            return HalfCorrelation(
                self.r / self.defined, spread / self.defined / len(depth), self.defined.astype(np.int64)
            )
