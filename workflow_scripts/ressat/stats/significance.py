"""Significance of a gene's Pearson correlation when both maps are spatially autocorrelated.

Neighbouring spots repeat each other, so that two unrelated smooth maps correlate strongly by chance and
the ordinary t-test, which counts every spot as independent, calls a third of them significant. Here r is
tested against as many independent spots as the two maps are worth.
"""

from functools import cached_property

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import nnls
from scipy.spatial import KDTree
from scipy.stats import false_discovery_control, norm, rankdata, t

from ressat.stats.metrics import pearson
from ressat.stats.partial import without

# Waves are counted per diagonal of the section: from a gradient (0.7 waves), multiplied by this factor up to
# the shortest wave that an array resolves, three spot pitches long.
LONGEST_CYCLES = 2**-0.5
BAND_RATIO = 2**0.5
SHORTEST_WAVELENGTH_PITCHES = 3.0
# The longest waves are weighted per direction: there a map has so few of them that its directions differ
# by chance, and a section often has a gradient or layers.
DIRECTED_BANDS = 3
DIRECTIONS = 8
# Shorter ones are averaged over all directions, as many as fit on the section. Above some 3,000 spots this
# limit thins them, which keeps time linear in spots; at 8,000 it leaves M unchanged.
MAX_BAND_WAVES = 600
GOLDEN_RATIO = (1 + 5**0.5) / 2
# Keep the t distribution defined where two maps are worth no more than two spots, and where they are the same
# to the last bit, as any two maps of two spots are; p is then about 0.5.
MIN_DEGREES = 1e-3
LARGEST_R = 1 - 1e-12


