"""One kind of gene names for a study: symbols, or Ensembl ids without version."""

import logging
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ressat.base.errors import InputError
from ressat.base.fields import LONGEST_NAME, NAME, shown
from ressat.base.names import gene_name
from ressat.counts.ensembl import is_stable_id, without_version
from ressat.counts.row_numbers import are_row_numbers

logger = logging.getLogger("ressat")

SYMBOL, ENSEMBL = "symbol", "ensembl"
# What spreadsheets make of SEPT2 or MARCH1. A month in front may be a gene: sep-1 is one of the nematode.
DATE = re.compile(
    r"\d{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(-\d+)?|\d{4}-\d{2}-\d{2}( 00:00:00)?",
    re.IGNORECASE,
)

CHANGES = ["name", "gene", "change", "reason"]


@dataclass(frozen=True)
class StudyGenes:
    """Genes by the names that the study uses.

    Attributes
    ----------
    has_name
        Which of the genes have such a name, boolean, shape (genes,).
    names
        Names of those that have one, each once, shape (kept,).
    changes
        A row per gene that was dropped, or whose name had to be made unique: name (in the files), gene (in
        the study, empty if dropped), change (dropped or renamed), reason.
    """

    has_name: np.ndarray
    names: pd.Index
    changes: pd.DataFrame


def study_genes(genes: pd.DataFrame, ids: str, names_in: str | None = None) -> StudyGenes:
    """Name genes the study's way, by the identifiers that the files carry.

    Parameters
    ----------
    genes
        name, and symbol and ensembl or None, one row per gene; see `SpotCounts`.
    ids
        ``symbol`` or ``ensembl``.
    names_in
        Where else the files seem to keep names, for messages; see `SpotCounts`.

    Raises
    ------
    InputError
        If fewer than half of the genes have such a name in the files, or the names are row numbers.
    """
    own = genes["name"].astype(str).map(gene_name)
    if ids == ENSEMBL:
        # The ids of flies or plants follow no common pattern, so a column of ids is used as it is.
        ids_given = _cells(genes["ensembl"])
        names_here = ids_given.where(ids_given != "", own.where(own.map(is_stable_id), "")).map(
            without_version
        )
        is_such = names_here != ""
        missing, remedy = "no Ensembl id", "genes.ids: symbol"
    else:
        # Genes without a symbol go by their id, as in Space Ranger's own output.
        symbols = _cells(genes["symbol"])
        names_here = symbols.where(symbols != "", own)
        is_such = (names_here != "") & ~names_here.map(is_stable_id)
        missing, remedy = "no symbol", "genes.ids: ensembl"
    if is_such.mean() < 0.5:
        raise InputError(
            f"of its {len(own)} genes ({', '.join(own[:3])} ...) only {is_such.sum()} have "
            f"{'an Ensembl id' if ids == ENSEMBL else 'a symbol'} in its files",
            expected=f"{'Ensembl ids' if ids == ENSEMBL else 'symbols'}, since genes.ids is {ids}",
            action=f"set {remedy} in config.yaml if all sections have those, or add these to the counts",
        )
    _refuse_row_numbers(names_here, names_in)
    _warn_of_dates(names_here)
    # No saved model could hold them, which would be told only after its training.
    odd = (names_here != "") & ~names_here.map(NAME.accepts)
    if odd.any():
        logger.warning(
            "%d genes are left out, as their names have < or >, characters that cannot be printed, or more "
            "than %d characters: %s",
            odd.sum(),
            LONGEST_NAME,
            ", ".join(map(shown, names_here[odd][:5])) + (" ..." if odd.sum() > 5 else ""),
        )
    has_name = ((names_here != "") & ~odd).to_numpy()
    names = unique_names(pd.Index(names_here[has_name]))
    changes = pd.DataFrame({"name": own, "gene": "", "change": "dropped", "reason": missing})
    changes.loc[odd, "reason"] = "a name that no model can hold"
    changes.loc[has_name, "gene"] = names
    renamed = changes["gene"].ne(names_here) & has_name
    changes.loc[renamed, ["change", "reason"]] = "renamed", "the name stands there more than once"
    return StudyGenes(has_name, names, changes[renamed | ~has_name].reset_index(drop=True))


def unique_names(names: pd.Index) -> pd.Index:
    """Make names unique as anndata and scanpy do: the first stays, the others get -1, -2 and so on."""
    originals, counters, unique = set(names), {}, []
    earlier: set[str] = set()
    for name in names:
        new = name
        while new in earlier or (new != name and new in originals):
            counters[name] = counters.get(name, 0) + 1
            new = f"{name}-{counters[name]}"
        earlier.add(new)
        unique.append(new)
    return pd.Index(unique)


def _refuse_row_numbers(names: pd.Series, names_in: str | None) -> None:
    """Refuse numbers of rows: gene 5 of one file is another gene than gene 5 of the next."""
    if are_row_numbers([name for name in names if name]):
        raise InputError(
            f"its {len(names)} genes are called {', '.join(names[:3])} ..., which are row numbers, not names",
            expected="names of genes, which mean the same in every file",
            action=f"make {names_in} the names of the genes, and write the file again"
            if names_in
            else "write the file again with the names of the genes",
        )


def _warn_of_dates(names: pd.Series) -> None:
    dates = [name for name in names if DATE.fullmatch(name)]
    if dates:
        logger.warning(
            "%d genes are called like dates (%s), which a spreadsheet makes of SEPT2 or MARCH1; two may have "
            "become one name. Take the names from the files that the table was made of",
            len(dates),
            ", ".join(dates[:5]) + (" ..." if len(dates) > 5 else ""),
        )


def _cells(column: pd.Series) -> pd.Series:
    return column.fillna("").astype(str).map(gene_name)
