"""model.pt: everything that is needed to use a trained model without its training data."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from ressat.base.errors import InputError, about
from ressat.base.files import FORMAT_VERSION, replacing
from ressat.counts.expression_unit import LOG1P_CP10K, ExpressionUnit
from ressat.encoders.layer_names import encoders_of, parted_name
from ressat.model.bundle_check import check_content, read_bundle
from ressat.model.inputs import InputSettings
from ressat.model.kernel import KernelMap, LandmarkBlock, Landmarks
from ressat.model.network import Head, HeadSettings
from ressat.model.reliability import Reliability
from ressat.model.scaler import Scaler
from ressat.model.trained_model import TrainedHead, TrainedModel

# Where a model's input features must agree with those it was trained on, and what messages call it.
AGREEMENT = {
    "weights_sha256": "the encoder's weights (sha256)",
    "tile_um": "the tile size (um)",
    "tile_px": "the tile size (px)",
    "stain": "the stain method",
    "stain_target": "what stains were normalised to",
}


@dataclass(frozen=True)
class Bundle:
    """A trained model with everything needed to use it.

    Attributes
    ----------
    trained
        G and its scalers.
    settings
        Shape of the head.
    genes
        Names of the predicted genes, in order.
    ranks
        Ranks of the genes in the training sections, by name of each way of choosing a panel.
    requires
        Values of the entries of `AGREEMENT`.
    provenance
        How the model was made: fold, sections, what was tried and chosen, seed, config hash, encoder.
    unit
        The unit of expression that it predicts.
    reliability
        What is known of how well it predicts each gene; None of models saved before there was that.
    """

    trained: TrainedModel
    settings: HeadSettings
    genes: list[str]
    ranks: dict[str, list[float]]
    requires: dict
    provenance: dict
    unit: ExpressionUnit = LOG1P_CP10K
    reliability: Reliability | None = None

    def write(self, path: str | Path) -> None:
        """Save as a whole; only tensors, text and numbers, so that no code is unpickled on loading.

        Raises
        ------
        InputError
            If an entry is not what it must be, such as a weight that is not finite.
        """
        head = self.trained.head
        scalers = {"features": head.features, "targets": head.targets}
        content = {
            "version": FORMAT_VERSION,
            "head": head.network.state_dict(),
            "settings": asdict(self.settings),
            "inputs": {**asdict(head.inputs), "layers": list(head.inputs.layers)},
            "kernel": _kernel_content(self.trained),
            "attended_share": self.trained.attended_share,
            "steps": head.steps,
            "scalers": {name: _tensors(vars(scaler)) for name, scaler in scalers.items()},
            "genes": list(self.genes),
            "ranks": self.ranks,
            "requires": self.requires,
            "provenance": self.provenance,
            "unit": dict(vars(self.unit)),
            "reliability": self.reliability and self.reliability.content,
        }
        # What would be refused on reading is not written.
        with about(file=path):
            check_content(content)
        # Given a path, torch would write the temporary name into the file, which then differs in every run.
        with replacing(path) as temporary, open(temporary, "wb") as file:
            torch.save(content, file)

    @classmethod
    def read(cls, path: str | Path) -> "Bundle":
        """Load a bundle.

        Raises
        ------
        InputError
            If the file is not a bundle, is one of another version, or an entry of it is not what it must be;
            see `ressat.model.bundle_check`.
        """
        content = read_bundle(path)
        scalers = {name: _scaler(parts) for name, parts in content["scalers"].items()}
        settings = HeadSettings(**content["settings"])
        network = Head(len(scalers["features"].mean), len(content["genes"]), settings)
        network.load_state_dict(content["head"])
        inputs = InputSettings(tuple(content["inputs"]["layers"]), content["inputs"]["context_um"])
        head = TrainedHead(network.eval(), inputs, **scalers, steps=content["steps"])
        kernel, share = None, 0.0
        if content["kernel"] is not None:
            kernel, share = _kernel(content["kernel"], inputs.context_um), content["kernel"]["share"]
        trained = TrainedModel(head, kernel, share, content["attended_share"])
        rest = {name: content[name] for name in ("genes", "ranks", "requires", "provenance")}
        return cls(
            trained,
            settings,
            **rest,
            unit=ExpressionUnit(**content["unit"]),
            reliability=Reliability.of(content["reliability"]),
        )

    def encoders_among(self, study: Sequence[str]) -> list[str]:
        """Return the names of the encoders whose features the model reads.

        Parameters
        ----------
        study
            Those of the study; a model of one encoder reads the first, whatever its name.

        Raises
        ------
        InputError
            If the study lacks one.
        """
        read = encoders_of(self.trained.head.inputs.layers)
        for name in read:
            if name not in study:
                raise InputError(
                    f"the model reads the encoder {name}, and the study has {' and '.join(study)}",
                    expected=f"the encoders {' and '.join(read)} under features.encoders",
                    action="name them as the study did that trained the model",
                )
        return read or list(study[:1])

    def check_widths(self, encoders: Mapping[str, Mapping[str, int]]) -> None:
        """Refuse encoders that do not have the layers that the model reads, or not as wide.

        Parameters
        ----------
        encoders
            Widths of the layers of the encoders that it reads, by name; the first is that of plain names.

        Raises
        ------
        InputError
            Naming the layer, or both widths.
        """
        width = 0
        for name in self.trained.head.inputs.layers:
            encoder, layer = parted_name(name)
            widths = encoders[encoder or next(iter(encoders))]
            if layer not in widths:
                raise InputError(
                    f"the model reads the layer {name}, and the encoder has {', '.join(widths)}",
                    expected="the encoder that it was trained with",
                    action="set features in config.yaml as for the model, or train another",
                )
            width += widths[layer]
        number = len(self.trained.head.features.mean)
        if width != number:
            raise InputError(
                f"the layers that the model reads have {width} features, and it was trained on {number}",
                expected="the encoder that it was trained with",
                action="set features in config.yaml as for the model, or train another",
            )

    def check(self, features: dict) -> None:
        """Refuse features, or settings, that the model was not trained for.

        Parameters
        ----------
        features
            Entries of `AGREEMENT`; those that are missing are not compared.

        Raises
        ------
        InputError
            Naming the first entry that differs.
        """
        for name, words in AGREEMENT.items():
            required = self.requires[name]
            if name in features and not _equal(features[name], required):
                raise InputError(
                    f"{words} is {features[name]}, the model was trained with {required}",
                    expected="features made as for the model's training",
                    action="set tiling, stain and features in config.yaml as for the model, or train another",
                )

    def check_unit(self, unit: ExpressionUnit) -> None:
        """Refuse a study whose unit of expression is not the model's.

        Raises
        ------
        InputError
            Naming both.
        """
        if unit != self.unit:
            depth = "" if self.unit.depth is None else f", depth: {self.unit.depth}"
            raise InputError(
                f"expression is in {unit.words}, the model predicts {self.unit.words}",
                expected="the unit that the model was trained in",
                action=f"set expression: {{unit: {self.unit.name}{depth}}} in config.yaml, or train another",
            )


def _kernel_content(trained: TrainedModel) -> dict | None:
    if trained.kernel is None:
        return None
    return {
        "share": trained.kernel_share,
        **_tensors({"weights": trained.kernel.weights, "intercept": trained.kernel.intercept}),
        "blocks": [
            {**_tensors({**vars(block.scaler), "landmarks": block.landmarks}), "width": block.width}
            for block in trained.kernel.landmarks.blocks
        ],
    }


def _kernel(content: dict, context_um: float) -> KernelMap:
    blocks = tuple(
        LandmarkBlock(_scaler(block), block["landmarks"].numpy(), block["width"])
        for block in content["blocks"]
    )
    return KernelMap(Landmarks(context_um, blocks), content["weights"].numpy(), content["intercept"].numpy())


def _tensors(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.array(value, order="C")) for name, value in arrays.items()}


def _scaler(tensors: dict[str, torch.Tensor]) -> Scaler:
    return Scaler(tensors["mean"].numpy(), tensors["sd"].numpy())


def settings_hash(settings: dict) -> str:
    """Return a SHA-256 over the settings that a model depends on, the same for the same settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _equal(value: object, required: object) -> bool:
    if isinstance(required, float):
        return bool(np.isclose(value, required, rtol=1e-6))
    return value == required
