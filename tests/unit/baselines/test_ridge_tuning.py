from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ressat.baselines.ridge_tuning import ALPHAS, choose_ridges, in_context
from ressat.model.inputs import InputSettings
from ressat.model.pieces import pieces, turns
from ressat.model.section_data import SectionData
from ressat.stats.metrics import pearson

FEATURES = 60
WIDTHS = {"first": 30, "second": 30}
SLOPES = np.random.default_rng(99).normal(size=(FEATURES // 2, 6))


def section(name: str, seed: int, spots: int) -> SectionData:
    """Targets follow the first half of the features; the second half is noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(3, 2, size=(spots, FEATURES)).astype(np.float32)
    signal = (features[:, : FEATURES // 2] - 3) @ SLOPES
    targets = (signal + 15 * rng.normal(size=(spots, 6)) + 10).astype(np.float32)
    coords, depth = rng.uniform(0, 2000, size=(spots, 2)), features[:, -1] + rng.normal(size=spots)
    return SectionData(name, name, features, targets, depth, coords, WIDTHS)


COLUMNS = {("first",): np.arange(30), ("second",): np.arange(30, 60), ("first", "second"): np.arange(60)}


def targets(data: SectionData, aim: str) -> np.ndarray:
    return data.targets if aim == "genes" else data.log_counts[:, None]


@pytest.mark.parametrize("aim", ["genes", "depth"])
@pytest.mark.parametrize("spots", [200, 25])
def test_it_is_the_ridge_of_scikit_learn_that_is_chosen(spots, aim):
    """With more spots than features, and with fewer."""
    parts = pieces([section("A", 1, spots), section("B", 2, spots + 3), section("C", 3, spots)], 112)
    chosen = getattr(choose_ridges(parts, COLUMNS), aim)
    scores = {}
    for layers, columns in COLUMNS.items():
        for alpha in ALPHAS:
            values = []
            for learnt, held_back in turns(parts):
                model = make_pipeline(StandardScaler(), Ridge(alpha=alpha))
                x = np.concatenate([data.features for data in learnt])[:, columns].astype(float)
                model.fit(x, np.concatenate([targets(data, aim) for data in learnt]).astype(float))
                predicted = model.predict(held_back[0].features[:, columns].astype(float))
                values.append(
                    pearson(targets(held_back[0], aim), predicted.reshape(len(predicted), -1)).mean()
                )
            scores[layers, alpha] = np.mean(values)
    best = max(scores, key=scores.get)
    assert chosen.inputs == InputSettings(best[0], 0)
    assert chosen.alpha == pytest.approx(best[1])
    assert chosen.score == pytest.approx(scores[best], abs=1e-5)


def test_predictions_of_held_back_sections_come_with_the_choice():
    sections = [section("A", 1, 150), section("B", 2, 120)]
    parts = pieces(sections, 112)
    chosen = choose_ridges(parts, {("first",): COLUMNS["first",]})
    model = make_pipeline(StandardScaler(), Ridge(alpha=chosen.genes.alpha))
    model.fit(sections[1].features[:, :30].astype(float), sections[1].targets.astype(float))
    expected = model.predict(sections[0].features[:, :30].astype(float))
    np.testing.assert_allclose(chosen.held_back[0][0], expected, atol=1e-3)


def test_layers_that_tell_nothing_are_not_chosen():
    parts = pieces([section("A", 1, 300), section("B", 2, 300)], 112)
    chosen = choose_ridges(parts, COLUMNS)
    assert (chosen.genes.inputs.layers, chosen.depth.inputs.layers) == (("first",), ("second",))


@pytest.mark.parametrize("follows_neighbours", [True, False])
def test_features_are_averaged_with_their_context_where_that_tells_more(follows_neighbours):
    sections = []
    for name, seed in (("A", 1), ("B", 2)):
        data = section(name, seed, 200)
        tells = in_context(data, 150.0).features if follows_neighbours else data.features
        noise = np.random.default_rng(seed).normal(size=(200, 6))
        sections.append(replace(data, targets=tells[:, :30] @ SLOPES + noise))
    chosen = choose_ridges(pieces(sections, 112), COLUMNS, contexts_um=(0.0, 150.0))
    assert chosen.genes.inputs == InputSettings(("first",), 150.0 if follows_neighbours else 0.0)
    assert chosen.depth.inputs == InputSettings(("second",), 0.0)
    for data, predicted in zip((sections[0], sections[1]), chosen.held_back, strict=True):
        assert pearson(data.targets, predicted[0]).mean() > 0.9


def test_where_nothing_can_be_learnt_the_ridge_shrinks():
    rng = np.random.default_rng(5)
    noise = [
        replace(data, targets=rng.normal(size=data.targets.shape))
        for data in (section("A", 1, 90), section("B", 2, 90))
    ]
    chosen = choose_ridges(pieces(noise, 112), {("second",): COLUMNS["second",]})
    assert chosen.genes.score < 0.1
