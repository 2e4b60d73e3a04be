"""Are a section's genes those of the study? Standard library only."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.files import write_text
from ressat.base.names import name_key
from ressat.base.own_file import END, own_file, refuse_cut

# Sections of one study share at least this fraction of the genes of the smaller one.
MIN_SHARED = 0.1
# What makes a repeated symbol unique; see `ressat.counts.gene_names.unique_names`.
MADE_UNIQUE = re.compile(r"-\d+$")


@dataclass(frozen=True)
class Genes:
    """The genes of one section.

    Attributes
    ----------
    section
        Its name.
    names
        Of the genes, each once.
    ids
        Ensembl ids by name, where the study goes by symbols and the section's files have them.
    """

    section: str
    names: list[str]
    ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, section: str, path: str | Path) -> "Genes":
        """Read results/checks/{sample}.genes.txt, up to the empty line that ends it; see `write`.

        Raises
        ------
        InputError
            If the file is cut short.
        """
        with own_file(path):
            refuse_cut(path)
            lines = Path(path).read_text(encoding="utf-8").removesuffix(END).split("\n")[:-1]
            cells = [line.partition("\t") for line in lines]
            return cls(section, [name for name, _, _ in cells], {name: one for name, _, one in cells if one})

    def write(self, path: str | Path) -> None:
        """Write results/checks/{sample}.genes.txt: on each line a name, and behind a tab its id if known."""
        lines = [f"{name}\t{self.ids[name]}\n" if name in self.ids else f"{name}\n" for name in self.names]
        write_text(path, "".join(lines) + END)


def check_gene_names(genes: Genes, reference: Genes) -> int:
    """Refuse gene names that do not match those of another section.

    Returns
    -------
    int
        How many genes the two sections share.

    Raises
    ------
    InputError
        If they share fewer than `MIN_SHARED` of the genes of the smaller one, or the genes of a repeated
        symbol stand in another order, so that one name means two genes.
    """
    shared = len(set(genes.names) & set(reference.names))
    if shared >= MIN_SHARED * min(len(genes.names), len(reference.names)):
        _refuse_other_order(genes, reference)
        return shared
    action = "check that both sections are of the same species and were counted with the same annotation"
    meant = near_misses(genes.names, reference.names)
    if meant:
        action += f"; some names differ in form alone, such as upper and lower case ({_pairs(meant)})"
    raise InputError(
        f"of its {len(genes.names)} genes ({', '.join(genes.names[:3])} ...), {shared} are among the "
        f"{len(reference.names)} of section {reference.section} ({', '.join(reference.names[:3])} ...)",
        expected="the same gene names in all sections",
        action=action,
    )


def _refuse_other_order(genes: Genes, reference: Genes) -> None:
    """Refuse repeated symbols whose numbers mean other genes than in the other section."""
    here, there = _named_once(genes), _named_once(reference)
    pairs = [(one, name, there[one]) for one, name in here.items() if there.get(one, name) != name]
    exchanged = [pair for pair in pairs if MADE_UNIQUE.sub("", pair[1]) == MADE_UNIQUE.sub("", pair[2])]
    if exchanged:
        told = ", ".join(f"{one} is {name} here and {other} there" for one, name, other in exchanged[:3])
        raise InputError(
            f"genes of one symbol stand in another order than in section {reference.section} ({told})",
            expected="the same gene under a name in all sections",
            action="set genes.ids: ensembl in config.yaml, or count all sections with the same annotation",
        )


def _named_once(genes: Genes) -> dict[str, str]:
    """Names by id, of ids that a section has once."""
    times = Counter(genes.ids.values())
    return {one: name for name, one in genes.ids.items() if times[one] == 1}


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
            action=f"did you mean {_pairs(meant)}? Correct genes.list, or leave these genes out of it"
            if (meant := near_misses(unknown, genes.names))
            else "correct genes.list, or leave these genes out of it",
        )


def near_misses(unknown: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Find the names that differ from another in form alone, such as case; by name, with the other.

    They are only suggested: two genes may differ in case alone.
    """
    likely = {name_key(name): name for name in known}
    pairs = {name: likely.get(name_key(name)) for name in unknown}
    return {name: other for name, other in pairs.items() if other not in (None, name)}


def _pairs(meant: dict[str, str]) -> str:
    some = [f"{other} for {name}" for name, other in list(meant.items())[:5]]
    return ", ".join(some) + (" ..." if len(meant) > 5 else "")
