"""Choosing alpha and the layers of a ridge inside the training sections."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from sklearn.preprocessing import StandardScaler

from ressat.held_back import Piece, splits
from ressat.metrics import held_back_score
from ressat.section_data import SectionData

logger = logging.getLogger("ressat")

ALPHAS = np.logspace(1, 6, 11)

Columns = Mapping[tuple[str, ...], np.ndarray]
"""The columns of the features that each set of layers has."""


@dataclass(frozen=True)
class Choice:
    """The ridge that predicts held-back training sections best.

    Attributes
    ----------
    layers
        Feature layers, side by side.
    alpha
        Of scikit-learn's ``Ridge`` on standardised features.
    score
        Mean Pearson over genes, held-back sections and pieces.
    held_back
        Predictions of each piece's sections by the ridge of the others, log1p CP10k.
    """

    layers: tuple[str, ...]
    alpha: float
    score: float
    held_back: list[list[np.ndarray]]


def choose_ridge(parts: list[Piece], candidates: Columns, alphas: Sequence[float] = ALPHAS) -> Choice:
    """Try every set of layers and every alpha on each piece of the training sections.

    Parameters
    ----------
    parts
        Pieces of the training sections, with the features of all layers.
    candidates
        Columns of the features by set of layers.
    alphas
        To try.

    Returns
    -------
    Choice
        The layers and the alpha with the highest mean Pearson.
    """
    scores = dict.fromkeys([(layers, alpha) for layers in candidates for alpha in alphas], 0.0)
    for learnt, held_back in splits(parts):
        for layers, columns in candidates.items():
            path = _ridge_path(_part(learnt, columns), _part(held_back, columns), alphas)
            for alpha, predicted in zip(alphas, path, strict=True):
                scores[layers, alpha] += _score(held_back, predicted) / len(parts)
    layers, alpha = max(scores, key=scores.get)
    logger.info(
        "ridge on %s: alpha %g, mean Pearson %.4f", " and ".join(layers), alpha, scores[layers, alpha]
    )
    columns = candidates[layers]
    chosen = [
        next(_ridge_path(_part(learnt, columns), _part(held_back, columns), [alpha]))
        for learnt, held_back in splits(parts)
    ]
    return Choice(layers, float(alpha), scores[layers, alpha], chosen)


def stack(sections: list[SectionData]) -> tuple[np.ndarray, np.ndarray]:
    """Features and targets of all spots, float64."""
    return (
        np.concatenate([data.features for data in sections]).astype(np.float64),
        np.concatenate([data.targets for data in sections]).astype(np.float64),
    )


def _part(sections: list[SectionData], columns: np.ndarray) -> list[SectionData]:
    return [replace(data, features=data.features[:, columns]) for data in sections]


def _score(sections: list[SectionData], predicted: list[np.ndarray]) -> float:
    pairs = zip(sections, predicted, strict=True)
    return float(np.mean([held_back_score(data.targets, values) for data, values in pairs]))


def _ridge_path(
    learnt: list[SectionData], unseen: list[SectionData], alphas: Sequence[float]
) -> Iterator[list[np.ndarray]]:
    """Give, for each alpha, the unseen sections as the ridge of the others predicts them.

    The same as scikit-learn's ``make_pipeline(StandardScaler(), Ridge(alpha))``, but the matrix of the normal
    equations, or with more features than spots that of the dual, is computed once for all alphas.
    """
    x, y = stack(learnt)
    scaler = StandardScaler().fit(x)
    mean = y.mean(axis=0)
    # Single precision: alphas are 10 and more, which is far above its rounding errors.
    scaled = scaler.transform(x).astype(np.float32)
    new = [scaler.transform(data.features).astype(np.float32) for data in unseen]
    right = (y - mean).astype(np.float32)
    if len(scaled) > scaled.shape[1]:
        matrix, right = scaled.T @ scaled, scaled.T @ right
    else:
        matrix, new = scaled @ scaled.T, [rows @ scaled.T for rows in new]
    diagonal = np.arange(len(matrix))
    for alpha in alphas:
        regularised = matrix.copy()
        regularised[diagonal, diagonal] += alpha
        weights = cho_solve(cho_factor(regularised, overwrite_a=True, check_finite=False), right)
        yield [rows @ weights + mean for rows in new]
