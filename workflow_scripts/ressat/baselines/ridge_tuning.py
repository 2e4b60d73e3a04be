"""Choosing alpha and the layers of a ridge inside the training sections."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from sklearn.preprocessing import StandardScaler

from ressat.model.inputs import InputSettings
from ressat.model.pieces import Piece, turns
from ressat.model.section_data import SectionData
from ressat.stats.metrics import held_back_score

logger = logging.getLogger("ressat")

# For hundreds of features, and for a few.
ALPHAS, ALPHAS_OF_FEW = np.logspace(2, 6, 9), np.logspace(-1, 4, 11)

Columns = Mapping[tuple[str, ...], np.ndarray]
"""The columns of the features that each set of layers has."""


@dataclass(frozen=True)
class Choice:
    """The ridge that predicts held-back training sections best.

    Attributes
    ----------
    inputs
        Feature layers, side by side, and the context that their features are averaged with.
    alpha
        Of scikit-learn's ``Ridge`` on standardised features.
    score
        Mean Pearson over genes, held-back sections and pieces.
    """

    inputs: InputSettings
    alpha: float
    score: float


@dataclass(frozen=True)
class Choices:
    """The best ridges, and what is needed to go on with that of the genes.

    Attributes
    ----------
    genes
        For expression.
    depth
        For the logarithm of the spots' total counts.
    held_back
        Expression of each piece's sections as the ridge of the others predicts it.
    """

    genes: Choice
    depth: Choice
    held_back: list[list[np.ndarray]]


def choose_ridges(
    parts: list[Piece],
    candidates: Columns,
    alphas: Sequence[float] = ALPHAS,
    contexts_um: Sequence[float] = (0.0,),
) -> Choices:
    """Try every context, every set of layers and every alpha on each piece of the training sections.

    Parameters
    ----------
    parts
        Pieces of the training sections, with the features of all layers.
    candidates
        Columns of the features by set of layers.
    alphas
        Values of alpha to try.
    contexts_um
        Contexts to try, see `ressat.model.inputs.InputSettings`.

    Returns
    -------
    Choices
        The context, the layers and the alpha with the highest mean Pearson.
    """
    tried = [_choose_with(context_um, parts, candidates, alphas) for context_um in contexts_um]
    genes = max(tried, key=lambda choices: choices.genes.score)
    depth = max(tried, key=lambda choices: choices.depth.score)
    return Choices(genes.genes, depth.depth, genes.held_back)


def in_context(data: SectionData, context_um: float) -> SectionData:
    """Return a section whose features are averaged with their context, float32."""
    if context_um == 0:
        return data
    features = InputSettings(tuple(data.widths), context_um).read(data.features, data.coords)
    return replace(data, features=features.astype(np.float32))


def _choose_with(
    context_um: float, parts: list[Piece], candidates: Columns, alphas: Sequence[float]
) -> Choices:
    parts = [Piece(part.name, [in_context(data, context_um) for data in part.sections]) for part in parts]
    splits = [_Split(learning, held_back) for learning, held_back in turns(parts)]
    scores = {(layers, alpha): np.zeros(2) for layers in candidates for alpha in alphas}
    for layers, columns in candidates.items():
        for split in splits:
            for alpha, predicted in zip(alphas, split.predictions(columns, alphas), strict=True):
                scores[layers, alpha] += np.array(split.scores(predicted)) / len(splits)
    best = []
    for place, aim in enumerate(("expression", "depth")):
        layers, alpha = max(scores, key=lambda setting: scores[setting][place])
        score = float(scores[layers, alpha][place])
        best.append(Choice(InputSettings(layers, context_um), float(alpha), score))
        on = " and ".join(layers)
        logger.info(
            "ridge for %s on %s, context %g um: alpha %g, mean Pearson %.4f",
            aim, on, context_um, alpha, score,
        )  # fmt: skip
    columns = candidates[best[0].inputs.layers]
    predicted = [next(split.predictions(columns, [best[0].alpha])) for split in splits]
    return Choices(*best, [[rows[:, :-1] for rows in of_split] for of_split in predicted])


def stack(
    sections: list[SectionData], columns: np.ndarray | slice = slice(None)
) -> tuple[np.ndarray, np.ndarray]:
    """Some columns of the features, and the targets, of all spots, float64."""
    return (
        np.concatenate([data.features[:, columns] for data in sections]).astype(np.float64),
        np.concatenate([data.targets for data in sections]).astype(np.float64),
    )


class _Split:
    """Training and held-back sections of a split, prepared for every ridge that is tried on it.

    Predictions are those of scikit-learn's ``make_pipeline(StandardScaler(), Ridge(alpha))``, but the matrix
    of the normal equations, or of the dual if there are more features than spots, is computed once for all
    alphas, and the former once for all sets of layers. In single precision: alphas are far above its
    errors.
    """

    def __init__(self, learning: list[SectionData], held_back: list[SectionData]) -> None:
        x, y = stack(learning)
        # Depth goes with the genes: what costs time is the same for both.
        y = np.column_stack([y, np.concatenate([data.log_counts for data in learning])])
        scaler = StandardScaler(copy=False).fit(x)
        self.mean = y.mean(axis=0)
        self.held_back = held_back
        self.new = [
            scaler.transform(data.features.astype(np.float64)).astype(np.float32) for data in held_back
        ]
        self.x, self.y = scaler.transform(x).astype(np.float32), (y - self.mean).astype(np.float32)
        self.is_primal = len(x) > x.shape[1]
        if self.is_primal:
            self.matrix, self.right = self.x.T @ self.x, self.x.T @ self.y
            del self.x, self.y

    def predictions(self, columns: np.ndarray, alphas: Sequence[float]) -> Iterator[list[np.ndarray]]:
        """Yield, for each alpha, what the ridge on some columns predicts; depth is the last column."""
        new = [rows[:, columns] for rows in self.new]
        if self.is_primal:
            matrix, right = self.matrix[np.ix_(columns, columns)], self.right[columns]
        else:
            x = self.x[:, columns]
            matrix, right, new = x @ x.T, self.y, [rows @ x.T for rows in new]
        diagonal = np.arange(len(matrix))
        for alpha in alphas:
            # Column by column, as LAPACK needs it to factorise in place.
            regularised = matrix.copy(order="F")
            regularised[diagonal, diagonal] += alpha
            factor = cho_factor(regularised, overwrite_a=True, check_finite=False)
            weights = cho_solve(factor, right, check_finite=False)
            yield [rows @ weights + self.mean for rows in new]

    def scores(self, predicted: list[np.ndarray]) -> tuple[float, float]:
        """Return the mean of `held_back_score` over the held-back sections, of expression and of depth."""
        pairs = list(zip(self.held_back, predicted, strict=True))
        genes = [held_back_score(data.targets, values[:, :-1]) for data, values in pairs]
        depth = [held_back_score(data.log_counts[:, None], values[:, -1:]) for data, values in pairs]
        return float(np.mean(genes)), float(np.mean(depth))
