"""Are the genes of the study's gene sets those of its sections? Standard library only."""

from collections.abc import Mapping, Sequence

from ressat.base.errors import InputError
from ressat.checks.gene_overlap import near_misses
from ressat.counts.gene_sets import FEWEST_GENES


def check_gene_sets(sets: Mapping[str, Sequence[str]], known: Sequence[str]) -> dict[str, int]:
    """Count each set's genes that any section has.

    Parameters
    ----------
    sets
        Genes by the name of the set.
    known
        Genes of the sections.

    Raises
    ------
    InputError
        If no set has `FEWEST_GENES` of them.
    """
    there = set(known)
    found = {name: len(there.intersection(genes)) for name, genes in sets.items()}
    most = max(found, key=found.__getitem__)
    if found[most] >= FEWEST_GENES:
        return found
    listed = list(dict.fromkeys(gene for genes in sets.values() for gene in genes))
    meant = near_misses([gene for gene in listed if gene not in there], known)
    pairs = ", ".join(f"{other} for {name}" for name, other in list(meant.items())[:3])
    of_genes = f"its {len(listed)} genes ({', '.join(listed[:3])} ...)"
    raise InputError(
        f"none of {of_genes} is among the {len(there)} of the sections ({', '.join(list(known)[:3])} ...)"
        if not found[most]
        else f"none of its {len(sets)} sets has {FEWEST_GENES} genes that the sections have; {most} has "
        f"{found[most]} of {len(sets[most])}",
        expected=f"a set with at least {FEWEST_GENES} of the sections' genes, named as genes.ids says",
        action=f"did you mean {pairs}?" if pairs else "correct signatures, or genes.ids",
    )
