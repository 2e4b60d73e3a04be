"""Ensembl gene ids. Standard library only."""

import re
from collections.abc import Sequence

# The stable ids of vertebrate genes, such as ENSG00000141736 or ENSMUSG00000064339.1; GENCODE marks the
# second copy of genes of both sex chromosomes.
STABLE_ID = re.compile(r"(ENS[A-Z]*G\d{6,})(\.\d+)?(_PAR_Y)?")


def without_version(name: str) -> str:
    """Return an Ensembl id without its version, and anything else as it is."""
    match = STABLE_ID.fullmatch(name)
    return match[1] + (match[3] or "") if match else name


def is_stable_id(name: str) -> bool:
    """Tell whether a name is an Ensembl id, with or without version."""
    return STABLE_ID.fullmatch(name) is not None


def name_space(genes: Sequence[str]) -> str:
    """Say what most gene names are: symbols or Ensembl ids."""
    return "Ensembl ids" if 2 * sum(map(is_stable_id, genes)) > len(genes) else "symbols"
