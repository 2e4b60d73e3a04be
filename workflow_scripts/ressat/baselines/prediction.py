"""Predicting a section with a fold's baselines."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from ressat.base.layers import TUNED_KERNEL, TUNED_RIDGE
from ressat.baselines.linear import FoldBaselines
from ressat.model.network import spot_interaction
from ressat.stats.neighbours import smoothed


def predict_baselines(
    baselines: FoldBaselines, read: Callable[[Sequence[str]], np.ndarray], coords_um: np.ndarray
) -> dict[str, np.ndarray]:
    """Predict all spots of one section with every baseline.

    Parameters
    ----------
    baselines
        The fold's baselines.
    read
        Gives the section's features of some layers, side by side, shape (spots, features).
    coords_um
        Centres of the spots, shape (spots, 2).

    Returns
    -------
    dict of numpy.ndarray
        Those of ``baselines``, and the tuned ridge twice more: ``tuned_ridge_attended``, the same spot
        interaction as the model's in z units, and ``tuned_ridge_smoothed``, a Gaussian mean over
        neighbouring spots. In the study's unit of expression, float64, shape (spots, genes).
    """
    by_name = {**baselines.maps, TUNED_KERNEL: baselines.kernel}
    layers = {
        name: baseline.predict(read(baseline.inputs.layers), coords_um) for name, baseline in by_name.items()
    }
    ridge = layers[TUNED_RIDGE]
    attended = spot_interaction(torch.from_numpy(baselines.targets.scale(ridge)))
    return layers | {
        f"{TUNED_RIDGE}_attended": baselines.targets.unscale(attended.numpy()),
        f"{TUNED_RIDGE}_smoothed": smoothed(ridge, coords_um, baselines.smoothing_width),
    }
