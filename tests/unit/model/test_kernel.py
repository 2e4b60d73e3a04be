"""The kernel part of G, held against scikit-learn's kernel ridge regression."""

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge as KernelRidgeOfScikitLearn

from ressat.model import kernel, kernel_ridge
from ressat.model.components import SMALLEST_SLOPE, Components, explained, slopes
from ressat.model.inputs import InputSettings
from ressat.model.kernel_ridge import ALPHAS, KernelRidge, held_back_moments
from ressat.model.section_data import SectionData
from ressat.stats.neighbours import around

WIDTHS = {"first": 6, "second": 4}
GENES = 5
SLOPES = np.random.default_rng(3).normal(size=(6, GENES))


def section(name: str, seed: int, side: int = 8) -> SectionData:
    """Targets bend with the first layer, and each section has a level of its own."""
    rng = np.random.default_rng(seed)
    spots = side * side
    coords = 100.0 * np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2)
    features = rng.normal(2, 3, size=(spots, 10)).astype(np.float32)
    signal = np.tanh(features[:, :6] @ SLOPES / 6)
    targets = (4 + seed + signal + 0.1 * rng.normal(size=(spots, GENES))).astype(np.float32)
    return SectionData(name, name, features, targets, np.full(spots, 8.0), coords, WIDTHS)


SECTIONS = [section("A", 1), section("B", 2)]
UNSEEN = section("C", 3)


def likeness(rows: list[np.ndarray], marks: list[np.ndarray]) -> np.ndarray:
    """Mean of Gaussians with the median squared distance of landmarks as their width."""
    total = 0
    for x, m in zip(rows, marks, strict=True):
        between = ((m[:, None] - m) ** 2).sum(axis=2)
        width = np.median(between[np.triu_indices(len(m), 1)])
        total = total + np.exp(-((x[:, None] - m) ** 2).sum(axis=2) / width) / len(rows)
    return total


def tables(data: SectionData, context_um: float) -> list[np.ndarray]:
    own = data.features[:, :6].astype(float)
    return [own, around(own, data.coords, context_um)] if context_um else [own]


@pytest.mark.parametrize("context_um", [0.0, 150.0])
@pytest.mark.parametrize("place", [2, 6, 10])
def test_with_all_spots_as_landmarks_it_is_kernel_ridge_regression(context_um, place):
    ridge = KernelRidge(SECTIONS, InputSettings(("first",), context_um), 1)
    by_block = list(zip(*(tables(data, context_um) for data in SECTIONS), strict=True))
    stacked = [np.concatenate(of_block) for of_block in by_block]
    scaled = [(table - table.mean(axis=0)) / table.std(axis=0) for table in stacked]
    new = [
        (table - old.mean(axis=0)) / old.std(axis=0)
        for table, old in zip(tables(UNSEEN, context_um), stacked, strict=True)
    ]
    among, to = likeness(scaled, scaled), likeness(new, scaled)
    # Centred features of the kernel, as for an intercept.
    rows = among.mean(axis=0)
    centred = among - rows - rows[:, None] + rows.mean()
    to_centred = to - rows - to.mean(axis=1)[:, None] + rows.mean()
    targets = np.concatenate([data.targets for data in SECTIONS]).astype(float)
    z = [(data.targets - data.targets.mean(axis=0)) / targets.std(axis=0) for data in SECTIONS]
    expected = KernelRidgeOfScikitLearn(alpha=ALPHAS[place], kernel="precomputed")
    expected.fit(centred, np.concatenate(z))
    got = list(ridge.predictions(UNSEEN))[place]
    np.testing.assert_allclose(got, expected.predict(to_centred), atol=1e-4)


