"""The trained G, with what it needs to predict."""

from dataclasses import dataclass

import numpy as np

from ressat.model.network import Head
from ressat.model.scaler import Scaler
from ressat.stats.neighbours import with_context


@dataclass(frozen=True)
class InputSettings:
    """What G reads of a section's features.

    Attributes
    ----------
    layers
        Feature layers, side by side.
    context_um
        Standard deviation of the Gaussian mean of neighbours that each spot's features are averaged with,
        see `ressat.stats.neighbours.with_context`; 0 for the spot's own features alone.
    """

    layers: tuple[str, ...]
    context_um: float

    def read(self, features: np.ndarray, coords_um: np.ndarray) -> np.ndarray:
        """Return float64, shape (spots, columns), from features of these layers and places in um."""
        return with_context(features, coords_um, self.context_um)


@dataclass(frozen=True)
class TrainedHead:
    """The trained G, with what it needs to predict.

    Attributes
    ----------
    head
        On the CPU, ready to predict.
    inputs
        What it reads.
    features, targets
        Scalers, fitted on the sections it learnt from.
    attended_share
        Weight of A(yhat) in the combined layer, 0 to 1; the rest is yhat's.
    steps
        Number of training steps.
    """

    head: Head
    inputs: InputSettings
    features: Scaler
    targets: Scaler
    attended_share: float
    steps: int
