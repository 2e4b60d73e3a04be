"""The part of a study's settings that training and baselines are told."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelSettings:
    """Settings of the model, as its rules need them.

    Attributes
    ----------
    model
        The section ``model`` of config.yaml.
    seed
        Of the study.
    """

    model: Mapping
    seed: int

    @property
    def candidates(self) -> list[dict]:
        """Settings in which the models to try differ, the config's own first; see `ressat.model.tuning`."""
        models = [self.model | changes for changes in ({}, *self.model["candidates"])]
        head = ("hidden", "dropout", "members")
        return [
            {"layers": one["layers"], "context": one["context"], "head": {name: one[name] for name in head}}
            for one in models
        ]

    @property
    def baseline_inputs(self) -> dict:
        """What baselines read that read what the model does, see `ressat.baselines.fitting.ModelInputs`."""
        reads = {name: self.model[name] for name in ("context", "components")}
        return {"layers": tuple(self.model["layers"]), **reads, "seed": self.seed}

    @property
    def mixture(self) -> dict:
        """What G may be put together from, see `ressat.model.mixture.MixtureSettings`."""
        return {"kernel_shares": tuple(self.model["kernel"]), "components": self.model["components"]}

    @property
    def training(self) -> dict[str, float]:
        """Settings of the optimiser."""
        names = ("learning_rate", "weight_decay", "max_steps", "patience", "spots_per_step")
        return {name: self.model[name] for name in names}
