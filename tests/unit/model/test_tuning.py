from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from ressat.model.components import slopes
from ressat.model.inputs import InputSettings
from ressat.model.mixture import ATTENDED_SHARES, MARGIN, MixtureSettings
from ressat.model.network import HeadSettings, spot_interaction
from ressat.model.section_data import SectionData
from ressat.model.training import Run, TrainSettings
from ressat.model.tuning import CHECK_EVERY, MIN_STEPS, Candidate, train
from ressat.stats.metrics import pearson
from ressat.stats.neighbours import smoothed

LAYERS = {"layer3": 256, "layer4": 256}
WIDTH = sum(LAYERS.values())
SETTINGS = TrainSettings(
    learning_rate=1e-3, weight_decay=0.01, max_steps=160, patience=40, spots_per_step=512, seed=3
)
HEAD = HeadSettings(hidden=16, dropout=0.2, members=2)
MIXTURES = MixtureSettings(kernel_shares=(0.5, 0, 1), components=100)
HEAD_ALONE = MixtureSettings(kernel_shares=(0,), components=0)
THIRD, FOURTH = Candidate(("layer3",), 1.0, HEAD), Candidate(("layer4",), 1.0, HEAD)
SPREAD, SLOPES = (np.random.default_rng(seed).normal(size=(8, width)) for seed, width in ((7, 256), (9, 5)))
TILE_UM = 112


def section(name: str, patient: str, seed: int, side: int = 9) -> SectionData:
    """Targets follow smooth hidden variables that layer4 shows; layer3 is noise."""
    rng = np.random.default_rng(seed)
    coords = 100.0 * np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2)
    hidden = smoothed(rng.normal(size=(side * side, 8)), coords, 0.7)
    features = rng.normal(size=(side * side, WIDTH)).astype(np.float32)
    features[:, 256:] = hidden @ SPREAD + 0.5 * features[:, 256:]
    targets = (3 + hidden @ SLOPES + 0.3 * rng.normal(size=(side * side, 5))).astype(np.float32)
    return SectionData(name, patient, features, targets, np.zeros(len(coords)), coords, LAYERS)


SECTIONS = [section("A", "p1", 1), section("B", "p2", 2), section("C", "p2", 3)]


@pytest.fixture(scope="module")
def result():
    return train(SECTIONS, TILE_UM, [THIRD, FOURTH], SETTINGS, MIXTURES)


def test_the_layers_that_tell_most_of_held_back_sections_are_chosen(result):
    trained, _, trials, _, held_back = result
    assert [trial.candidate for trial in trials] == [FOURTH, THIRD]
    assert trained.head.inputs == InputSettings(("layer4",), 100.0)
    assert trials[0].pearson > 0.5 > 0.3 > trials[1].pearson
    assert held_back == ["patient p2", "patient p1"]


def test_the_trials_score_is_that_of_the_combined_prediction_of_held_back_patients(result):
    trial = result[2][0]
    values = []
    for learnt, unseen in (([SECTIONS[0]], SECTIONS[1:]), (SECTIONS[1:], [SECTIONS[0]])):
        run = Run(learnt, InputSettings(("layer4",), 100.0), HEAD, SETTINGS)
        run.advance(trial.steps)
        of_sections = []
        for data in unseen:
            direct = run.direct(run.reader(data))
            mixed = trial.attended_share * spot_interaction(direct) + (1 - trial.attended_share) * direct
            of_sections.append(pearson(data.targets, mixed.numpy()).mean())
        values.append(np.mean(of_sections))
    assert trial.pearson == pytest.approx(np.mean(values), abs=1e-5)


def test_the_fewest_steps_are_taken_that_come_close_to_the_best(result):
    trained, _, trials, history, _ = result
    selection = history[history["stage"] == "selection"].set_index("step")["held_back_pearson"]
    enough = selection[selection.index >= MIN_STEPS]
    assert trained.head.steps == trials[0].steps == (enough >= enough.max() - MARGIN).idxmax()
    assert selection.index.max() <= min(selection.idxmax() + SETTINGS.patience, SETTINGS.max_steps)


