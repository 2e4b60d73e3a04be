"""Expression as the model sees it: log1p of counts per 10,000."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from ressat.base.errors import about
from ressat.base.own_file import damaged
from ressat.base.results_h5ad import read_results

TARGET_SUM = 1e4


@dataclass(frozen=True)
class LogExpression:
    """Measured expression of some genes.

    Attributes
    ----------
    values
        log1p CP10k, float32, shape (spots, genes).
    n_counts
        Total counts of each spot over all genes, float64, shape (spots,); above 0.
    barcodes
        str, shape (spots,).
    """

    values: np.ndarray
    n_counts: np.ndarray
    barcodes: np.ndarray


def spot_totals(counts: sparse.csr_matrix) -> np.ndarray:
    """Return the total counts of each spot, float64, shape (spots,)."""
    return np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()


def log1p_cp10k(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return log(1 + counts per 10,000), natural logarithm, per spot over all genes.

    The same as scanpy's ``normalize_total(target_sum=1e4)`` and ``log1p``, for environments
    without scanpy.

    Parameters
    ----------
    counts
        Raw counts, shape (spots, genes); no spot without counts.

    Returns
    -------
    scipy.sparse.csr_matrix
        float64, shape (spots, genes).

    Raises
    ------
    InputError
        If a count is negative, or a spot has none.
    """
    totals = spot_totals(counts)
    if not (totals > 0).all() or counts.data.min(initial=0) < 0:
        raise damaged("a spot has no counts, or negative ones")
    scaled = sparse.diags_array(TARGET_SUM / totals) @ counts.astype(np.float64)
    return sparse.csr_matrix(scaled).log1p()


def read_log_expression(path: str | Path, genes: Sequence[str]) -> LogExpression:
    """Read log1p CP10k of some genes, normalised over all genes of the section.

    Parameters
    ----------
    path
        results/expression/{sample}.h5ad.
    genes
        Gene names; a gene that the section does not have gives NaN.

    """
    adata = read_results(path)
    with about(file=path):
        log = log1p_cp10k(adata.X)
    columns = adata.var_names.get_indexer(list(genes))
    present = columns >= 0
    values = np.full((adata.n_obs, len(columns)), np.nan, dtype=np.float32)
    values[:, present] = log[:, columns[present]].toarray()
    return LogExpression(values, spot_totals(adata.X), adata.obs_names.to_numpy(dtype=str))
