"""Moran's I: how similar neighbouring spots are in a gene."""

import warnings

import anndata
import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

NEIGHBOURS = 6


def neighbour_graph(coords: np.ndarray) -> sparse.csr_matrix:
    """Return a graph with 1 from each spot to its six nearest; squidpy's own graph varies by version.

    Parameters
    ----------
    coords
        Shape (spots, 2), in any unit.

    Returns
    -------
    scipy.sparse.csr_matrix
        Shape (spots, spots), not symmetric at the edges of the tissue.
    """
    count = len(coords)
    neighbours = min(NEIGHBOURS, count - 1)
    _, nearest = cKDTree(coords).query(coords, k=neighbours + 1)
    rows = np.repeat(np.arange(count), neighbours)
    return sparse.csr_matrix((np.ones(rows.size), (rows, nearest[:, 1:].ravel())), shape=(count, count))


def morans_i(values: np.ndarray, coords: np.ndarray) -> np.ndarray:
    """Return Moran's I (1950) of each gene over the spots of one section, through squidpy.

    Parameters
    ----------
    values
        Shape (spots, genes).
    coords
        Shape (spots, 2), in any unit.

    Returns
    -------
    numpy.ndarray
        float64, shape (genes,). NaN where a gene is constant, or holds a NaN.
    """
    # Imported here: it takes seconds, and code that needs no autocorrelation should not wait for it.
    with warnings.catch_warnings():
        # squidpy warns about its own docstrings.
        warnings.simplefilter("ignore", SyntaxWarning)
        import squidpy as sq

    result = np.full(values.shape[1], np.nan)
    defined = np.flatnonzero(np.ptp(values, axis=0) > 0)
    if defined.size:
        adata = anndata.AnnData(np.asarray(values[:, defined], dtype=np.float64))
        adata.obsp["spatial_connectivities"] = neighbour_graph(coords)
        sq.gr.spatial_autocorr(adata, mode="moran", n_perms=None)
        result[defined] = adata.uns["moranI"].loc[adata.var_names, "I"]
    return result
