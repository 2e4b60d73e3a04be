import numpy as np
import pytest
import torch

from ressat.metrics import pearson
from ressat.model import HeadSettings
from ressat.section_data import SectionData
from ressat.training import TrainSettings, train

SETTINGS = TrainSettings(learning_rate=3e-3, weight_decay=0.01, max_epochs=60, patience=15, seed=3)
HEAD = HeadSettings(hidden=32, dropout=0.2)
SLOPES = np.random.default_rng(99).normal(size=(12, 5))


def section(name: str, patient: str, seed: int, spots: int = 80) -> SectionData:
    """Targets that depend linearly on the features, with noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(spots, 12)).astype(np.float32)
    targets = (features @ SLOPES + rng.normal(size=(spots, 5))).astype(np.float32)
    return SectionData(name, patient, features, targets, rng.uniform(0, 2000, size=(spots, 2)))


@pytest.fixture(scope="module")
def sections() -> list[SectionData]:
    return [section("A", "p1", 1), section("B", "p2", 2), section("C", "p2", 3)]


@pytest.fixture(scope="module")
def result(sections):
    return train(sections, 112, HEAD, SETTINGS)


def test_model_learns_what_the_features_tell(result):
    trained, _, _ = result
    unseen = section("D", "p3", 4)
    with torch.inference_mode():
        z = trained.head(torch.tensor(trained.features.scale(unseen.features), dtype=torch.float32))
    assert pearson(unseen.targets, trained.targets.unscale(z.numpy())).mean() > 0.8


def test_history_has_both_terms_for_both_stages(result):
    trained, history, _ = result
    selection = history[history["stage"] == "selection"]
    final = history[history["stage"] == "final"]
    terms = ["learnt_direct", "learnt_attended", "held_back_direct", "held_back_attended"]
    assert selection[terms].notna().all(axis=None)
    assert final[terms[:2]].notna().all(axis=None)
    assert final[terms[2:]].isna().all(axis=None)
    assert list(final["epoch"]) == list(range(1, trained.epochs + 1))


def test_number_of_epochs_is_the_best_of_the_selection(result):
    trained, history, _ = result
    selection = history[history["stage"] == "selection"].set_index("epoch")
    assert trained.epochs == (selection["held_back_direct"] + selection["held_back_attended"]).idxmin()


def test_same_inputs_give_the_same_model(sections, result):
    again, history, _ = train(sections, 112, HEAD, SETTINGS)
    for name, tensor in result[0].head.state_dict().items():
        assert torch.equal(tensor, again.head.state_dict()[name])
    assert history.equals(result[1])


def test_another_seed_gives_another_model(sections, result):
    other, _, _ = train(sections, 112, HEAD, TrainSettings(3e-3, 0.01, 5, 5, seed=4))
    assert not torch.equal(
        next(iter(other.head.state_dict().values())), next(iter(result[0].head.state_dict().values()))
    )


def test_scalers_come_from_the_training_spots(sections, result):
    trained, _, _ = result
    targets = np.concatenate([data.targets for data in sections]).astype(float)
    np.testing.assert_allclose(trained.targets.mean, targets.mean(axis=0))
    np.testing.assert_allclose(trained.targets.sd, targets.std(axis=0))


def test_a_lone_section_can_be_trained_on():
    trained, history, held_back = train([section("A", "p1", 1, spots=150)], 112, HEAD, SETTINGS)
    assert "half of section A" in held_back
    assert 1 <= trained.epochs <= SETTINGS.max_epochs
    assert (history["stage"] == "selection").any()
