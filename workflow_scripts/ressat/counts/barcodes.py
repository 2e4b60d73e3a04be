"""Barcodes as files name spots: what says the place on the array, and what tools write around it."""

import re

import numpy as np
import pandas as pd

# 16 bases name a spot of Visium, a size, row and column a bin of Visium HD.
BARCODE = re.compile(r"(.*?)((?<![ACGT])[ACGT]{16}(?![ACGT])|s_\d{3}um_\d{5}_\d{5})(.*)", re.DOTALL)
# What Space Ranger writes behind a barcode.
GEM_GROUP = re.compile(r"-\d+")
# What anndata writes behind a name that occurs again.
MADE_UNIQUE = re.compile(r"-\d+")


def barcode_parts(names: pd.Index) -> pd.DataFrame | None:
    """Divide names into a barcode's place and what stands before and behind it.

    Parameters
    ----------
    names
        Names of spots.

    Returns
    -------
    pandas.DataFrame or None
        ``before``, ``place`` (bases or bin) and ``behind``, a row per name; None if a name is no barcode.
    """
    matches = [BARCODE.fullmatch(name) for name in names]
    if not matches or not all(matches):
        return None
    columns = ["before", "place", "behind"]
    return pd.DataFrame([match.groups() for match in matches], columns=columns, dtype=object)


def endings(parts: pd.DataFrame) -> pd.Series:
    """Return what stands around each barcode: what is behind it, or before it, where that alone differs.

    Where both differ, they are joined by a ``*``.
    """
    if parts["before"].nunique() <= 1:
        return parts["behind"]
    if parts["behind"].nunique() <= 1:
        return parts["before"]
    return parts["before"] + "*" + parts["behind"]


def has_ending(parts: pd.DataFrame, ending: str) -> np.ndarray:
    """Tell around which barcodes something stands, boolean; see `endings`."""
    joined = parts["before"] + "*" + parts["behind"]
    return (parts["behind"].eq(ending) | parts["before"].eq(ending) | joined.eq(ending)).to_numpy()


def are_made_unique(parts: pd.DataFrame) -> bool:
    """Tell whether a number only marks names that occur again (anndata's ``obs_names_make_unique``).

    Such endings do not tell sections apart: a barcode that only the second section has is as in the first.
    """
    marks = endings(parts)
    # Most pairs of endings are not of this kind, and then no places need to be compared.
    if not any(_is_numbered(mark, other) for mark in marks.unique() for other in marks.unique()):
        return False
    places = {mark: set(parts["place"][marks == mark]) for mark in marks.unique()}
    return any(
        _is_numbered(mark, other) and places[other] <= places[mark] for mark in places for other in places
    )


def may_be_made_unique(parts: pd.DataFrame) -> bool:
    """Tell whether all endings are the shortest one, or that and a number, and no place occurs twice."""
    marks = endings(parts).unique()
    shortest = min(marks, key=len)
    numbered = all(mark == shortest or _is_numbered(shortest, mark) for mark in marks)
    return numbered and not parts["place"].duplicated().any()


def _is_numbered(mark: str, other: str) -> bool:
    """Whether an ending is another one with a number behind."""
    return other.startswith(mark) and MADE_UNIQUE.fullmatch(other[len(mark) :]) is not None


def plain_names(names: pd.Index) -> pd.Index:
    """Return barcodes without what other tools wrote around them; names that are none stay as they are."""
    parts = barcode_parts(names)
    if parts is None or parts["place"].duplicated().any():
        return names
    groups = [match[0] if (match := GEM_GROUP.match(text)) else "" for text in parts["behind"]]
    return pd.Index(parts["place"] + pd.Series(groups, dtype=object), name=names.name)
