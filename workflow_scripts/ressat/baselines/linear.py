"""A fold's fitted baselines, linear maps and a kernel, and the file that holds them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ressat.base.errors import InputError
from ressat.base.files import FORMAT_VERSION, check_version
from ressat.base.finite import is_finite, not_finite
from ressat.base.hdf5_file import new_hdf5
from ressat.base.layers import EXPRESSION_UNIT
from ressat.base.own_file import damaged, own_file
from ressat.baselines.kernel import KernelBaseline
from ressat.model.inputs import InputSettings
from ressat.model.scaler import Scaler

MAPS, KERNEL, TARGETS, GENES = "maps", "kernel", "targets", "genes"
INPUTS = ("layers", "context_um")


@dataclass(frozen=True)
class LinearBaseline:
    """A linear map from features to expression.

    Attributes
    ----------
    inputs
        Feature layers that are read, side by side, none for a constant prediction; and the context that their
        features are averaged with.
    weights
        Shape (features, genes).
    intercept
        Shape (genes,), in the study's unit of expression.
    settings
        Settings, and their score within the training sections.
    """

    inputs: InputSettings
    weights: np.ndarray
    intercept: np.ndarray
    settings: dict[str, float]

    def predict(self, features: np.ndarray, coords_um: np.ndarray) -> np.ndarray:
        """Predict all spots of one section.

        Parameters
        ----------
        features
            Of the layers that it reads, shape (spots, features).
        coords_um
            Shape (spots, 2).

        Returns
        -------
        numpy.ndarray
            In the study's unit of expression, float64, shape (spots, genes).
        """
        return self.inputs.read(features, coords_um) @ self.weights + self.intercept


@dataclass(frozen=True)
class FoldBaselines:
    """All baselines of a fold.

    Attributes
    ----------
    genes
        Names of the predicted genes.
    sections
        Training sections that all this was fitted on.
    maps
        By name.
    kernel
        The model's kernel alone.
    targets
        Mean and standard deviation of each gene over the training spots: attention acts in z units.
    smoothing_width
        Of the Gaussian that smooths the tuned ridge, in spot pitches.
    unit
        That they predict.
    """

    genes: list[str]
    sections: list[str]
    maps: Mapping[str, LinearBaseline]
    kernel: KernelBaseline
    targets: Scaler
    smoothing_width: float
    unit: str = EXPRESSION_UNIT

    def write(self, path: str | Path) -> None:
        """Write the file described in docs/outputs.md, as a whole.

        Raises
        ------
        InputError
            If a number is not finite.
        """
        problem = self._problem()
        if problem is not None:
            raise InputError(
                f"the fitted baselines: {problem}",
                expected="finite numbers",
                action="look for a training section whose features or counts are beyond all others",
                file=path,
            )
        with new_hdf5(path) as file:
            file.create_dataset(GENES, data=np.array(self.genes, dtype=object), dtype=h5py.string_dtype())
            for name, baseline in self.maps.items():
                group = file.create_group(f"{MAPS}/{name}")
                group["weights"], group["intercept"] = baseline.weights, baseline.intercept
                group.attrs.update(
                    layers=json.dumps(baseline.inputs.layers),
                    context_um=baseline.inputs.context_um,
                    **baseline.settings,
                )
            self.kernel.write(file.create_group(KERNEL))
            file[f"{TARGETS}/mean"], file[f"{TARGETS}/sd"] = self.targets.mean, self.targets.sd
            file.attrs.update(
                sections=json.dumps(self.sections),
                smoothing_width=self.smoothing_width,
                unit=self.unit,
                version=FORMAT_VERSION,
            )

    def _problem(self) -> str | None:
        """Say which map does not fit the genes, or has numbers that are not finite; None if none."""
        number = len(self.genes)
        tables = {"targets, mean": self.targets.mean, "targets, standard deviation": self.targets.sd}
        tables |= {f"{name}, intercept": baseline.intercept for name, baseline in self.maps.items()}
        tables |= {f"{name}, weights": baseline.weights for name, baseline in self.maps.items()}
        tables |= {f"kernel, {name}": values for name, values in self.kernel.tables.items()}
        for name, values in tables.items():
            if values.shape[-1:] != (number,):
                return f"{name}: the shape is {values.shape}, and there are {number} genes"
            if not is_finite(values):
                return f"{name}: {not_finite(values)}"
        if not (self.targets.sd > 0).all() or not 0 < self.smoothing_width < math.inf:
            return "a standard deviation or the width of smoothing is not above 0"
        return None

    @classmethod
    def read(cls, path: str | Path) -> "FoldBaselines":
        """Read the file that `write` wrote.

        Raises
        ------
        InputError
            If the file is damaged or of another version of the format.
        """
        with own_file(path), h5py.File(path) as file:
            check_version(dict(file.attrs), path)
            maps = {}
            for name, group in file[MAPS].items():
                settings = {key: float(value) for key, value in group.attrs.items() if key not in INPUTS}
                inputs = InputSettings(
                    tuple(json.loads(group.attrs["layers"])), float(group.attrs["context_um"])
                )
                maps[name] = LinearBaseline(inputs, group["weights"][()], group["intercept"][()], settings)
            baselines = cls(
                genes=file[GENES].asstr()[()].tolist(),
                sections=json.loads(file.attrs["sections"]),
                maps=maps,
                kernel=KernelBaseline.read(file[KERNEL]),
                targets=Scaler(file[f"{TARGETS}/mean"][()], file[f"{TARGETS}/sd"][()]),
                smoothing_width=float(file.attrs["smoothing_width"]),
                unit=str(file.attrs["unit"]),
            )
            problem = baselines._problem()
            if problem is not None:
                raise damaged(problem)
        return baselines
