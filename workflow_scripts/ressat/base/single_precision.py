"""Predictions as they are stored."""

from collections.abc import Mapping, Sequence

import numpy as np

from ressat.base.errors import InputError
from ressat.base.finite import is_finite, not_finite


def single_precision(
    layers: Mapping[str, np.ndarray], spots: Sequence[str], genes: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return layers of predictions as float32, all finite.

    Parameters
    ----------
    layers
        Shape (spots, genes) each, by name.
    spots, genes
        Their names.

    Raises
    ------
    InputError
        If a number is not finite, or too large for float32.
    """
    stored = {}
    for name, values in layers.items():
        with np.errstate(over="ignore"):
            stored[name] = values.astype(np.float32)
        if not is_finite(stored[name]):
            raise InputError(
                f"predictions, layer {name}: {not_finite(stored[name], spots, genes)}",
                expected="finite predictions",
                action="train the model or fit the baselines again (remove their file), and if it happens "
                "again, lower model.learning_rate in config.yaml",
            )
    return stored
