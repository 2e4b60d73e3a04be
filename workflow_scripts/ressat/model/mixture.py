"""Putting G together from head and kernel, as held-back training spots ask for."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from ressat.model.components import Components, slopes
from ressat.model.kernel_ridge import KernelRidge, held_back_moments
from ressat.model.network import spot_interaction
from ressat.model.pieces import Piece, turns
from ressat.model.section_data import SectionData
from ressat.model.trained_model import TrainedHead, TrainedModel
from ressat.stats.metrics import mixed_scores, pearson
from ressat.stats.partial import partial_pearson, without

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
        Of the combined layer with one slope and one alpha for all components, averaged over genes, held-back
        sections and pieces.
    by_gene
        The same of each gene, plain and depth-free, nan where undefined in all pieces, shape (2, genes).
    """

    components: Components
    head_moments: np.ndarray | None
    kernel_moments: np.ndarray | None
    kernel_share: float
    attended_share: float
    pearson: float
    pearson_depth_free: float
    by_gene: np.ndarray

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
        if self.head_moments is not None:
            identity = np.eye(len(self.components.axes))
            head = head.then(self.components.scaled(identity, slopes(self.head_moments)))
        return TrainedModel(head, kernel, self.kernel_share, self.attended_share)


def choose_mixture(
    parts: list[Piece], heads: list[TrainedHead], settings: MixtureSettings, seed: int
) -> Mixture:
    """Choose slopes and shares on pieces of the training sections, each of which is held back in turn.

    Slopes and alphas are those that bring held-back predictions closest to what was observed. Shares are
    chosen by the depth-free score: given depth, what is left is not owed to it. For the scores, a piece's
    slopes come from the other pieces. Those were predicted by models that learnt from the piece, so slopes of
    single components would favour what agrees with it by chance. The kernel's share is therefore chosen with
    one slope and one alpha for all components, for which this is negligible; the attended share then with
    those of each, which direct and attended prediction have in common.

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
    ridges: list[KernelRidge | None] = [None] * len(parts)
    if any(settings.kernel_shares):
        ridges = [KernelRidge(learning, heads[0].inputs, seed) for learning, _ in turns(parts)]
    turn = [_Turn(*of_piece, components) for of_piece in zip(parts, heads, ridges, strict=True)]
    head_moments = [of.head_moments() for of in turn] if settings.components else None
    kernel_moments = [of.kernel_moments() for of in turn] if any(settings.kernel_shares) else None
    scores = _scores(turn, settings.kernel_shares, _pooled(head_moments), _pooled(kernel_moments))
    row, column = choose_both(scores[:, :, 1])
    share = settings.kernel_shares[row]
    if settings.components:
        column = choose_share(_scores(turn, [share], head_moments, kernel_moments)[0, :, 1])
    by_gene = _by_gene(turn, share, ATTENDED_SHARES[column], _pooled(head_moments), _pooled(kernel_moments))
    mixture = Mixture(
        components,
        None if head_moments is None else sum(head_moments),
        None if kernel_moments is None else sum(kernel_moments),
        share,
        ATTENDED_SHARES[column],
        *(float(score) for score in scores[row, column]),
        by_gene,
    )
    logger.info(
        "kernel share %g, attended share %g: held-back Pearson %.4f, depth-free %.4f with one slope for all",
        mixture.kernel_share, mixture.attended_share, mixture.pearson, mixture.pearson_depth_free,
    )  # fmt: skip
    return mixture


def _pooled(moments: list[np.ndarray] | None) -> list[np.ndarray] | None:
    """The same slope for all components: components are orthonormal, so their sums add up."""
    return (
        None if moments is None else [np.zeros_like(one) + one.sum(axis=-1, keepdims=True) for one in moments]
    )


@dataclass(frozen=True)
class _Turn:
    """A piece that is held back, and what learnt from the others."""

    piece: Piece
    head: TrainedHead
    ridge: KernelRidge | None
    components: Components

    @cached_property
    def predicted(self) -> list[np.ndarray]:
        """The head's predictions of the piece's sections, in z units."""
        return [self.head.predict(self._features(data), data.coords) for data in self.piece.sections]

    def head_moments(self) -> np.ndarray:
        """Sums of `Components.moments` of the head's predictions."""
        targets = (self.head.targets.scale(data.targets) for data in self.piece.sections)
        return sum(self.components.moments(*pair) for pair in zip(targets, self.predicted, strict=True))

    def kernel_moments(self) -> np.ndarray:
        """See `held_back_moments`."""
        return held_back_moments(self.ridge, self.piece.sections, self.components)

    def scores(
        self, kernel_shares: Sequence[float], head: np.ndarray | None, kernel: np.ndarray | None
    ) -> np.ndarray:
        """Return plain and depth-free scores, averaged over sections, with slopes from some moments.

        The shape is (kernel shares, `ATTENDED_SHARES`, 2).
        """
        of_sections = [
            [_section_scores(data, yhat) for yhat in by_share]
            for data, by_share in self.direct(kernel_shares, head, kernel)
        ]
        return np.mean(of_sections, axis=0)

    def by_gene(
        self, kernel_share: float, attended_share: float, head: np.ndarray | None, kernel: np.ndarray | None
    ) -> np.ndarray:
        """Return each gene's plain and depth-free score, averaged over sections, shape (2, genes)."""
        of_sections = []
        for data, (yhat,) in self.direct([kernel_share], head, kernel):
            attended = spot_interaction(torch.from_numpy(yhat)).numpy()
            combined = attended_share * attended + (1 - attended_share) * yhat
            of_sections.append(
                [
                    pearson(data.targets, combined),
                    partial_pearson(data.targets, combined, data.log_counts),
                ]
            )
        return _mean_of_defined(of_sections)

    def direct(
        self, kernel_shares: Sequence[float], head: np.ndarray | None, kernel: np.ndarray | None
    ) -> Iterator[tuple[SectionData, list[np.ndarray]]]:
        """Yield each section with its yhat for every share of the kernel, in z units."""
        fitted = None if kernel is None else self.ridge.fit(self.components, kernel)
        for data, yhat in zip(self.piece.sections, self.predicted, strict=True):
            if head is not None:
                yhat = self.components.scaled(yhat, slopes(head))
            other = 0.0 if fitted is None else fitted.predict(self._features(data), data.coords)
            yield data, [(1 - share) * yhat + share * other for share in kernel_shares]

    def _features(self, data: SectionData) -> np.ndarray:
        return data.features[:, data.columns(self.head.inputs.layers)]


