from dataclasses import replace

import numpy as np
import pytest
import torch

from ressat.base.errors import InputError
from ressat.encoders.registry import ENCODERS
from ressat.model.inputs import InputSettings
from ressat.model.network import HeadSettings
from ressat.model.section_data import SectionData
from ressat.model.training import Run, TrainSettings
from ressat.stats.metrics import pearson
from ressat.stats.neighbours import smoothed, with_context

LAYERS = ENCODERS.load("resnet50").layers
WIDTH = sum(LAYERS.values())
SETTINGS = TrainSettings(
    learning_rate=1e-3, weight_decay=0.01, max_steps=100, patience=40, spots_per_step=512, seed=3
)
HEAD = HeadSettings(hidden=16, dropout=0.2, members=2)
INPUTS = InputSettings(("layer3",), 150.0)
SPREAD, SLOPES = (np.random.default_rng(seed).normal(size=(8, width)) for seed, width in ((7, WIDTH), (9, 5)))


def section(name: str, patient: str, seed: int, side: int = 9) -> SectionData:
    """Targets follow eight smooth hidden variables, which all features show with noise."""
    rng = np.random.default_rng(seed)
    coords = 100.0 * np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2)
    hidden = smoothed(rng.normal(size=(side * side, 8)), coords, 0.7)
    features = (hidden @ SPREAD + 0.5 * rng.normal(size=(side * side, WIDTH))).astype(np.float32)
    targets = (3 + hidden @ SLOPES + 0.3 * rng.normal(size=(side * side, 5))).astype(np.float32)
    return SectionData(name, patient, features, targets, np.zeros(len(coords)), coords, LAYERS)


SECTIONS = [section("A", "p1", 1), section("B", "p2", 2), section("C", "p2", 3)]


def trained(steps: int = 80, settings: TrainSettings = SETTINGS) -> Run:
    run = Run(SECTIONS, INPUTS, HEAD, settings)
    run.advance(steps)
    return run


def weights(run: Run) -> list[torch.Tensor]:
    return list(run.head.state_dict().values())


def test_the_model_learns_what_the_features_tell():
    run, unseen = trained(), section("D", "p3", 4)
    z = run.direct(run.reader(unseen)).numpy()
    assert pearson(unseen.targets, run.targets.unscale(z)).mean() > 0.6


def test_both_terms_of_the_loss_fall():
    run = Run(SECTIONS, INPUTS, HEAD, SETTINGS)
    first, last = run.advance(3), [run.advance(20) for _ in range(4)][-1]
    assert last[0] < first[0]
    assert last[1] < first[1]


def test_a_section_is_read_with_its_context_by_the_layers_named():
    data, columns = SECTIONS[0], [*range(1024, WIDTH)]
    assert data.columns(["layer4"]).tolist() == columns
    run = Run(SECTIONS, InputSettings(("layer4",), 200.0), HEAD, SETTINGS)
    expected = run.features.scale(with_context(data.features[:, columns], data.coords, 200.0))
    np.testing.assert_array_equal(run.reader(data).cpu(), expected.astype(np.float32))
    run = Run(SECTIONS, InputSettings(("layer4", "layer3"), 0.0), HEAD, SETTINGS)
    expected = run.features.scale(data.features[:, [*columns, *range(1024)]])
    np.testing.assert_array_equal(run.reader(data).cpu(), expected.astype(np.float32))


def test_scalers_come_from_the_training_spots():
    run = trained(1)
    targets = np.concatenate([data.targets for data in SECTIONS]).astype(float)
    np.testing.assert_allclose(run.targets.mean, targets.mean(axis=0))
    np.testing.assert_allclose(run.targets.sd, targets.std(axis=0))
    read = np.concatenate([INPUTS.read(data.features[:, :1024], data.coords) for data in SECTIONS])
    np.testing.assert_allclose(run.features.mean, read.mean(axis=0))


def test_the_same_inputs_give_the_same_model():
    for one, other in zip(weights(trained()), weights(trained()), strict=True):
        assert torch.equal(one, other)


def test_runs_that_are_advanced_in_turn_do_not_disturb_one_another():
    alone, interleaved, other = trained(40), *(Run(SECTIONS, INPUTS, HEAD, SETTINGS) for _ in range(2))
    for _ in range(8):
        interleaved.advance(5)
        other.advance(3)
    for one, same in zip(weights(alone), weights(interleaved), strict=True):
        assert torch.equal(one, same)


def test_another_seed_gives_another_model():
    other = trained(5, replace(SETTINGS, seed=4))
    assert not torch.equal(weights(trained(5))[0], weights(other)[0])


def test_members_learn_apart_and_predict_together():
    run = trained(30)
    read = run.reader(SECTIONS[0])
    run.head.eval()
    apart = [member(read) for member in run.head.members]
    assert not torch.allclose(*apart, atol=1e-3)
    torch.testing.assert_close(run.direct(read), sum(apart) / 2)


def test_every_section_is_learnt_from_as_often():
    run = Run(SECTIONS, INPUTS, HEAD, SETTINGS)
    seen = []
    for _ in range(9):
        run.advance(1)
        seen.append(3 - len(run.queue))
    assert seen == [1, 2, 3] * 3


def drawn_in_each_step(steps: int, spots: int) -> list[torch.Tensor]:
    """Which spots of the first section a member sees, step by step."""
    run = Run(SECTIONS[:1], INPUTS, HEAD, replace(SETTINGS, spots_per_step=spots))
    x, _ = run.sections[0]
    seen = []
    run.head.members[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    run.advance(steps)
    return [(rows[:, None] == x[None]).all(dim=2).nonzero()[:, 1] for rows in seen]


def test_a_step_draws_spots_of_its_own_from_a_large_section():
    drawn = drawn_in_each_step(30, spots=40)
    assert all(len(set(spots.tolist())) == len(spots) == 40 for spots in drawn)
    assert set(drawn[0].tolist()) != set(drawn[1].tolist())
    assert set(torch.cat(drawn).tolist()) == set(range(81))
    assert all(map(torch.equal, drawn, drawn_in_each_step(30, spots=40)))


def test_drawing_spots_changes_nothing_where_a_section_has_no_more():
    exact, larger = (trained(20, replace(SETTINGS, spots_per_step=spots)) for spots in (81, 5000))
    for one, other in zip(weights(exact), weights(larger), strict=True):
        assert torch.equal(one, other)


def test_a_model_that_learns_from_draws_is_as_good():
    unseen = section("D", "p3", 4)
    scores = []
    for spots in (81, 40):
        run = trained(160, replace(SETTINGS, spots_per_step=spots))
        scores.append(pearson(unseen.targets, run.direct(run.reader(unseen)).numpy()).mean())
    assert scores[1] > scores[0] - 0.02


@pytest.mark.parametrize("rate", [1e6, 1e30])
def test_training_that_diverges_ends_with_what_to_change(rate):
    run = Run(SECTIONS, INPUTS, HEAD, replace(SETTINGS, learning_rate=rate))
    said = r"diverged: after \d+ steps on layer3 .*; lower model\.learning_rate in config\.yaml \(it is "
    with pytest.raises(InputError, match=said):
        run.advance(100)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_the_last_step_broke_is_seen(value):
    run = trained(3)
    with torch.no_grad():
        next(run.head.parameters())[0, 0] = value
    with pytest.raises(InputError, match="training diverged"):
        run.advance(1)
