"""Fitting the kernel part of G: ridge on Nystroem features, from moments summed over sections."""

from collections.abc import Iterator

import numpy as np

from ressat.model.components import Components, explained, slopes
from ressat.model.inputs import InputSettings
from ressat.model.kernel import MOST_LANDMARKS, KernelMap, LandmarkBlock, Landmarks, blocks
from ressat.model.scaler import DEAD_FEATURES_BELOW, Scaler
from ressat.model.section_data import SectionData

ALPHAS = np.logspace(-3, 3, 13)
# Directions in which the landmarks differ less, as a share of the first, are rounding errors.
SMALLEST_SHARE = 1e-8


class KernelRidge:
    """Kernel ridge regression on some sections, for every alpha at once.

    The Nystroem approximation (Williams & Seeger 2001): the kernel is that of the features
    phi(x) = K(x, m) K(m, m)^(-1/2) for landmarks m. With all training spots as landmarks it is exact.
    Targets are z-scored and freed of differences between sections. Beyond the sections themselves, memory
    grows with the landmarks and with the largest section, not with the number of spots.

    Parameters
    ----------
    sections
        To learn from, with the features of all layers.
    inputs
        Layers and context.
    seed
        Of the draw of landmarks.
    """

    def __init__(self, sections: list[SectionData], inputs: InputSettings, seed: int) -> None:
        self.inputs = inputs
        self.targets = Scaler.streamed([data.targets for data in sections])
        self.landmarks, among = _landmarks(sections, inputs, seed)
        values, vectors = np.linalg.eigh(among)
        kept = values > SMALLEST_SHARE * values[-1]
        whitening = vectors[:, kept] / np.sqrt(values[kept])
        columns = whitening.shape[1]
        moment, right = np.zeros((columns, columns)), np.zeros((columns, len(self.targets.mean)))
        total, spots = np.zeros(columns), 0
        for data in sections:
            phi = self._likeness(data) @ whitening
            z = self.targets.scale(data.targets)
            moment += phi.T @ phi
            # Without the sections' means, so that those of phi play no part.
            right += phi.T @ (z - z.mean(axis=0))
            total += phi.sum(axis=0)
            spots += len(phi)
        mean = total / spots
        spectrum, vectors = np.linalg.eigh(moment - spots * np.outer(mean, mean))
        self.spectrum = np.maximum(spectrum, 0)
        self.basis, self.centre, self.right = whitening @ vectors, mean @ vectors, vectors.T @ right

    def predictions(self, data: SectionData) -> Iterator[np.ndarray]:
        """Yield the prediction of a section in z units, shape (spots, genes), for each of `ALPHAS`."""
        read = self._likeness(data) @ self.basis - self.centre
        for alpha in ALPHAS:
            yield (read / (self.spectrum + alpha)) @ self.right

    def fit(self, components: Components, moments: np.ndarray) -> KernelMap:
        """Return the map with the alpha and the slope of each component that held-back predictions ask for.

        Parameters
        ----------
        components
            Of the targets.
        moments
            Sums of `Components.moments` of held-back predictions, shape (2, alphas, components + 1).
        """
        best = explained(moments).argmax(axis=0)
        slope = slopes(moments)[best, np.arange(len(best))]
        coefficients = np.zeros_like(self.right)
        for place in np.unique(best):
            # Only what is predicted with this alpha.
            factors = np.where(best == place, slope, 0.0)
            shrunk = components.scaled(self.right, factors)
            coefficients += shrunk / (self.spectrum + ALPHAS[place])[:, None]
        return KernelMap(self.landmarks, self.basis @ coefficients, -self.centre @ coefficients)

    def _likeness(self, data: SectionData) -> np.ndarray:
        features = data.features[:, data.columns(self.inputs.layers)]
        return np.concatenate(list(self.landmarks.likeness(features, data.coords)))


def held_back_moments(ridge: KernelRidge, held_back: list[SectionData], components: Components) -> np.ndarray:
    """Return the sums of `Components.moments` over held-back sections, shape (2, alphas, components + 1)."""
    total = np.zeros((2, len(ALPHAS), components.axes.shape[1] + 1))
    for data in held_back:
        z = ridge.targets.scale(data.targets)
        total += np.stack([components.moments(z, values) for values in ridge.predictions(data)], axis=1)
    return total


def _landmarks(sections: list[SectionData], inputs: InputSettings, seed: int) -> tuple[Landmarks, np.ndarray]:
    """Draw landmarks from all sections, by their numbers of spots; return them and their likeness."""
    ends = np.cumsum([len(data.coords) for data in sections])
    drawn = np.sort(np.random.default_rng(seed).permutation(ends[-1])[:MOST_LANDMARKS])
    by_section = []
    for data, end in zip(sections, ends, strict=True):
        rows = drawn[(drawn >= end - len(data.coords)) & (drawn < end)] - (end - len(data.coords))
        features = data.features[:, data.columns(inputs.layers)]
        by_section.append([table[rows] for table in blocks(features, data.coords, inputs.context_um)])
    fitted = []
    for tables in zip(*by_section, strict=True):
        # Of the landmarks alone, so that no more than one section is read at a time.
        scaler = Scaler.fit(list(tables), DEAD_FEATURES_BELOW)
        marks = scaler.scale(np.concatenate(tables)).astype(np.float32)
        fitted.append(LandmarkBlock(scaler, marks, _typical_distance(marks.astype(np.float64))))
    among = sum(block.likeness(block.landmarks.astype(np.float64)) for block in fitted) / len(fitted)
    return Landmarks(inputs.context_um, tuple(fitted)), among


def _typical_distance(marks: np.ndarray) -> float:
    """Return the median squared distance between different landmarks."""
    squares = (marks**2).sum(axis=1)
    pairs = (squares[:, None] + squares - 2 * marks @ marks.T)[np.triu_indices(len(marks), 1)]
    # In z units, a column adds 2 on average.
    apart = pairs[pairs > 1e-9 * marks.shape[1]]
    # Landmarks that are all alike tell nothing, whatever the width.
    return float(np.median(apart)) if len(apart) else 1.0
