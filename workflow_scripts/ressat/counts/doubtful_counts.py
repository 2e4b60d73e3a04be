"""Whole numbers that are not the counts they should be: of some of the genes only, or cut off at 255."""

import logging
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from ressat.base.errors import InputError
from ressat.counts.normalisation import is_counts

if TYPE_CHECKING:
    import anndata

logger = logging.getLogger("ressat")

# Genes that a filter took away leave nearly all counts; a choice of variable genes leaves half of them. CP10k
# is counts by the total over all genes, so it is wrong if a good part of that total is missing.
MOST_MISSING = 0.1


def refuse_selected_genes(
    adata: "anndata.AnnData", counts: sparse.csr_matrix, raw: sparse.csr_matrix | None
) -> None:
    """Refuse counts of a choice of genes if the counts of all are in raw; else warn of signs of a choice.

    Parameters
    ----------
    adata
        The table.
    counts
        Counts of X or of a layer; shape (spots, genes).
    raw
        adata.raw's values; None if these are the counts, or there is no raw.

    Raises
    ------
    InputError
        If raw has more genes, and these have a good part of the counts.
    """
    total = float(counts.sum())
    if raw is not None and raw.shape[1] > counts.shape[1] and is_counts(raw):
        missing = 1 - total / float(raw.sum())
        if missing > MOST_MISSING:
            raise InputError(
                f"counts of {counts.shape[1]} genes, and raw has {raw.shape[1]} with whole numbers: "
                f"{missing:.0%} of all counts are of genes left out here",
                expected="counts of all genes, since log1p CP10k divides by a spot's total",
                action="set the column layer to raw",
            )
    if "highly_variable" in adata.var and _all_true(adata.var["highly_variable"].to_numpy()):
        logger.warning(
            "all of its %d genes are marked as highly variable, so others may have been left out, and log1p "
            "CP10k, which divides by a spot's total, be over these alone: give the counts of all genes",
            counts.shape[1],
        )
        return
    for name in ("total_counts", "n_counts"):
        said = _sum(adata, name)
        if said is not None and total < (1 - MOST_MISSING) * said:
            logger.warning(
                "obs['%s'] says %.4g counts in all, and these are %.4g: genes may have been left out since, "
                "and log1p CP10k, which divides by a spot's total, be over the others alone: give the counts "
                "of all genes",
                name,
                said,
                total,
            )
            return


def warn_of_bytes(values: object, name: str) -> None:
    """Warn of counts of 8 bits that reach the largest number of 8 bits: larger ones were cut or began again.

    Parameters
    ----------
    values
        A matrix as stored.
    name
        What it is called, for the message.
    """
    data = values.data if sparse.issparse(values) else np.asarray(values)
    if data.dtype.itemsize == 1 and data.dtype.kind in "iu" and data.size:
        limit = np.iinfo(data.dtype).max
        if data.max() == limit:
            logger.warning(
                "%s is stored as %s, and its largest count is the largest that this type holds, %d: larger "
                "counts may have been cut off, or begun again at 0. Write the counts again as int32",
                name,
                data.dtype,
                limit,
            )


def _all_true(marks: np.ndarray) -> bool:
    return len(marks) > 0 and bool(np.isin(marks.astype(str), ("True", "true", "1")).all())


def _sum(adata: "anndata.AnnData", name: str) -> float | None:
    """Sum of a column of obs; None where it is none of numbers."""
    if name not in adata.obs:
        return None
    try:
        said = adata.obs[name].to_numpy(dtype=float)
    except (TypeError, ValueError):
        return None
    return float(said.sum()) if np.isfinite(said).all() else None
