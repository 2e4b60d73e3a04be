"""Names that are no names: the numbers of a table's rows, which say nothing of what a row is."""

import re
from collections.abc import Sequence

import pandas as pd

# A whole number, perhaps with zeros before or behind it, or with what R puts before a name that is a number.
NUMBER = re.compile(r"[VX]?0*(\d{1,9})(?:\.0*)?")
# Genes numbered in a table of which some rows were left out since. NCBI's gene ids are numbers too, but of so
# many genes some are larger.
MANY, LARGEST_ROW = 500, 100_000
# Share of a column's values that must differ for it to hold names.
MOSTLY = 0.9
# What columns with gene names are mostly called; of several that fit, one of these is proposed.
LIKELY = re.compile(r"gene|symbol|name|feature|index|id", re.IGNORECASE)


def are_row_numbers(names: Sequence[str]) -> bool:
    """Tell whether names are the numbers of rows: 0 to n-1 or 1 to n, in any order, perhaps with gaps.

    Parameters
    ----------
    names
        Of all genes; two or more.
    """
    matches = [NUMBER.fullmatch(name.strip()) for name in names]
    if len(matches) < 2 or not all(matches):
        return False
    numbers = {int(match[1]) for match in matches}
    # Tables that were joined repeat their numbers, and genes may have been left out since, but not most.
    return max(numbers) <= 2 * len(numbers) or (len(numbers) >= MANY and max(numbers) < LARGEST_ROW)


def column_of_names(table: pd.DataFrame) -> str | None:
    """Find the column that probably holds the names of a table's rows.

    Parameters
    ----------
    table
        Such as ``var`` of AnnData.

    Returns
    -------
    str or None
        The column's name; None if no column holds texts that differ from row to row.
    """
    likely = [str(name) for name in table.columns if _holds_names(table[name])]
    return next((name for name in likely if LIKELY.search(name)), next(iter(likely), None))


def _holds_names(column: pd.Series) -> bool:
    texts = [cell.strip() for cell in column if isinstance(cell, str) and cell.strip()]
    if len(texts) < MOSTLY * len(column) or len(set(texts)) < MOSTLY * len(column):
        return False
    return sum(re.search(r"[^\W\d_]", text) is not None for text in texts) > len(texts) / 2
