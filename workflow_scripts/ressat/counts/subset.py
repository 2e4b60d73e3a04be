"""The part of a file that the sheet's column ``subset`` names: one section of several."""

import difflib

import numpy as np
import pandas as pd

from ressat.base.errors import InputError
from ressat.counts.barcodes import are_made_unique, barcode_parts, endings, has_ending

# More values than this are not listed in a message.
MOST_LISTED = 8
# Between a column and its value.
EQUALS = "="


def subset_rows(subset: str | None, names: pd.Index, labels: pd.DataFrame) -> np.ndarray:
    """Tell which spots are of the part that the sheet names.

    Parameters
    ----------
    subset
        ``{column}={value}``, or what stands behind (or before) the barcodes; None for all spots.
    names
        Names of the spots.
    labels
        Columns of the file's table, a row per spot; without columns where the format has no table.

    Returns
    -------
    numpy.ndarray
        Boolean, shape (spots,).

    Raises
    ------
    InputError
        If it names no spot; the message lists what there is.
    """
    if subset is None:
        return np.ones(len(names), dtype=bool)
    if EQUALS in subset:
        return _rows_of_value(subset, labels)
    return rows_with_ending(subset, names)


def rows_with_ending(ending: str, names: pd.Index) -> np.ndarray:
    """Tell which barcodes have an ending, boolean; see `subset_rows`."""
    parts = barcode_parts(names)
    if parts is None:
        raise InputError(
            f"subset is {ending}, and its spots (first: {', '.join(names[:1])}) are not named by barcodes",
            expected="barcodes of 16 bases, with an ending that tells sections apart",
            action="name the part by a column of obs, such as batch=A, or leave the column subset empty",
        )
    marks = endings(parts)
    if marks.nunique() > 1 and are_made_unique(parts):
        raise InputError(
            f"subset is {ending}, and the endings of its barcodes ({counted(marks)}) only mark those that "
            "occur again",
            expected="endings that tell sections apart",
            action="name the part by a column of obs, such as batch=A, or write the section to its own file",
        )
    rows = has_ending(parts, ending)
    if not rows.any():
        raise InputError(
            f"subset is {ending}, and no barcode has this ending (there are {counted(marks)})",
            expected="one of these endings",
            action="correct the column subset",
        )
    return rows


def label_texts(column: pd.Series) -> pd.Series:
    """Return a column's values as the sheet writes them: text, whole numbers without a point."""
    values = column.astype(object).where(column.notna(), "")
    return values.map(lambda value: f"{value:.0f}" if _is_whole(value) else str(value).strip())


def counted(texts: pd.Series) -> str:
    """List the values of a column with the number of spots of each."""
    numbers = texts.value_counts(sort=False).sort_index()
    listed = [f"{text or 'none'}: {number} spots" for text, number in numbers.iloc[:MOST_LISTED].items()]
    more = len(numbers) - len(listed)
    return ", ".join(listed) + (f" and {more} more" if more else "")


def _rows_of_value(subset: str, labels: pd.DataFrame) -> np.ndarray:
    name, _, value = (part.strip() for part in subset.partition(EQUALS))
    if name not in labels:
        names = [str(column) for column in labels.columns]
        near = difflib.get_close_matches(name, names, n=1)
        listed = ", ".join(names[:MOST_LISTED]) + (" ..." if len(names) > MOST_LISTED else "")
        raise InputError(
            f"subset is {subset}, and obs has no column {name} (it has {listed or 'none'})",
            expected="a column of obs, and one of its values",
            action=f"correct the column subset; did you mean {near[0]}?"
            if near
            else "correct the column subset",
        )
    texts = label_texts(labels[name])
    rows = texts.eq(value).to_numpy()
    if not rows.any():
        raise InputError(
            f"subset is {subset}, and no spot has that value in obs['{name}'] (it has {counted(texts)})",
            expected="one of these values",
            action="correct the column subset",
        )
    return rows


def _is_whole(value: object) -> bool:
    return isinstance(value, float | np.floating) and float(value).is_integer()