def correlation_p_values(
    observed: np.ndarray, predicted: np.ndarray, coords: np.ndarray, given: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Test each gene's Pearson correlation within one section, one-sided (r > 0), or its partial correlation.

    The null: the two maps are independent, and at least one of them is a stationary Gaussian field (or
    near enough for r to be) of unknown autocorrelation. The test is the modified t-test of Clifford,
    Richardson & Hemon (Biometrics 1989, 45:123) and Dutilleul (Biometrics 1993, 49:305),

        M = 1 + 1 / var(r),    t = r sqrt((M - 2) / (1 - r^2)),    M - 2 degrees of freedom,

    where M, the effective sample size, is the number of independent spots that would give r the same
    variance; it is capped at the number of spots. With x and y the maps less their means, and
    S the covariance of x, var(r) = y' S y / (tr S y' y) given y. It is computed both ways round and the
    larger is taken, so that it is enough to know the autocorrelation of one side.

    S is a sum of waves of all lengths plus noise independent between spots, with weights that are not
    negative: by Bochner's theorem every stationary covariance is such a sum. The weights bring S as close as
    they can to x x' (non-negative least squares, as Shapiro & Botha, Comput. Stat. Data Anal. 1991,
    11:87, fit a variogram). The mean is removed from the waves as from the map, so the fit has none of
    the downward bias of binned autocovariances. Sums run over spots, never over pairs of spots, so that
    large sections need no subsample.

    With a covariate, maps are what a straight line in it leaves of them. It is removed from the waves too,
    and costs one degree of freedom.

    Values are tested as they are and as normal scores of their ranks, and the larger p is taken: maps that
    are both high in a few islands are far from Gaussian, and r alone finds them significant by chance.

    Limits: where maps vary over the whole section they are worth few spots, and no test can tell r = 0.5
    from chance. M is too large where the variance is concentrated in one part of the section, and for
    stripes finer than half the section on both sides.

    Parameters
    ----------
    observed, predicted
        Shape (spots, genes), of one section.
    coords
        Shape (spots, 2), spot centres in any unit.
    given
        A covariate, shape (spots,); None for the plain correlation.

    Returns
    -------
    tuple of numpy.ndarray, numpy.ndarray
        p-values and effective sample sizes (of the values as they are), float64, shape (genes,). NaN
        where the correlation is undefined.
    """
    return CorrelationTest(coords, given)(observed, predicted)


class CorrelationTest:
    """The test of `correlation_p_values` for the spots of one section, for several pairs of maps.

    What depends on places and covariate alone, most of the work in large sections, is computed once.

    Parameters
    ----------
    coords
        Shape (spots, 2), spot centres in any unit.
    given
        A covariate, shape (spots,); None for the plain correlation.
    """

    def __init__(self, coords: np.ndarray, given: np.ndarray | None = None) -> None:
        self._order = np.lexsort(coords.T)  # the same sums to the last bit, however the spots are listed
        self._coords = coords[self._order]
        self._given = None if given is None else given[self._order]
        # Dimensions: that of the mean, and that of the covariate.
        self._lost = 1 if given is None else 2

    def __call__(self, observed: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return p-values and effective sample sizes of the pairs of columns, as `correlation_p_values`."""
        maps = [self._without(table[self._order]) for table in (observed, predicted)]
        scores = [self._without(_normal_scores(table)) for table in maps]
        p, size = self._modified_t(*maps)
        of_scores, _ = self._modified_t(*scores)
        return np.fmax(p, of_scores) + 0 * p, size

    def _without(self, table: np.ndarray) -> np.ndarray:
        return table if self._given is None else without(table, self._given)

    @cached_property
    def _covariance(self) -> "_Covariance":
        return _Covariance(*_waves(self._coords, self._given), len(self._coords) - self._lost)

    def _modified_t(self, observed: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """p-values and effective sample sizes of the modified t-test on the values as they are."""
        lost, spots = self._lost, len(self._coords)
        r = np.clip(pearson(observed, predicted), -LARGEST_R, LARGEST_R)
        size = np.full(r.shape, np.nan)
        defined = np.isfinite(r)
        if not defined.any():
            return size, size.copy()
        energies = [self._covariance.energies(table[:, defined]) for table in (observed, predicted)]
        weights = self._covariance.weights(np.hstack(energies))
        of_observed, of_predicted = np.split(weights, 2, axis=1)
        variances = (of_observed * energies[1]).sum(axis=0), (of_predicted * energies[0]).sum(axis=0)
        size[defined] = np.clip(lost + 1 / np.maximum(*variances), lost + 1, spots)
        degrees = np.maximum(size - lost - 1, MIN_DEGREES)
        return t.sf(r * np.sqrt(degrees / (1 - r**2)), degrees), size


def _normal_scores(table: np.ndarray) -> np.ndarray:
    """Quantiles of the normal distribution at the ranks of each column, ties at their mean rank."""
    ranks = rankdata(table, axis=0, nan_policy="propagate")
    return norm.ppf(ranks / (len(table) + 1))


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Return Benjamini-Hochberg q-values, shape (genes,); NaN is left out of the count and stays NaN."""
    q = np.full(p.shape, np.nan)
    tested = np.isfinite(p)
    if tested.any():
        q[tested] = false_discovery_control(p[tested])
    return q


def _waves(coords: np.ndarray, given: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return cosines and sines over the spots, (spots, waves), and where each component starts.

    The mean is removed, and the covariate if there is one. A component of the covariance is one long wave, or
    all waves of a band of lengths, averaged.
    """
    places = np.unique(coords, axis=0)
    pitch = np.median(KDTree(places).query(places, k=2)[0][:, 1])
    diagonal = np.hypot(*np.ptp(coords, axis=0))
    places = (coords - coords.mean(axis=0)) / diagonal
    shortest = diagonal / pitch / SHORTEST_WAVELENGTH_PITCHES
    bands = max(DIRECTED_BANDS, int(np.log(shortest / LONGEST_CYCLES) / np.log(BAND_RATIO)) + 1)
    components = []
    for band in range(bands):
        cycles = LONGEST_CYCLES * BAND_RATIO**band
        if band < DIRECTED_BANDS:
            angles = np.pi * np.arange(DIRECTIONS) / DIRECTIONS
            radii = np.full(DIRECTIONS, cycles)
        else:
            # A spiral of golden angles fills the half-ring of the band evenly, one wave per unit of area.
            inner, outer = cycles**2 / BAND_RATIO, cycles**2 * BAND_RATIO
            count = min(int(np.pi / 2 * (outer - inner)) + 16, MAX_BAND_WAVES)
            angles = np.pi * (np.arange(count) / GOLDEN_RATIO % 1)
            radii = np.sqrt(inner + (outer - inner) * (np.arange(count) + 0.5) / count)
        phases = 2 * np.pi * (places @ (radii * np.array([np.cos(angles), np.sin(angles)])))
        pairs = np.stack([np.cos(phases), np.sin(phases)], axis=2)
        pairs -= pairs.mean(axis=0)
        if given is not None:
            pairs = without(pairs.reshape(len(coords), -1), given).reshape(pairs.shape)
        if band < DIRECTED_BANDS:
            components += list(pairs.transpose(1, 0, 2))
        else:
            components.append(pairs.reshape(len(coords), -1) / np.sqrt(count))
    # Spots in a single row say nothing about waves across it.
    components = [waves for waves in components if (waves**2).sum() > 1e-6 * len(coords)]
    return np.hstack(components), np.cumsum([0] + [waves.shape[1] for waves in components[:-1]])


class _Covariance:
    """A sum of components, waves and noise, that is fitted to the covariance of each gene's map.

    Parameters
    ----------
    waves, starts
        As `_waves` returns them.
    dimensions
        Of the maps: spots less what was removed from them.
    """

    def __init__(self, waves: np.ndarray, starts: np.ndarray, dimensions: int) -> None:
        self._waves, self._starts = waves, starts
        gram = np.add.reduceat(np.add.reduceat((waves.T @ waves) ** 2, starts, axis=0), starts, axis=1)
        traces = np.append(float(dimensions), np.add.reduceat((waves**2).sum(axis=0), starts))
        gram = np.block([[traces[:1], traces[1:]], [traces[1:, None], gram]])
        scale = np.sqrt(np.diag(gram))
        # Long waves are nearly the same over a small section; the ridge only guards against rounding.
        self._root = np.linalg.cholesky(gram / np.outer(scale, scale) + 1e-9 * np.eye(len(gram)))
        self._traces, self._scale = traces, scale

    def energies(self, table: np.ndarray) -> np.ndarray:
        """Return z' F_k z of each gene's map z, scaled to length one, in each component F_k, noise first."""
        z = table - table.mean(axis=0, dtype=float)
        z /= np.sqrt((z**2).sum(axis=0))
        return np.vstack(
            [np.ones(z.shape[1]), np.add.reduceat((self._waves.T @ z) ** 2, self._starts, axis=0)]
        )

    def weights(self, energies: np.ndarray) -> np.ndarray:
        """Return the weights of each map's covariance, (components, maps), scaled to a trace of one.

        Least squares over all pairs of spots, min |z z' - sum_k w_k F_k|^2 with w >= 0, through its normal
        equations: sum_l tr(F_k F_l) w_l = z' F_k z.
        """
        targets = solve_triangular(self._root, energies / self._scale[:, None], lower=True)
        weights = np.array([nnls(self._root.T, target)[0] for target in targets.T]).T / self._scale[:, None]
        return weights / (self._traces @ weights)
