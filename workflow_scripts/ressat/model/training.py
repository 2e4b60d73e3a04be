"""Training G with the dual loss: one run that can be advanced, watched and used."""

import os
from dataclasses import dataclass

import numpy as np
import torch

from ressat.base.device import processor
from ressat.model.network import Head, HeadSettings, dual_loss
from ressat.model.section_data import DEAD_FEATURES_BELOW, Scaler, SectionData, layer_columns
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

    def read_section(self, data: SectionData) -> np.ndarray:
        """Return float64, shape (spots, columns), of a section with the features of all layers."""
        return self.read(data.features[:, layer_columns(self.layers)], data.coords)


@dataclass(frozen=True)
class TrainSettings:
    """How G is trained.

    Attributes
    ----------
    learning_rate, weight_decay
        Of AdamW.
    max_steps
        Upper bound; a step is one section.
    patience
        Steps without improvement on held-back spots after which their number is chosen.
    spots_per_step
        At most so many spots of the section, drawn anew in each step.
    seed
        Of weights, dropout, the order of sections and draws of spots.
    """

    learning_rate: float
    weight_decay: float
    max_steps: int
    patience: int
    spots_per_step: int
    seed: int


@dataclass(frozen=True)
class TrainedHead:
    """G with what belongs to it.

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
        Of training.
    """

    head: Head
    inputs: InputSettings
    features: Scaler
    targets: Scaler
    attended_share: float
    steps: int


class Run:
    """A training run on some sections, advanced by a number of steps at a time.

    Parameters
    ----------
    sections
        To learn from, with the features of all layers.
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
        read = [inputs.read_section(data) for data in sections]
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
        """Train on; return both loss terms, their mean over the steps and members, in squared z units."""
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
                drawn = torch.randperm(spots)[: self.spots_per_step].to(self.device)
                x, y = x[drawn], y[drawn]
            # Members share nothing but the step: each minimises the dual loss alone.
            terms = torch.stack([torch.stack(dual_loss(y, member(x), spots)) for member in self.head.members])
            self.optimiser.zero_grad()
            terms.sum().backward()
            self.optimiser.step()
            losses.append(terms.mean(dim=0).tolist())
        direct, attended = np.mean(losses, axis=0)
        return float(direct), float(attended)

    def reader(self, data: SectionData) -> torch.Tensor:
        """Return a section as this run's model reads it."""
        return self._tensor(self.features.scale(self.inputs.read_section(data)))

    def direct(self, read: torch.Tensor) -> torch.Tensor:
        """Return yhat in z units, shape (spots, genes), of what `reader` returned; no dropout."""
        self.head.eval()
        with torch.inference_mode():
            return self.head(read)

    def finish(self, attended_share: float) -> TrainedHead:
        """Return the trained model."""
        head = self.head.cpu().eval()
        return TrainedHead(head, self.inputs, self.features, self.targets, attended_share, self.steps)

    def _tensor(self, table: np.ndarray) -> torch.Tensor:
        return torch.tensor(table, dtype=torch.float32, device=self.device)