def test_the_share_is_the_even_one_unless_another_is_clearly_better(result):
    trial = result[2][0]
    history = trial.history.set_index("step")["held_back_pearson"]
    assert trial.attended_share in ATTENDED_SHARES
    even = history[trial.steps]
    assert (trial.attended_share == 0.5) == (trial.pearson == pytest.approx(even, abs=1e-12))
    assert trial.pearson == pytest.approx(even) or trial.pearson > even + MARGIN


def test_the_history_has_both_terms_for_both_stages(result):
    trained, _, _, history, _ = result
    selection, final = (history[history["stage"] == stage] for stage in ("selection", "final"))
    terms = ["learnt_direct", "learnt_attended", "held_back_direct", "held_back_attended"]
    assert selection[terms].notna().all(axis=None)
    assert final[terms[:2]].notna().all(axis=None)
    assert final[terms[2:]].isna().all(axis=None)
    assert final["step"].tolist() == list(range(CHECK_EVERY, trained.head.steps + 1, CHECK_EVERY))


def test_the_final_model_learns_from_all_sections_for_the_steps_chosen(result):
    trained, mixture, trials, *_ = result
    run = Run(SECTIONS, trained.head.inputs, HEAD, SETTINGS)
    run.advance(trials[0].steps)
    matrix = mixture.components.scaled(np.eye(5), slopes(mixture.head_moments))
    expected = run.finish().then(matrix).network.state_dict()
    for name, tensor in trained.head.network.state_dict().items():
        assert torch.equal(expected[name], tensor)


def test_without_kernel_and_components_the_head_is_left_as_it_is():
    trained, mixture, trials, *_ = train(SECTIONS, TILE_UM, [FOURTH], SETTINGS, HEAD_ALONE)
    run = Run(SECTIONS, trained.head.inputs, HEAD, SETTINGS)
    run.advance(trials[0].steps)
    assert trained.kernel is None
    for name, tensor in run.head.state_dict().items():
        assert torch.equal(trained.head.network.state_dict()[name], tensor)
    assert mixture.pearson == pytest.approx(trials[0].pearson, abs=1e-5)


def test_a_later_candidate_that_is_hardly_better_is_not_taken():
    same = [FOURTH, Candidate(("layer4",), 1.0, HEAD)]
    _, _, trials, *_ = train(SECTIONS[:2], TILE_UM, same, SETTINGS, HEAD_ALONE)
    assert trials[0].candidate is same[0]


def test_the_same_inputs_give_the_same_model_and_history(result):
    trained, _, _, history, _ = train(SECTIONS, TILE_UM, [THIRD, FOURTH], SETTINGS, MIXTURES)
    pd.testing.assert_frame_equal(history, result[3])
    assert trained.kernel_share == result[0].kernel_share > 0
    np.testing.assert_array_equal(trained.kernel.weights, result[0].kernel.weights)
    for name, tensor in trained.head.network.state_dict().items():
        assert torch.equal(result[0].head.network.state_dict()[name], tensor)


def test_a_lone_section_is_tuned_on_its_halves():
    lone = [section("A", "p1", 1, side=14)]
    trained, _, _, _, held_back = train(lone, TILE_UM, [FOURTH], SETTINGS, MIXTURES)
    half = "half of section A, with a gap of 112 um"
    assert held_back == [f"one {half}", f"the other {half}"]
    assert 1 <= trained.head.steps <= SETTINGS.max_steps


def test_training_ends_at_the_upper_bound():
    settings = replace(SETTINGS, max_steps=30, patience=1000)
    trained, _, _, history, _ = train(SECTIONS[:2], TILE_UM, [FOURTH], settings, MIXTURES)
    assert history.loc[history["stage"] == "selection", "step"].tolist() == [20, 30]
    assert trained.head.steps in (20, 30)
