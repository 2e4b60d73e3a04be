"""Matrices with genes of several genomes, such as those of a xenograft."""

import logging

import numpy as np
from scipy import sparse

from ressat.base.errors import InputError

logger = logging.getLogger("ressat")

# Below this share of the counts, the genes of a second genome (a virus, say) hardly change a spot's total.
SMALL_PART = 0.05


def refuse_several_genomes(genomes: np.ndarray, is_gene: np.ndarray, counts: sparse.csr_matrix) -> None:
    """Refuse a matrix of which genes of two genomes have a good part of the counts, and warn of a small one.

    Parameters
    ----------
    genomes
        The genome of each feature, shape (features,).
    is_gene
        Which of the features are genes, boolean.
    counts
        Shape (spots, features).

    Raises
    ------
    InputError
        If so.
    """
    names = sorted(set(genomes[is_gene])) if len(genomes) == len(is_gene) else []
    if len(names) < 2:
        return
    totals = np.asarray(counts.sum(axis=0)).ravel()
    shares = {name: float(totals[is_gene & (genomes == name)].sum()) for name in names}
    total = sum(shares.values())
    present = {name: number / total for name, number in shares.items() if number}
    if len([name for name, share in present.items() if share > SMALL_PART]) > 1:
        raise several_genomes(list(present))
    if len(present) > 1:
        told = ", ".join(f"{name or 'unnamed'} {share:.2%}" for name, share in present.items())
        logger.warning(
            "its counts are of %d genomes (%s), and a spot's total is over all", len(present), told
        )


def several_genomes(names: list[str]) -> InputError:
    """Return the error for counts of several genomes."""
    return InputError(
        f"it has counts of {len(names)} genomes, {', '.join(names)}",
        expected="counts of one genome, since log1p CP10k divides by a spot's total over all genes",
        action="count the section with the reference of one genome, or write those of one to an .h5ad file",
    )
