"""Are a section's genes those of the study? Standard library only."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ressat.base.errors import InputError

# Sections of one study share at least this fraction of the genes of the smaller one.
MIN_SHARED = 0.1


@dataclass(frozen=True)
class Genes:
    """The genes of one section.

    Attributes
    ----------
    section
        Its name.
    names
        Of the genes, each once.
    """

    section: str
    names: list[str]

    @classmethod
    def read(cls, section: str, path: str | Path) -> "Genes":
        """Read results/checks/{sample}.genes.txt, one name per line."""
        return cls(section, Path(path).read_text(encoding="utf-8").splitlines())


def check_gene_names(genes: Genes, reference: Genes) -> int:
    """Refuse gene names that do not match those of another section.

    Returns
    -------
    int
        How many genes the two sections share.

    Raises
    ------
    InputError
        If they share fewer than `MIN_SHARED` of the genes of the smaller one.
    """
    shared = len(set(genes.names) & set(reference.names))
    if shared >= MIN_SHARED * min(len(genes.names), len(reference.names)):
        return shared
    action = "check that both sections are of the same species and were counted with the same annotation"
    if {name.upper() for name in genes.names} & {name.upper() for name in reference.names}:
        action += "; some names differ only in upper and lower case"
    raise InputError(
        f"of its {len(genes.names)} genes ({', '.join(genes.names[:3])} ...), {shared} are among the "
        f"{len(reference.names)} of section {reference.section} ({', '.join(reference.names[:3])} ...)",
        expected="the same gene names in all sections",
        action=action,
    )


def check_listed_genes(genes: Genes, gene_list: Sequence[str], list_file: str) -> None:
    """Refuse a training section that lacks genes of the study's list.

    Raises
    ------
    InputError
        Naming the genes.
    """
    known = set(genes.names)
    unknown = [gene for gene in gene_list if gene not in known]
    if unknown:
        raise InputError(
            f"{len(unknown)} of the {len(gene_list)} genes of {list_file} ({', '.join(unknown[:5])}"
            f"{' ...' if len(unknown) > 5 else ''}) are not among its {len(known)} "
            f"({', '.join(genes.names[:3])} ...)",
            expected="every listed gene in every training section",
            action="correct genes.list, or leave these genes out of it",
        )
