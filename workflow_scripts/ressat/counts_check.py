"""Are a section's counts of use to this study? Asked before hours are spent on its slide."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anndata
import pandas as pd

from ressat.errors import InputError

# Fewer spots allow neither training nor a test of a correlation.
MIN_SPOTS = 20
# Sections of one study share at least this part of the genes of the smaller one.
MIN_SHARED = 0.1
# Ensembl's stable ids, such as ENSG00000141736 or ENSMUSG00000064339.1.
ENSEMBL = re.compile(r"ENS[A-Z]*G\d{6,}(\.\d+)?")


@dataclass(frozen=True)
class Counts:
    """What is known of a section's counts without reading them.

    Attributes
    ----------
    section, file
        The section's name, and results/expression/{sample}.h5ad.
    spots
        ``obs``: a row per spot.
    genes
        Names.
    """

    section: str
    file: str
    spots: pd.DataFrame
    genes: pd.Index

    @classmethod
    def read(cls, section: str, path: str | Path) -> "Counts":
        """Read spots and gene names, and leave the counts on disk."""
        adata = anndata.read_h5ad(path, backed="r")
        try:
            return cls(section, str(path), adata.obs, adata.var_names)
        finally:
            adata.file.close()


def check_spots(counts: Counts) -> None:
    """Refuse a section of too few spots.

    Raises
    ------
    InputError
        Below `MIN_SPOTS`.
    """
    if len(counts.spots) < MIN_SPOTS:
        raise InputError(
            f"{len(counts.spots)} spots with counts",
            expected=f"at least {MIN_SPOTS}, to learn from or to test a correlation on",
            action="leave the section out, or check that positions and counts are whole",
            section=counts.section,
            file=counts.file,
        )


def check_gene_names(counts: Counts, reference: Counts) -> int:
    """Refuse gene names that are not those of another section, and say what each section uses.

    Returns
    -------
    int
        How many genes the two sections share.

    Raises
    ------
    InputError
        If they share fewer than `MIN_SHARED` of the genes of the smaller one.
    """
    shared = counts.genes.isin(reference.genes).sum()
    if shared >= MIN_SHARED * min(len(counts.genes), len(reference.genes)):
        return int(shared)
    here, there = name_space(counts.genes), name_space(reference.genes)
    bare = counts.genes.str.replace(r"\.\d+$", "", regex=True)
    agree = bare.isin(reference.genes.str.replace(r"\.\d+$", "", regex=True)).sum()
    if agree >= MIN_SHARED * min(len(counts.genes), len(reference.genes)):
        action = "remove the version (.1, .2 ...) from the Ensembl ids of all sections"
    else:
        action = "convert them to symbols, or to Ensembl ids, the same in all sections"
    raise InputError(
        f"of its {len(counts.genes)} genes, {here} ({counts.genes[0]} ...), {shared} are among the "
        f"{len(reference.genes)} of section {reference.section}, {there} ({reference.genes[0]} ...)",
        expected="the same gene names in all sections",
        action=action,
        section=counts.section,
        file=counts.file,
    )


def check_listed_genes(counts: Counts, listed: Sequence[str], list_file: str) -> None:
    """Refuse a section to learn from that lacks genes of the study's list.

    Raises
    ------
    InputError
        Naming the genes.
    """
    unknown = [gene for gene in listed if gene not in counts.genes]
    if unknown:
        raise InputError(
            f"{len(unknown)} of the {len(listed)} genes of {list_file} ({', '.join(unknown[:5])}"
            f"{' ...' if len(unknown) > 5 else ''}) are not among its {len(counts.genes)} "
            f"({', '.join(counts.genes[:3])} ...)",
            expected="every listed gene in every section to learn from",
            action="correct genes.list, or leave these genes out of it",
            section=counts.section,
            file=counts.file,
        )


def name_space(genes: pd.Index) -> str:
    """Say what gene names are: symbols, or Ensembl ids with or without version."""
    matches = [ENSEMBL.fullmatch(gene) for gene in genes]
    ids = [match for match in matches if match]
    if len(ids) < len(genes) / 2:
        return "symbols"
    versioned = sum(match[1] is not None for match in ids) > len(ids) / 2
    return f"Ensembl ids {'with' if versioned else 'without'} version"
