"""The trained G: the mean of a head and a kernel, with what they need to predict."""

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch

from ressat.model.inputs import InputSettings
from ressat.model.kernel import KernelMap
from ressat.model.network import Head
from ressat.model.scaler import Scaler

# Spots that go through the head at a time.
BLOCK_SPOTS = 4096


@dataclass(frozen=True)
class TrainedHead:
    """A trained head.

    Attributes
    ----------
    network
        On the CPU, ready to predict.
    inputs
        What it reads.
    features, targets
        Scalers, fitted on the sections it learnt from.
    steps
        Number of training steps.
    """

    network: Head
    inputs: InputSettings
    features: Scaler
    targets: Scaler
    steps: int

    def predict(self, features: np.ndarray, coords_um: np.ndarray) -> np.ndarray:
        """Return expression in z units, computed in float64.

        Parameters
        ----------
        features
            Of the layers that it reads, shape (spots, features).
        coords_um
            Shape (spots, 2).

        Returns
        -------
        numpy.ndarray
            float64, shape (spots, genes).
        """
        read = self.inputs.read(features, coords_um)
        network = copy.deepcopy(self.network).double()
        blocks = [slice(first, first + BLOCK_SPOTS) for first in range(0, len(read), BLOCK_SPOTS)]
        with torch.inference_mode():
            rows = [network(torch.from_numpy(self.features.scale(read[block]))) for block in blocks]
        return torch.cat(rows).numpy()

    def then(self, matrix: np.ndarray) -> "TrainedHead":
        """Return the head whose predictions are this one's times a symmetric matrix, shape (genes, genes)."""
        network = copy.deepcopy(self.network)
        with torch.no_grad():
            for member in network.members:
                last = member[-1]
                last.weight.copy_(torch.from_numpy(matrix @ last.weight.double().numpy()))
                last.bias.copy_(torch.from_numpy(matrix @ last.bias.double().numpy()))
        return replace(self, network=network)


@dataclass(frozen=True)
class TrainedModel:
    """The trained G, and how its prediction and the attended one are combined.

    Attributes
    ----------
    head
        The head.
    kernel
        The kernel; None where it has no share.
    kernel_share
        Weight of the kernel in yhat, 0 to 1; the rest is the head's.
    attended_share
        Weight of A(yhat) in the combined layer, 0 to 1; the rest is yhat's.
    """

    head: TrainedHead
    kernel: KernelMap | None
    kernel_share: float
    attended_share: float

    def predict(self, features: np.ndarray, coords_um: np.ndarray) -> np.ndarray:
        """Return yhat in z units; see `TrainedHead.predict`."""
        yhat = self.head.predict(features, coords_um)
        if self.kernel is None:
            return yhat
        return (1 - self.kernel_share) * yhat + self.kernel_share * self.kernel.predict(features, coords_um)
