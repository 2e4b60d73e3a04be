"""Expression as the model sees it: log1p of counts per 10,000, or another unit of the study's."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from ressat.base.errors import about
from ressat.base.own_file import damaged
from ressat.base.results_h5ad import read_results
from ressat.counts.expression_unit import LOG1P_CP10K, TARGET_SUM, ExpressionUnit
from ressat.counts.thinned import ThinnedLog


@dataclass(frozen=True)
class LogExpression:
    """Measured expression of some genes.

    Attributes
    ----------
    values
        In the unit asked for, float32, shape (spots, genes).
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
    totals = _checked_totals(counts)
    scaled = sparse.diags_array(TARGET_SUM / totals) @ counts.astype(np.float64)
    return sparse.csr_matrix(scaled).log1p()


def in_unit(counts: sparse.csr_matrix, genes: np.ndarray, unit: ExpressionUnit) -> sparse.csr_matrix:
    """Return the expression of some genes, normalised over all genes of the section.

    Parameters
    ----------
    counts
        Raw counts, whole numbers, shape (spots, all genes); no spot without counts.
    genes
        Columns of the genes.
    unit
        What to return.

    Returns
    -------
    scipy.sparse.csr_matrix
        float64, shape (spots, genes).

    Raises
    ------
    InputError
        If a count is negative, or a spot has none.
    """
    if unit.depth is None:
        return log1p_cp10k(counts)[:, genes]
    totals = _checked_totals(counts)
    part = sparse.csr_matrix(counts[:, genes])
    whole, spots = part.data.astype(np.int64), np.repeat(np.arange(len(totals)), np.diff(part.indptr))
    values = ThinnedLog(totals, unit.depth, whole.max(initial=0))(whole, spots)
    return sparse.csr_matrix((values, part.indices, part.indptr), shape=part.shape)


def _checked_totals(counts: sparse.csr_matrix) -> np.ndarray:
    totals = spot_totals(counts)
    if not (totals > 0).all() or counts.data.min(initial=0) < 0:
        raise damaged("a spot has no counts, or negative ones")
    return totals


def read_log_expression(
    path: str | Path, genes: Sequence[str], unit: ExpressionUnit = LOG1P_CP10K
) -> LogExpression:
    """Read the expression of some genes, normalised over all genes of the section.

    Parameters
    ----------
    path
        results/expression/{sample}.h5ad.
    genes
        Gene names; a gene that the section does not have gives NaN.
    unit
        Of the values.
    """
    adata = read_results(path)
    columns = adata.var_names.get_indexer(list(genes))
    present = columns >= 0
    values = np.full((adata.n_obs, len(columns)), np.nan, dtype=np.float32)
    with about(file=path):
        values[:, present] = in_unit(adata.X, columns[present], unit).toarray()
    return LogExpression(values, spot_totals(adata.X), adata.obs_names.to_numpy(dtype=str))
