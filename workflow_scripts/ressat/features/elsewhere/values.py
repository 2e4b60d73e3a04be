"""The values of features that were made elsewhere, read block by block."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ressat.base.errors import InputError
from ressat.base.finite import is_finite, not_finite
from ressat.features.elsewhere.patches import features_of, opened_features

# Patches that are read together.
BLOCK_ROWS = 1024
# The largest feature that the cache holds, which is in half precision.
LARGEST = 65504


def feature_blocks(path: str | Path, columns: Mapping[str, slice]) -> Iterator[dict[str, np.ndarray]]:
    """Yield the features of all patches in order, by layer, float32 of shape (b, width).

    Parameters
    ----------
    path
        The file of features.
    columns
        Columns of each layer.
    """
    for block in _blocks(path):
        yield {name: block[:, part] for name, part in columns.items()}


def mean_and_some(
    path: str | Path, rows: np.ndarray, barcodes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean features of all patches, shape (width,), and those of some, shape (rows, width).

    Parameters
    ----------
    path
        The file of features.
    rows
        Numbers of patches, rising.
    barcodes
        Names of all patches, for messages.

    Raises
    ------
    InputError
        If a number is not finite, or too large for half precision.
    """
    total, count, some = 0.0, 0, []
    for block in _blocks(path):
        names = [f"patch {name}" for name in barcodes[count : count + len(block)]]
        largest = np.abs(block).max()
        if not is_finite(block) or largest > LARGEST:
            raise InputError(
                f"features: {not_finite(block, names) or f'the largest is {largest:g}'}",
                expected=f"finite features, at most {LARGEST}, the largest number in half precision",
                action="make the file again; half precision may have been too small for the network",
                file=path,
            )
        some.append(block[rows[(rows >= count) & (rows < count + len(block))] - count])
        total, count = total + block.sum(axis=0, dtype=np.float64), count + len(block)
    return total / count, np.concatenate(some)


def _blocks(path: str | Path) -> Iterator[np.ndarray]:
    with opened_features(path) as file:
        data = features_of(file)
        for start in range(0, len(data), BLOCK_ROWS):
            with np.errstate(over="ignore"):  # what becomes infinite is refused
                yield data[start : start + BLOCK_ROWS].astype(np.float32)
