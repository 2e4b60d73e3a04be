"""What the model has to beat: simple predictors on the same features, through scikit-learn."""

import logging

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ressat.base import keys
from ressat.baselines.linear import FoldBaselines, LinearBaseline
from ressat.baselines.ridge_tuning import ALPHAS_OF_FEW, Choice, choose_ridge, stack
from ressat.model.held_back import Piece, pieces
from ressat.model.section_data import Scaler, SectionData, layer_columns
from ressat.stats.metrics import held_back_score
from ressat.stats.neighbours import smoothed

logger = logging.getLogger("ressat")

HEST_COMPONENTS = 256
# HEST-Bench's ResNet50 is cut after its third stage.
HEST_LAYERS = ("layer3",)
# Standard deviations of the Gaussian in spot pitches.
SMOOTHING_WIDTHS = (0.5, 1.0, 1.5, 2.0, 3.0)


def fit_baselines(
    deep: list[SectionData], colour: list[SectionData], genes: list[str], gap_um: float
) -> FoldBaselines:
    """Fit every baseline on a fold's training sections.

    Parameters
    ----------
    deep, colour
        The sections with features of `keys.LAYERS`, side by side, and the same with colour statistics.
    genes
        Names of the targets.
    gap_um
        Gap between the halves of a lone section, see `ressat.model.held_back.pieces`.

    Returns
    -------
    FoldBaselines
        ``training_mean``, ``colour_ridge``, ``hest_ridge`` and ``tuned_ridge``; the width of the Gaussian
        that smooths the tuned ridge's predictions, and the scaler for its attention.
    """
    parts = pieces(deep, gap_um)
    chosen = choose_ridge(parts, layer_sets())
    of_colour = np.arange(colour[0].features.shape[1])
    chosen_colour = choose_ridge(pieces(colour, gap_um), {(keys.COLOUR,): of_colour}, ALPHAS_OF_FEW)
    targets = Scaler.fit([data.targets for data in deep])
    return FoldBaselines(
        genes=genes,
        sections=[data.section for data in deep],
        maps={
            "training_mean": LinearBaseline((), np.empty((0, len(genes))), targets.mean, {}),
            "colour_ridge": _tuned(colour, chosen_colour, of_colour),
            "hest_ridge": hest_ridge(deep),
            keys.TUNED_RIDGE: _tuned(deep, chosen, layer_columns(chosen.layers)),
        },
        targets=targets,
        smoothing_width=_choose_width(parts, chosen),
    )


def layer_sets() -> dict[tuple[str, ...], np.ndarray]:
    """Columns of the features by set of layers: each alone, and all together."""
    sets = [*((layer,) for layer in keys.LAYERS), keys.LAYERS]
    return {layers: layer_columns(layers) for layers in sets}


def hest_ridge(training: list[SectionData]) -> LinearBaseline:
    """Fit HEST-Bench's protocol (Jaume et al. 2024).

    StandardScaler, PCA to 256 components, ridge with alpha = 100 / (components x genes) and no
    intercept, on centred targets.

    Parameters
    ----------
    training
        Sections with features of `keys.LAYERS`, side by side.
    """
    x, y = stack(training, layer_columns(HEST_LAYERS))
    components = min(HEST_COMPONENTS, *x.shape)
    alpha = 100 / (components * y.shape[1])
    pca = PCA(components, random_state=0)
    ridge = Ridge(alpha=alpha, fit_intercept=False, solver="cholesky")
    fitted = make_pipeline(StandardScaler(), pca, ridge).fit(x, y - y.mean(axis=0))
    return _as_map(fitted, HEST_LAYERS, y.mean(axis=0), {"alpha": alpha, "components": components})


def _tuned(training: list[SectionData], chosen: Choice, columns: np.ndarray) -> LinearBaseline:
    x, y = stack(training, columns)
    # In place: copies of all spots' features are what memory goes for.
    ridge = Ridge(alpha=chosen.alpha, solver="cholesky", copy_X=False)
    fitted = make_pipeline(StandardScaler(copy=False), ridge).fit(x, y)
    return _as_map(fitted, chosen.layers, 0.0, {"alpha": chosen.alpha, "held_back_pearson": chosen.score})


def _as_map(
    fitted: Pipeline, layers: tuple[str, ...], offset: np.ndarray | float, chosen: dict[str, float]
) -> LinearBaseline:
    """Multiply out the steps of a pipeline, all of which are linear."""
    scaler, ridge = fitted[0], fitted[-1]
    weights = ridge.coef_.T
    if len(fitted) == 3:
        pca = fitted[1]
        offset = offset - pca.mean_ @ pca.components_.T @ weights
        weights = pca.components_.T @ weights
    weights = weights / scaler.scale_[:, None]
    return LinearBaseline(layers, weights, ridge.intercept_ + offset - scaler.mean_ @ weights, chosen)


def _choose_width(parts: list[Piece], chosen: Choice) -> float:
    """The width of smoothing that is best for the tuned ridge's predictions of held-back sections."""
    scores = dict.fromkeys(SMOOTHING_WIDTHS, 0.0)
    for part, predictions in zip(parts, chosen.held_back, strict=True):
        for data, predicted in zip(part.sections, predictions, strict=True):
            for width in SMOOTHING_WIDTHS:
                scores[width] += held_back_score(data.targets, smoothed(predicted, data.coords, width))
    width = max(scores, key=scores.get)
    logger.info("smoothing of the ridge: %g spot pitches", width)
    return width
