"""Training G with the dual loss: one run that can be advanced, watched and used."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ressat.base.device import processor
from ressat.base.errors import InputError
from ressat.model.inputs import InputSettings
from ressat.model.network import Head, HeadSettings, dual_loss
from ressat.model.scaler import DEAD_FEATURES_BELOW, Scaler
from ressat.model.section_data import SectionData
from ressat.model.trained_model import TrainedHead


@dataclass(frozen=True)
class TrainSettings:
    """How G is trained.

    Attributes
    ----------
    learning_rate, weight_decay
        Of AdamW.
    max_steps
        Upper bound on steps; each step uses one section.
    patience
        Steps without improvement on held-back spots after which the search for their number ends.
    spots_per_step
        The most spots of a section that a step uses; they are drawn anew in each step.
    seed
        Of weights, dropout, the order of sections and draws of spots.
    """

    learning_rate: float
    weight_decay: float
    max_steps: int
    patience: int
    spots_per_step: int
    seed: int


class Run:
    """A training run on some sections, advanced by a number of steps at a time.

    Parameters
    ----------
    sections
        The training sections, with the features of all layers.
    inputs, head, settings
        Of the model and its training.
    """

    def __init__(
        self,
        sections: list[SectionData],
        inputs: InputSettings,
        head: HeadSettings,
        settings: TrainSettings,
    ) -> None:
        # Without this setting cuBLAS has no deterministic matrix product; it is read when CUDA starts.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
        self.device = processor()
        self.inputs, self.seed, self.steps = inputs, settings.seed, 0
        self.spots_per_step = settings.spots_per_step
        self.learning_rate = settings.learning_rate
        read = [_read(inputs, data) for data in sections]
        self.features = Scaler.fit(read, DEAD_FEATURES_BELOW)
        self.targets = Scaler.fit([data.targets for data in sections])
        self.sections = [
            (self._tensor(self.features.scale(table)), self._tensor(self.targets.scale(data.targets)))
            for table, data in zip(read, sections, strict=True)
        ]
        self.order, self.queue = np.random.default_rng(settings.seed), []
        torch.manual_seed(settings.seed)
        width, genes = read[0].shape[1], sections[0].targets.shape[1]
        self.head = Head(width, genes, head).to(self.device)
        self.optimiser = torch.optim.AdamW(
            self.head.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )

    def advance(self, steps: int) -> tuple[float, float]:
        """Train further; return both loss terms, averaged over steps and members, in squared z units.

        Raises
        ------
        InputError
            If training diverged: a loss, or after it a weight, is not finite.
        """
        self.head.train()
        losses = []
        for _ in range(steps):
            if not self.queue:
                self.queue = self.order.permutation(len(self.sections)).tolist()
            x, y = self.sections[self.queue.pop()]
            self.steps += 1
            # Each step has dropout and spots of its own, whatever other runs are advanced in between.
            torch.manual_seed((self.seed << 32) + self.steps)
            spots = len(x)
            if spots > self.spots_per_step:
                sample = torch.randperm(spots)[: self.spots_per_step].to(self.device)
                x, y = x[sample], y[sample]
            # Members share nothing but the step: each minimises the dual loss alone.
            terms = torch.stack([torch.stack(dual_loss(y, member(x), spots)) for member in self.head.members])
            self.optimiser.zero_grad()
            terms.sum().backward()
            self.optimiser.step()
            losses.append(terms.mean(dim=0).tolist())
        # A step's loss is that of the weights before it: after the last, the weights have to be looked at.
        weights = [weight.sum(dtype=torch.float64) for weight in self.head.parameters()]
        self.refuse_divergence([*np.ravel(losses), *torch.stack(weights).tolist()])
        direct, attended = np.mean(losses, axis=0)
        return float(direct), float(attended)

    def refuse_divergence(self, values: Sequence[float]) -> None:
        """End training that is beyond repair.

        Parameters
        ----------
        values
            Losses or weights, or sums of them.

        Raises
        ------
        InputError
            If one of them is not finite.
        """
        if not np.isfinite(values).all():
            raise InputError(
                f"training diverged: after {self.steps} steps on {' and '.join(self.inputs.layers)} "
                "a loss or a weight is not finite",
                expected="losses that fall",
                action=f"lower model.learning_rate in config.yaml (it is {self.learning_rate:g})",
            )

    def reader(self, data: SectionData) -> torch.Tensor:
        """Return a section as this run's model reads it."""
        return self._tensor(self.features.scale(_read(self.inputs, data)))

    def direct(self, read: torch.Tensor) -> torch.Tensor:
        """Return yhat in z units, shape (spots, genes), from what `reader` returned; no dropout."""
        self.head.eval()
        with torch.inference_mode():
            return self.head(read)

    def state(self) -> dict[str, torch.Tensor]:
        """Return a copy of the weights as they are now, on the CPU."""
        return {name: tensor.to("cpu", copy=True) for name, tensor in self.head.state_dict().items()}

    def finish(
        self, state: Mapping[str, torch.Tensor] | None = None, steps: int | None = None
    ) -> TrainedHead:
        """Return the trained head; the run cannot be advanced after that.

        Parameters
        ----------
        state, steps
            Weights that `state` returned, and after how many steps; None for those of now.
        """
        if state is not None:
            self.head.load_state_dict(state)
        return TrainedHead(
            self.head.cpu().eval(),
            self.inputs,
            self.features,
            self.targets,
            self.steps if steps is None else steps,
        )

    def _tensor(self, table: np.ndarray) -> torch.Tensor:
        return torch.tensor(table, dtype=torch.float32, device=self.device)


def _read(inputs: InputSettings, data: SectionData) -> np.ndarray:
    """Return what G reads of a section with the features of all layers, float64, shape (spots, columns)."""
    return inputs.read(data.features[:, data.columns(inputs.layers)], data.coords)
