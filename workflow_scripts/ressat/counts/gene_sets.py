"""Sets of genes, as MSigDB and Enrichr give them: GMT files. Standard library only."""

from pathlib import Path

from ressat.base.errors import InputError, about
from ressat.base.machine import refuse_trouble
from ressat.base.names import gene_name, has_control, unquoted
from ressat.counts.ensembl import without_version

# A score is the mean over at least so many genes.
FEWEST_GENES = 5
EXPECTED = "a GMT file: on each line a set's name, a description and its genes, with tabs between them"
ACTION = "correct signatures, or save the file again"


def read_gene_sets(path: str | Path) -> dict[str, list[str]]:
    """Read sets of genes by name, each gene once, as `ressat.model.gene_list` reads genes.

    Raises
    ------
    InputError
        If the file cannot be read, holds no set, names one twice, or has a line without genes.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        with about(file=path):
            refuse_trouble(error)
        raise InputError(
            f"it cannot be read as a GMT file ({error})", expected=EXPECTED, action=ACTION, file=path
        ) from error
    sets: dict[str, list[str]] = {}
    with about(file=path):
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            cells = [gene_name(unquoted(cell)) for cell in line.split("\t")]
            name, genes = cells[0], list(dict.fromkeys(without_version(cell) for cell in cells[2:] if cell))
            if not name or has_control(name) or not genes:
                raise InputError(f"line {number} is no set of genes", expected=EXPECTED, action=ACTION)
            if name in sets:
                raise InputError(
                    f"two sets are called {name}", expected="a name for each", action="rename one of them"
                )
            sets[name] = genes
        if not sets:
            raise InputError("no set of genes", expected=EXPECTED, action=ACTION)
    return sets