def test_the_map_predicts_with_the_alpha_and_slope_of_each_component():
    inputs = InputSettings(("first",), 150.0)
    ridge, components = KernelRidge(SECTIONS[:1], inputs, 1), Components.fit(SECTIONS, 3)
    moments = np.random.default_rng(1).uniform(0.5, 1.5, size=(2, len(ALPHAS), 4))
    best, slope = explained(moments).argmax(axis=0), slopes(moments)
    assert len(set(best)) > 1
    by_alpha = list(ridge.predictions(UNSEEN))
    expected = 0
    for component, place in enumerate(best):
        only = np.zeros(4)
        only[component] = slope[place, component]
        expected = expected + components.scaled(by_alpha[place], only)
    predicted = ridge.fit(components, moments).predict(UNSEEN.features[:, :6], UNSEEN.coords)
    np.testing.assert_allclose(predicted, expected, atol=1e-9)


def test_few_landmarks_come_close_to_all_spots(monkeypatch):
    sections, unseen = [section("A", 1, 16), section("B", 2, 16)], section("C", 3, 16)
    inputs = InputSettings(("first",), 0.0)
    exact = list(KernelRidge(sections, inputs, 1).predictions(unseen))[6]
    monkeypatch.setattr(kernel_ridge, "MOST_LANDMARKS", 150)
    ridge = KernelRidge(sections, inputs, 1)
    assert len(ridge.landmarks.blocks[0].landmarks) == 150
    assert np.corrcoef(list(ridge.predictions(unseen))[6].ravel(), exact.ravel())[0, 1] > 0.95
    assert np.corrcoef(exact.ravel(), (unseen.targets - unseen.targets.mean(axis=0)).ravel())[0, 1] > 0.9


def test_levels_of_sections_are_not_learnt():
    """Each section of the training has another level; a map must not take them for biology."""
    shifted = [SECTIONS[0], section("B", 2)]
    shifted[1].targets[:] += 100
    inputs = InputSettings(("first",), 0.0)
    for one, other in zip(
        KernelRidge(SECTIONS, inputs, 1).predictions(UNSEEN),
        KernelRidge(shifted, inputs, 1).predictions(UNSEEN),
        strict=True,
    ):
        # The deviation that z units divide by has grown; the map is the same.
        np.testing.assert_allclose(one / one.std(axis=0), other / other.std(axis=0), atol=1e-3)


def test_prediction_does_not_depend_on_block_size_or_on_the_order_of_spots(monkeypatch):
    inputs = InputSettings(("first",), 150.0)
    ridge, components = KernelRidge(SECTIONS, inputs, 1), Components.fit(SECTIONS, 3)
    fitted = ridge.fit(components, held_back_moments(ridge, [UNSEEN], components))
    features, coords = UNSEEN.features[:, :6], UNSEEN.coords
    whole = fitted.predict(features, coords)
    monkeypatch.setattr(kernel, "BLOCK_SPOTS", 7)
    np.testing.assert_allclose(fitted.predict(features, coords), whole, atol=1e-10)
    order = np.random.default_rng(1).permutation(len(features))
    np.testing.assert_allclose(fitted.predict(features[order], coords[order]), whole[order], atol=1e-10)


def test_spots_that_are_all_alike_are_predicted_at_the_mean():
    same = [section("A", 1), section("B", 2)]
    for data in same:
        data.features[:] = 1
    for predicted in KernelRidge(same, InputSettings(("first",), 150.0), 1).predictions(same[0]):
        np.testing.assert_allclose(predicted, 0, atol=1e-9)


def test_slopes_are_those_of_least_squares_between_their_bounds():
    rng = np.random.default_rng(1)
    components = Components.fit(SECTIONS, 2)
    truth = rng.normal(size=(50, GENES))
    predicted = components.scaled(truth, np.array([2.0, 0.5, -1.0]))
    moments = components.moments(truth, predicted)
    # The prediction is twice too large, half as large, and of the wrong sign.
    np.testing.assert_allclose(slopes(moments), [0.5, 1.0, SMALLEST_SLOPE])
    best = components.scaled(predicted, np.array([0.5, 1.0, SMALLEST_SLOPE]))
    centred, rest = truth - truth.mean(axis=0), truth - best
    gain = (centred**2).sum() - ((rest - rest.mean(axis=0)) ** 2).sum()
    assert explained(moments).sum() == pytest.approx(gain)
    assert slopes(np.zeros((2, 1))) == SMALLEST_SLOPE
