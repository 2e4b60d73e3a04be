"""The user's own gene panel."""

from pathlib import Path

from ressat.base.errors import InputError, about
from ressat.base.machine import refuse_trouble
from ressat.base.names import gene_name, unquoted
from ressat.counts.ensembl import without_version


def read_gene_list(path: str | Path) -> list[str]:
    """Read gene names, one per line, as `gene_name` writes them.

    Blank lines, ``#`` comments, quotes around a name and versions of Ensembl ids are left out.

    Raises
    ------
    InputError
        If the file cannot be read or names no gene.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        with about(file=path):
            refuse_trouble(error)
        raise InputError(
            f"it cannot be read as a gene list ({error})",
            expected="text in UTF-8, one gene name per line",
            action="correct genes.list, or save the file again",
            file=path,
        ) from error
    lines = (gene_name(unquoted(line.split("#")[0])) for line in text.splitlines())
    genes = [without_version(line) for line in lines if line]
    if not genes:
        raise InputError("no gene", expected="one gene name per line", action="add some", file=path)
    return genes
