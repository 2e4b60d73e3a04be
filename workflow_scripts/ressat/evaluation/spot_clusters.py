"""Clusters of the spots of one section: by how they attend to one another, and by measured expression."""

import logging

import numpy as np
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

logger = logging.getLogger("ressat")

# Where spots give less than this of their attention to others, on average, noise decides to which.
LEAST_TO_OTHERS = 1e-3
# This share of the weights is spread evenly over all pairs, so that groups that ignore each other still form
# one graph (regularised spectral clustering; Amini et al. 2013, Ann Stat 41). It is too small to change
# anything else.
EVENLY = 1e-6
COMPONENTS = 20


def interaction_clusters(weights: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """Cluster spots by how they attend to one another: spectral clustering of (S + S^T) / 2.

    Parameters
    ----------
    weights
        S, shape (spots, spots): how much the spot of a row attends to that of a column.
    clusters
        How many to make.
    seed
        Of starting values.

    Returns
    -------
    numpy.ndarray
        float64, shape (spots,): 1 for the largest cluster, and so on. NaN where nothing tells clusters apart:
        no more spots than clusters, or spots that attend only to themselves, or to all others alike.
    """
    undefined = np.full(len(weights), np.nan)
    if len(weights) <= clusters:
        logger.warning("no clusters by interaction: %d spots for %d clusters", len(weights), clusters)
        return undefined
    affinity = weights + weights.T
    affinity /= 2
    # Spectral clustering ignores a spot's weight with itself, so it can be anything.
    np.fill_diagonal(affinity, affinity[0, 1])
    to_others = 1 - np.trace(weights) / weights.sum()
    if to_others < LEAST_TO_OTHERS:
        logger.warning("no clusters by interaction: spots attend to themselves alone")
        return undefined
    if np.ptp(affinity) <= 1e-9 * affinity.max():
        logger.warning("no clusters by interaction: spots attend to all others alike")
        return undefined
    affinity += EVENLY * affinity.mean()
    spectral = SpectralClustering(clusters, affinity="precomputed", random_state=seed)
    return _numbered(spectral.fit_predict(affinity))


def expression_clusters(observed: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """Cluster spots by their measured expression: k-means on principal components of standardised genes.

    Parameters
    ----------
    observed
        Measured expression, shape (spots, genes). Genes that are not measured (NaN) or constant are left out.
    clusters
        How many to make; fewer where fewer spots differ.
    seed
        Of starting values.

    Returns
    -------
    numpy.ndarray
        float64, shape (spots,): 1 for the largest cluster, and so on; NaN where no gene varies, or there are
        no more spots than clusters.
    """
    varying = observed[:, varies(observed)].astype(np.float64)
    if not varying.size or len(varying) <= clusters:
        logger.warning("no clusters by expression: %d spots, %d genes that vary", *varying.shape)
        return np.full(len(observed), np.nan)
    scaled = StandardScaler().fit_transform(varying)
    components = PCA(min(COMPONENTS, *scaled.shape), svd_solver="full").fit_transform(scaled)
    # Not the more usual Leiden: its number of communities follows from a resolution, and partitions are best
    # compared where both have the same number of parts.
    return _numbered(KMeans(clusters, n_init=10, random_state=seed).fit_predict(components))


def agreement(one: np.ndarray, other: np.ndarray) -> float | None:
    """Return the adjusted Rand index (Hubert & Arabie 1985, J Classif 2) of two partitions of the same spots.

    1 for the same partition, 0 on average for unrelated ones; None where either is undefined.
    """
    if np.isnan(one).any() or np.isnan(other).any():
        return None
    return float(adjusted_rand_score(one, other))


def varies(observed: np.ndarray) -> np.ndarray:
    """Tell which genes of a table of shape (spots, genes) are measured and not constant."""
    return np.ptp(observed, axis=0) > 0


def _numbered(labels: np.ndarray) -> np.ndarray:
    """Number clusters from 1 by size; of equal ones, that of the first spot comes first."""
    _, first, members, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    return (np.lexsort((first, -sizes)).argsort() + 1.0)[members]
