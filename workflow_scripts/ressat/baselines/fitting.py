"""What the model has to beat: simple predictors on the same features, most through scikit-learn."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ressat.base.layers import DEPTH_MAP, EXPRESSION_UNIT, TUNED_RIDGE
from ressat.baselines.kernel import KernelBaseline
from ressat.baselines.linear import FoldBaselines, LinearBaseline
from ressat.baselines.ridge_tuning import ALPHAS_OF_FEW, Choice, choose_ridges, in_context, stack
from ressat.encoders.layer_names import parted_name
from ressat.features.cache import COLOUR
from ressat.model.components import Components
from ressat.model.inputs import InputSettings
from ressat.model.kernel_ridge import KernelRidge, held_back_moments
from ressat.model.pieces import Piece, pieces, turns
from ressat.model.scaler import Scaler
from ressat.model.section_data import SectionData, typical_pitch
from ressat.stats.metrics import held_back_score
from ressat.stats.neighbours import smoothed

logger = logging.getLogger("ressat")

HEST_COMPONENTS = 256
# Standard deviations of the Gaussian in spot pitches.
SMOOTHING_WIDTHS = (0.5, 1.0, 1.5, 2.0, 3.0)
OF_NOTHING = InputSettings((), 0.0)


@dataclass(frozen=True)
class ModelInputs:
    """What the model reads, and settings of its kernel, for baselines that read the same.

    Attributes
    ----------
    layers
        Feature layers.
    context
        In spot pitches of the training sections.
    components
        The most principal components of expression whose predictions are shrunk one by one.
    seed
        Of the draw of landmarks.
    """

    layers: tuple[str, ...]
    context: float
    components: int
    seed: int


def fit_baselines(
    deep: list[SectionData],
    colour: list[SectionData],
    genes: list[str],
    *,
    hest_layers: Sequence[str],
    inputs: ModelInputs,
    gap_um: float,
    unit: str = EXPRESSION_UNIT,
) -> FoldBaselines:
    """Fit every baseline on a fold's training sections.

    Parameters
    ----------
    deep, colour
        The sections with the features of all encoder layers, and the same sections with colour statistics.
    genes
        Names of the targets.
    hest_layers
        Layers that HEST-Bench's ridge reads.
    inputs
        What the model reads.
    gap_um
        Gap between the halves of a lone section, see `ressat.model.pieces.pieces`.
    unit
        That the targets are in.

    Returns
    -------
    FoldBaselines
        ``training_mean``, ``depth_map``, ``colour_ridge``, ``hest_ridge`` and ``tuned_ridge``; the model's
        kernel; the width of the Gaussian that smooths the tuned ridge's predictions, and the scaler for its
        attention.
    """
    parts = pieces(deep, gap_um)
    reads = InputSettings(inputs.layers, inputs.context * typical_pitch(deep))
    contexts_um = tuple(dict.fromkeys((0.0, reads.context_um)))
    choices = choose_ridges(parts, layer_sets(deep[0]), contexts_um=contexts_um)
    of_colour = np.arange(colour[0].features.shape[1])
    colour_choice = choose_ridges(pieces(colour, gap_um), {(COLOUR,): of_colour}, ALPHAS_OF_FEW).genes
    targets = Scaler.fit([data.targets for data in deep])
    return FoldBaselines(
        genes=genes,
        sections=[data.section for data in deep],
        maps={
            "training_mean": LinearBaseline(OF_NOTHING, np.empty((0, len(genes))), targets.mean, {}),
            DEPTH_MAP: depth_map(deep, choices.depth, targets),
            "colour_ridge": _tuned(colour, colour_choice, of_colour),
            "hest_ridge": hest_ridge(deep, tuple(hest_layers)),
            TUNED_RIDGE: _tuned(deep, choices.genes, deep[0].columns(choices.genes.inputs.layers)),
        },
        kernel=tuned_kernel(deep, parts, reads, inputs),
        targets=targets,
        smoothing_width=_choose_width(parts, choices.held_back),
        unit=unit,
    )


def layer_sets(data: SectionData) -> dict[tuple[str, ...], np.ndarray]:
    """Columns of the features by set of layers: each alone, and those of an encoder all together."""
    by_encoder: dict[str | None, list[str]] = {}
    for layer in data.widths:
        by_encoder.setdefault(parted_name(layer)[0], []).append(layer)
    sets = [
        names for layers in by_encoder.values() for names in (*((layer,) for layer in layers), tuple(layers))
    ]
    return {names: data.columns(names) for names in dict.fromkeys(sets)}


def hest_ridge(training: list[SectionData], layers: tuple[str, ...]) -> LinearBaseline:
    """Fit HEST-Bench's protocol (Jaume et al. 2024).

    StandardScaler, PCA to 256 components, ridge with alpha = 100 / (components x genes) and no
    intercept, on centred targets.

    Parameters
    ----------
    training
        Sections with the features of all layers.
    layers
        The layers to read.
    """
    x, y = stack(training, training[0].columns(layers))
    components = min(HEST_COMPONENTS, *x.shape)
    alpha = 100 / (components * y.shape[1])
    pca = PCA(components, random_state=0)
    ridge = Ridge(alpha=alpha, fit_intercept=False, solver="cholesky")
    pipeline = make_pipeline(StandardScaler(), pca, ridge).fit(x, y - y.mean(axis=0))
    settings = {"alpha": alpha, "components": components}
    return _as_map(pipeline, InputSettings(layers, 0.0), y.mean(axis=0), settings)


def depth_map(training: list[SectionData], choice: Choice, targets: Scaler) -> LinearBaseline:
    """Fit a ridge to the logarithm of the spots' total counts, and show its one map for every gene.

    In z units all genes are the same map; each has the mean and deviation of its training spots.

    Parameters
    ----------
    training
        Sections with the features of all layers.
    choice
        Layers and alpha.
    targets
        Mean and deviation of each gene.
    """
    columns = training[0].columns(choice.inputs.layers)
    depths = [replace(data, targets=data.log_counts[:, None]) for data in training]
    depth, scaler = _tuned(depths, choice, columns), Scaler.fit([data.targets for data in depths])
    per_gene = targets.sd / scaler.sd
    return LinearBaseline(
        choice.inputs,
        depth.weights * per_gene,
        targets.mean + (depth.intercept - scaler.mean) * per_gene,
        depth.settings,
    )


def tuned_kernel(
    training: list[SectionData], parts: list[Piece], reads: InputSettings, inputs: ModelInputs
) -> KernelBaseline:
    """Fit the model's kernel alone; alphas and slopes are those that do best on held-back pieces.

    Parameters
    ----------
    training
        Sections with the features of all layers.
    parts
        Their pieces.
    reads
        What the kernel reads, with the context in um.
    inputs
        Settings of the model.
    """
    components = Components.fit(training, inputs.components)
    moments = sum(
        held_back_moments(KernelRidge(learning, reads, inputs.seed), held_back, components)
        for learning, held_back in turns(parts)
    )
    ridge = KernelRidge(training, reads, inputs.seed)
    return KernelBaseline(reads, ridge.fit(components, moments), ridge.targets)


def _tuned(training: list[SectionData], choice: Choice, columns: np.ndarray) -> LinearBaseline:
    x, y = stack([in_context(data, choice.inputs.context_um) for data in training], columns)
    # In place: copies of all spots' features would take most of the memory.
    ridge = Ridge(alpha=choice.alpha, solver="cholesky", copy_X=False)
    pipeline = make_pipeline(StandardScaler(copy=False), ridge).fit(x, y)
    return _as_map(pipeline, choice.inputs, 0.0, {"alpha": choice.alpha, "held_back_pearson": choice.score})


def _as_map(
    pipeline: Pipeline, inputs: InputSettings, offset: np.ndarray | float, settings: dict[str, float]
) -> LinearBaseline:
    """Multiply out the steps of a pipeline, all of which are linear."""
    scaler, ridge = pipeline[0], pipeline[-1]
    weights = np.atleast_2d(ridge.coef_).T
    if len(pipeline) == 3:
        pca = pipeline[1]
        offset = offset - pca.mean_ @ pca.components_.T @ weights
        weights = pca.components_.T @ weights
    weights = weights / scaler.scale_[:, None]
    return LinearBaseline(inputs, weights, ridge.intercept_ + offset - scaler.mean_ @ weights, settings)


def _choose_width(parts: list[Piece], held_back: list[list[np.ndarray]]) -> float:
    """The smoothing width that is best for the tuned ridge's predictions of held-back sections."""
    scores = dict.fromkeys(SMOOTHING_WIDTHS, 0.0)
    for part, predictions in zip(parts, held_back, strict=True):
        for data, predicted in zip(part.sections, predictions, strict=True):
            for width in SMOOTHING_WIDTHS:
                scores[width] += held_back_score(data.targets, smoothed(predicted, data.coords, width))
    width = max(scores, key=scores.get)
    logger.info("smoothing of the ridge: %g spot pitches", width)
    return width
