"""Are all numbers of an array finite? One pass, without a copy."""

from collections.abc import Sequence

import numpy as np

# Rows that are looked at together once something is wrong.
BLOCK_ROWS = 1024


def is_finite(values: np.ndarray) -> bool:
    """Tell whether no number is nan or infinite; whole numbers always are."""
    if not np.issubdtype(values.dtype, np.inexact):
        return True
    # In double precision, where a sum of halves or singles cannot overflow; one of doubles may.
    with np.errstate(over="ignore", invalid="ignore"):
        total = values.sum(dtype=np.float64)
    return bool(np.isfinite(total) or np.isfinite(values).all())


def not_finite(
    values: np.ndarray, rows: Sequence[object] | None = None, columns: Sequence[object] | None = None
) -> str | None:
    """Say which numbers are not finite; None where all are.

    Parameters
    ----------
    values
        Any shape; `rows` and `columns` name the places along the first two axes.
    rows, columns
        Such as ``["spot AAAC-1", ...]`` and ``["gene TP53", ...]``.

    Returns
    -------
    str or None
        Such as ``2 of 600 numbers are not finite (the first is nan, at spot AAAC-1, gene TP53)``.
    """
    if is_finite(values):
        return None
    table = values.reshape(len(values), -1) if values.ndim else values.reshape(1, 1)
    number, first = 0, None
    for start in range(0, len(table), BLOCK_ROWS):
        odd = ~np.isfinite(table[start : start + BLOCK_ROWS])
        number += int(odd.sum())
        if first is None and odd.any():
            row, column = np.unravel_index(int(odd.argmax()), odd.shape)
            first = start + int(row), int(column)
    row, column = first
    place = [str(rows[row]) if rows is not None else f"row {row + 1}"] if values.ndim else []
    if values.ndim > 1:
        place.append(str(columns[column]) if columns is not None else f"column {column + 1}")
    at = f", at {', '.join(place)}" if place else ""
    return f"{number} of {values.size} numbers are not finite (the first is {table[row, column]:g}{at})"
