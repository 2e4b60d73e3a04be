"""The model's kernel alone, as a baseline, and its part of the file of baselines."""

import json
from dataclasses import dataclass

import h5py
import numpy as np

from ressat.model.inputs import InputSettings
from ressat.model.kernel import KernelMap, LandmarkBlock, Landmarks
from ressat.model.scaler import Scaler


@dataclass(frozen=True)
class KernelBaseline:
    """A kernel map from features to expression.

    Attributes
    ----------
    inputs
        Feature layers and context that it reads.
    fitted
        The map, to z units.
    targets
        Mean and deviation of each gene.
    """

    inputs: InputSettings
    fitted: KernelMap
    targets: Scaler

    def predict(self, features: np.ndarray, coords_um: np.ndarray) -> np.ndarray:
        """Return expression; see `ressat.baselines.linear.LinearBaseline.predict`."""
        return self.targets.unscale(self.fitted.predict(features, coords_um))

    @property
    def tables(self) -> dict[str, np.ndarray]:
        """What must have a column for each gene."""
        return {"weights": self.fitted.weights, "intercept": self.fitted.intercept}

    def write(self, group: h5py.Group) -> None:
        """Write into a group of its own."""
        group.attrs.update(layers=json.dumps(self.inputs.layers), context_um=self.inputs.context_um)
        group["weights"], group["intercept"] = self.fitted.weights, self.fitted.intercept
        group["targets/mean"], group["targets/sd"] = self.targets.mean, self.targets.sd
        for place, block in enumerate(self.fitted.landmarks.blocks):
            part = group.create_group(f"blocks/{place}")
            part["mean"], part["sd"] = block.scaler.mean, block.scaler.sd
            part["landmarks"] = block.landmarks
            part.attrs["width"] = block.width

    @classmethod
    def read(cls, group: h5py.Group) -> "KernelBaseline":
        """Read what `write` wrote."""
        inputs = InputSettings(tuple(json.loads(group.attrs["layers"])), float(group.attrs["context_um"]))
        parts = [group[f"blocks/{place}"] for place in range(len(group["blocks"]))]
        blocks = tuple(
            LandmarkBlock(
                Scaler(part["mean"][()], part["sd"][()]), part["landmarks"][()], float(part.attrs["width"])
            )
            for part in parts
        )
        landmarks = Landmarks(inputs.context_um, blocks)
        fitted = KernelMap(landmarks, group["weights"][()], group["intercept"][()])
        return cls(inputs, fitted, Scaler(group["targets/mean"][()], group["targets/sd"][()]))
