"""Whether the arrays of a sparse matrix fit together; compiled code that uses them does not look."""

import numpy as np
from scipy import sparse

from ressat.base.errors import InputError


def refuse_damaged(values: object, name: str) -> None:
    """Refuse a sparse matrix whose arrays contradict one another.

    Such a matrix crashes scipy, or gives counts to other genes: a negative column counts from the end, and
    one beyond the last reads whatever follows in memory.

    Parameters
    ----------
    values
        A matrix; one that is not CSR or CSC is not looked at.
    name
        What it is called in its file, for the message.

    Raises
    ------
    InputError
        If it is so.
    """
    if not sparse.issparse(values) or values.format not in ("csr", "csc"):
        return
    fault = _fault(values)
    if fault is not None:
        raise InputError(
            f"{name} is damaged: {fault}",
            expected="a sparse matrix whose data, indices and indptr fit together",
            action="copy the file again from where it came, or write it again from the raw counts",
        )


def is_sorted(values: sparse.csr_matrix | sparse.csc_matrix) -> bool:
    """Tell whether each row of CSR (column of CSC) has its indices in order, each once.

    Parameters
    ----------
    values
        A matrix that is not damaged; see `refuse_damaged`.
    """
    rises = np.diff(values.indices.astype(np.int64)) > 0
    # From the last entry of a row to the first of the next one they may fall.
    ends = values.indptr[1:-1].astype(np.int64) - 1
    rises[ends[(ends >= 0) & (ends < len(rises))]] = True
    return bool(rises.all())


def _fault(values: sparse.csr_matrix | sparse.csc_matrix) -> str | None:
    """What is wrong, as a clause; None if nothing is."""
    lines, line = ("rows", "row") if values.format == "csr" else ("columns", "column")
    crossing = "column" if values.format == "csr" else "row"
    number, width = values.shape if values.format == "csr" else values.shape[::-1]
    indptr, indices, data = values.indptr, values.indices, values.data
    for part, array in (("indptr", indptr), ("indices", indices)):
        if array.ndim != 1 or array.dtype.kind not in "iu":
            return f"its {part} is {array.dtype} of shape {array.shape}"
    if len(indptr) != number + 1:
        return f"its indptr has {len(indptr)} entries for {number} {lines}"
    if len(data) != len(indices):
        return f"{len(data)} values (data) for {len(indices)} places (indices)"
    if indptr[0] != 0:
        return f"its indptr begins with {indptr[0]}, not 0"
    falling = np.flatnonzero(indptr[1:] < indptr[:-1])
    if len(falling):
        return (
            f"its indptr falls in {line} {falling[0]} from {indptr[falling[0]]} to {indptr[falling[0] + 1]}"
        )
    if indptr[-1] > len(data):
        return f"its indptr speaks of {indptr[-1]} values, and there are {len(data)}"
    # Room behind the last value is allowed, but not values without any indptr.
    if len(data) and not indptr[-1]:
        return f"its indptr is all 0, and there are {len(data)} values"
    if len(indices) and (indices.min() < 0 or indices.max() >= width):
        odd = indices[(indices < 0) | (indices >= width)]
        return f"{len(odd)} of its values are in {crossing}s that it does not have ({odd[0]} of {width})"
    return None
