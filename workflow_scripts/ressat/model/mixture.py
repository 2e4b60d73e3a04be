"""Putting G together from head and kernel, as held-back training spots ask for."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ressat.model.components import Components, slopes
from ressat.model.kernel_ridge import KernelRidge, held_back_moments
from ressat.model.network import spot_interaction
from ressat.model.pieces import Piece, turns
from ressat.model.section_data import SectionData
from ressat.model.trained_model import TrainedHead, TrainedModel
from ressat.stats.metrics import mixed_scores
from ressat.stats.partial import without

logger = logging.getLogger("ressat")

# Possible shares of the attended prediction in the combined one; the even mean unless another is better.
ATTENDED_SHARES = (0.5, 0.0, 0.25, 0.75, 1.0)
# Gain in mean Pearson from which a later choice counts as better.
MARGIN = 0.003


@dataclass(frozen=True)
class MixtureSettings:
    """What G may be put together from.

    Attributes
    ----------
    kernel_shares
        Possible shares of the kernel in yhat; a later one must be better than those before it.
    components
        The most principal components of expression whose predictions are shrunk one by one; 0 for none.
    """

    kernel_shares: tuple[float, ...]
    components: int


@dataclass(frozen=True)
class Mixture:
    """How G is put together.

    Attributes
    ----------
    components
        Of the targets.
    head_moments, kernel_moments
        Sums of `Components.moments` over all held-back sections; None for a part without a share, and for a
        head that is left as it is.
    kernel_share, attended_share
        See `ressat.model.trained_model.TrainedModel`.
    pearson, pearson_depth_free
        Of the combined layer, averaged over genes, held-back sections and pieces.
    """

    components: Components
    head_moments: np.ndarray | None
    kernel_moments: np.ndarray | None
    kernel_share: float
    attended_share: float
    pearson: float
    pearson_depth_free: float

    def model(self, head: TrainedHead, ridge: KernelRidge | None) -> TrainedModel:
        """Return G from a head and a kernel that learnt from all training sections.

        Parameters
        ----------
        head
            The head.
        ridge
            Not used where the kernel has no share.
        """
        kernel = None
        if self.kernel_share:
            kernel = ridge.fit(self.components, self.kernel_moments)
        head = _shrunk(head, self.components, self.head_moments)
        return TrainedModel(head, kernel, self.kernel_share, self.attended_share)


def choose_mixture(
    parts: list[Piece], heads: list[TrainedHead], settings: MixtureSettings, seed: int
) -> Mixture:
    """Choose slopes and shares on pieces of the training sections, each of which is held back in turn.

    Slopes and alphas are those that bring held-back predictions closest to what was observed. For the
    scores by which shares are chosen, a piece's slopes come from the other pieces. Shares are chosen by the
    depth-free score: given depth, what is left is not owed to it.

    Parameters
    ----------
    parts
        The pieces.
    heads
        For each piece, the head that learnt from the others.
    settings
        What to choose from.
    seed
        Of the draw of landmarks.
    """
    components = Components.fit([data for part in parts for data in part.sections], settings.components)
    learnt_from = list(turns(parts))
    ridges = [None] * len(parts)
    head_moments = kernel_moments = None
    if settings.components:
        head_moments = [
            _head_moments(head, part, components) for head, part in zip(heads, parts, strict=True)
        ]
    if any(settings.kernel_shares):
        inputs = heads[0].inputs
        ridges = [KernelRidge(learning, inputs, seed) for learning, _ in learnt_from]
        kernel_moments = [
            held_back_moments(ridge, part.sections, components)
            for ridge, part in zip(ridges, parts, strict=True)
        ]
    scores = []
    for place, (head, ridge, part) in enumerate(zip(heads, ridges, parts, strict=True)):
        head = _shrunk(head, components, _of_others(head_moments, place))
        kernel = ridge and ridge.fit(components, _of_others(kernel_moments, place))
        models = [TrainedModel(head, kernel, share, 0) for share in settings.kernel_shares]
        scores.append(np.mean([_scores(models, data) for data in part.sections], axis=0))
    table = np.mean(scores, axis=0)
    best = _choose(table[:, :, 1])
    mixture = Mixture(
        components,
        None if head_moments is None else sum(head_moments),
        None if kernel_moments is None else sum(kernel_moments),
        settings.kernel_shares[best[0]],
        ATTENDED_SHARES[best[1]],
        *(float(score) for score in table[best]),
    )
    logger.info(
        "kernel share %g, attended share %g: held-back Pearson %.4f, depth-free %.4f",
        mixture.kernel_share, mixture.attended_share, mixture.pearson, mixture.pearson_depth_free,
    )  # fmt: skip
    return mixture


def _of_others(moments: list[np.ndarray] | None, place: int) -> np.ndarray | None:
    """Sum over all pieces but one."""
    if moments is None:
        return None
    return sum(of_piece for other, of_piece in enumerate(moments) if other != place)


def _head_moments(head: TrainedHead, part: Piece, components: Components) -> np.ndarray:
    of_sections = []
    for data in part.sections:
        yhat = head.predict(data.features[:, data.columns(head.inputs.layers)], data.coords)
        of_sections.append(components.moments(head.targets.scale(data.targets), yhat))
    return sum(of_sections)


def _shrunk(head: TrainedHead, components: Components, moments: np.ndarray | None) -> TrainedHead:
    if moments is None:
        return head
    return head.then(components.scaled(np.eye(len(components.axes)), slopes(moments)))


def _scores(models: Sequence[TrainedModel], data: SectionData) -> np.ndarray:
    """Plain and depth-free scores of a section, shape (models, shares of the attended prediction, 2)."""
    features = data.features[:, data.columns(models[0].head.inputs.layers)]
    scores = []
    for model in models:
        direct = model.predict(features, data.coords)
        attended = spot_interaction(torch.from_numpy(direct)).numpy()
        tables = data.targets, direct, attended
        freed = [without(table, data.log_counts) for table in tables]
        of_both = [mixed_scores(*three, ATTENDED_SHARES) for three in (tables, freed)]
        scores.append(np.transpose(of_both))
    return np.array(scores)


def _choose(scores: np.ndarray) -> tuple[int, int]:
    """Rows and columns are choices: each time the first, unless a later one is better by the margin."""
    columns = [choose_share(row) for row in scores]
    best = 0
    for row in range(1, len(scores)):
        if scores[row, columns[row]] > scores[best, columns[best]] + MARGIN:
            best = row
    return best, columns[best]


def choose_share(values: np.ndarray) -> int:
    """Index of the first share, or of the best where that is better by more than the margin."""
    best = int(values.argmax())
    return best if values[best] > values[0] + MARGIN else 0
