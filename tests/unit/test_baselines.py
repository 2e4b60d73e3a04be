import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from ressat import baselines
from ressat.metrics import pearson
from ressat.section_data import SectionData

SLOPES = np.random.default_rng(99).normal(size=(30, 6))


def section(name: str, seed: int, spots: int = 120) -> SectionData:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(spots, 30)).astype(np.float32)
    targets = (features @ SLOPES + 2 * rng.normal(size=(spots, 6)) + 10).astype(np.float32)
    return SectionData(name, name, features, targets, rng.uniform(0, 2000, size=(spots, 2)))


@pytest.fixture(scope="module")
def training() -> list[SectionData]:
    return [section("A", 1), section("B", 2)]


@pytest.fixture(scope="module")
def unseen() -> SectionData:
    return section("C", 3)


def test_training_mean_is_the_mean_of_the_training_spots(training, unseen):
    predicted = baselines.mean_baseline(training, unseen.features)
    expected = np.concatenate([data.targets for data in training]).mean(axis=0)
    np.testing.assert_allclose(predicted, np.tile(expected, (120, 1)), rtol=1e-6)


def test_tuned_ridge_predicts_an_unseen_section(training, unseen):
    predicted = baselines.tuned_ridge(training, unseen.features, gap_um=112)
    assert pearson(unseen.targets, predicted).mean() > 0.85


def test_tuned_ridge_shrinks_when_there_is_nothing_to_learn(training, unseen):
    rng = np.random.default_rng(5)
    noise = [
        SectionData(d.section, d.patient, d.features, rng.normal(size=d.targets.shape), d.coords)
        for d in training
    ]
    predicted = baselines.tuned_ridge(noise, unseen.features, gap_um=112)
    assert np.isfinite(predicted).all()
    assert predicted.std(axis=0).max() < 0.5


def test_a_lone_training_section_is_tuned_on_its_halves(unseen):
    predicted = baselines.tuned_ridge([section("A", 1, 200)], unseen.features, gap_um=112)
    assert pearson(unseen.targets, predicted).mean() > 0.7


def test_hest_ridge_is_the_published_protocol(training, unseen):
    x = np.concatenate([data.features for data in training]).astype(float)
    y = np.concatenate([data.targets for data in training]).astype(float)
    scaler = StandardScaler().fit(x)
    pca = PCA(30, random_state=0).fit(scaler.transform(x))
    z = pca.transform(scaler.transform(x))
    alpha = 100 / (30 * 6)
    weights = np.linalg.solve(z.T @ z + alpha * np.eye(30), z.T @ (y - y.mean(axis=0)))
    expected = pca.transform(scaler.transform(unseen.features)) @ weights + y.mean(axis=0)
    np.testing.assert_allclose(baselines.hest_ridge(training, unseen.features), expected, rtol=1e-6)