def _scores(
    turn: list[_Turn],
    kernel_shares: Sequence[float],
    head_moments: list[np.ndarray] | None,
    kernel_moments: list[np.ndarray] | None,
) -> np.ndarray:
    """Scores of all turns, averaged; each with the slopes and alphas that the others ask for."""
    scores = [
        of.scores(kernel_shares, _of_others(head_moments, place), _of_others(kernel_moments, place))
        for place, of in enumerate(turn)
    ]
    return np.mean(scores, axis=0)


def _by_gene(
    turn: list[_Turn],
    kernel_share: float,
    attended_share: float,
    head_moments: list[np.ndarray] | None,
    kernel_moments: list[np.ndarray] | None,
) -> np.ndarray:
    """Each gene's scores, as those of `_scores`, averaged over the turns in which they are defined."""
    shares = kernel_share, attended_share
    scores = [
        of.by_gene(*shares, _of_others(head_moments, place), _of_others(kernel_moments, place))
        for place, of in enumerate(turn)
    ]
    return _mean_of_defined(scores)


def _of_others(moments: list[np.ndarray] | None, place: int) -> np.ndarray | None:
    return None if moments is None else sum(moments[:place] + moments[place + 1 :])


def _mean_of_defined(scores: Sequence[np.ndarray]) -> np.ndarray:
    """Mean along the first axis of what is not nan; nan where all is."""
    table = np.asarray(scores)
    number = (~np.isnan(table)).sum(axis=0)
    return np.where(number > 0, np.nansum(table, axis=0) / np.maximum(number, 1), np.nan)


def _section_scores(data: SectionData, direct: np.ndarray) -> np.ndarray:
    """Plain and depth-free scores of a section, shape (`ATTENDED_SHARES`, 2)."""
    attended = spot_interaction(torch.from_numpy(direct)).numpy()
    tables = data.targets, direct, attended
    freed = [without(table, data.log_counts) for table in tables]
    return np.transpose([mixed_scores(*three, ATTENDED_SHARES) for three in (tables, freed)])


def choose_both(scores: np.ndarray) -> tuple[int, int]:
    """Choose a row and its column: each time the first, unless a later one is better by the margin."""
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
