"""Predicting a section with a fold's baselines."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from ressat.base.layers import TUNED_RIDGE
from ressat.baselines.linear import FoldBaselines
from ressat.model.network import spot_interaction
from ressat.stats.neighbours import smoothed


def predict_baselines(
    baselines: FoldBaselines, read: Callable[[Sequence[str]], np.ndarray], coords: np.ndarray
) -> dict[str, np.ndarray]:
    """Predict all spots of one section with every baseline.

    Parameters
    ----------
    baselines
        The fold's baselines.
    read
        Gives the section's features of some layers, side by side, shape (spots, features).
    coords
        Centres of the spots, shape (spots, 2), in any unit.

    Returns
    -------
    dict of numpy.ndarray
        Those of ``baselines``, and the tuned ridge twice more: ``tuned_ridge_attended``, the same spot
        interaction as the model's in z units, and ``tuned_ridge_smoothed``, a Gaussian mean over
        neighbouring spots. log1p CP10k, float64, shape (spots, genes).
    """
    layers = {name: baseline.predict(read(baseline.layers)) for name, baseline in baselines.maps.items()}
    ridge = layers[TUNED_RIDGE]
    attended = spot_interaction(torch.from_numpy(baselines.targets.scale(ridge)))
    return layers | {
        f"{TUNED_RIDGE}_attended": baselines.targets.unscale(attended.numpy()),
        f"{TUNED_RIDGE}_smoothed": smoothed(ridge, coords, baselines.smoothing_width),
    }
