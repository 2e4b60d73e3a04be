"""What non-count values probably are."""

import numpy as np
from scipy import sparse

# How many spots are examined, spread over the section.
SPOTS = 200
# Spots' sums over genes count as equal if their relative spread is below this.
SAME_SUM = 1e-3
# How close to whole numbers the multiples of a spot's smallest value must be, and in what share of spots.
WHOLE, SPOT_SHARE = 0.02, 0.9
# Values beyond this multiple are ignored: float32 rounding errors grow with the multiple.
LARGEST_MULTIPLE = 50


def is_counts(values: sparse.csr_matrix) -> bool:
    """Tell whether all values are whole numbers of 0 or more, and not all of them 0."""
    data = values.data
    return bool(data.any() and np.isfinite(data).all() and (data >= 0).all() and (data % 1 == 0).all())


def describe(values: sparse.csr_matrix) -> str | None:
    """Say what values, shape (spots, genes), look like; None where some are not even finite."""
    data = values.data
    if not np.isfinite(data).all():
        return None
    if (data < 0).any():
        return "z-scores or otherwise centred values: some are negative"
    sample = np.unique(np.linspace(0, values.shape[0] - 1, SPOTS).round().astype(int))
    rows = [values.data[values.indptr[row] : values.indptr[row + 1]].astype(float) for row in sample]
    rows = [row[row > 0] for row in rows]
    rows = [row for row in rows if len(row) > 1]
    for undo, name in (
        (lambda row: row, "counts normalised per spot"),
        (np.expm1, "log1p-normalised counts"),
        (lambda row: np.exp2(row) - 1, "log2(x + 1)-normalised counts"),
    ):
        with np.errstate(over="ignore"):
            scaled = [undo(row) for row in rows]
            sums = np.array([row.sum() for row in scaled])
        if not len(sums) or not np.isfinite(sums).all():
            continue
        if len(sums) > 2 and sums.std() < SAME_SUM * sums.mean():
            total = sums.mean()
            return f"{name} ({'CP10k' if round(total) == 10_000 else f'{total:.5g} per spot'})"
        if np.mean([_is_multiple(row) for row in scaled]) > SPOT_SHARE:
            return name
    return "normalised values"


def _is_multiple(row: np.ndarray) -> bool:
    """Whether a spot's values are whole, or multiples of the smallest, usually that of one count."""
    for multiples in (row, row / row.min()):
        small = multiples[multiples < LARGEST_MULTIPLE]
        if len(small) and (np.abs(small - np.round(small)) < WHOLE).all():
            return True
    return False
