from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ressat.base.errors import InputError
from ressat.baselines import fitting, linear
from ressat.baselines.linear import FoldBaselines
from ressat.baselines.prediction import predict_baselines
from ressat.encoders.registry import ENCODERS
from ressat.features.cache import COLOUR
from ressat.model.components import Components
from ressat.model.inputs import InputSettings
from ressat.model.kernel_ridge import KernelRidge, held_back_moments
from ressat.model.network import spot_interaction
from ressat.model.pieces import pieces, turns
from ressat.model.section_data import SectionData
from ressat.stats.metrics import pearson
from ressat.stats.neighbours import smoothed, with_context

GENES = [f"g{i}" for i in range(6)]
LAYERS = ENCODERS.load("resnet50").layers
WIDTH = sum(LAYERS.values())
SLOPES = np.random.default_rng(99).normal(size=(30, 6))
GAP_UM = 112
READS = fitting.ModelInputs(("layer4",), context=1.5, components=4, seed=1)


def section(name: str, seed: int, side: int = 12) -> SectionData:
    """Targets follow 30 hidden variables that a random map spreads over all features; smooth in space."""
    rng = np.random.default_rng(seed)
    coords = 100.0 * np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2)
    hidden = smoothed(rng.normal(size=(side * side, 30)), coords, 1.0)
    spread = np.random.default_rng(7).normal(size=(30, WIDTH))
    features = (hidden @ spread + 0.1 * rng.normal(size=(side * side, WIDTH))).astype(np.float32)
    targets = (5 * hidden @ SLOPES + 4 * rng.normal(size=(side * side, 6)) + 10).astype(np.float32)
    log_counts = 8 + hidden[:, 0] + 0.1 * rng.normal(size=side * side)
    return SectionData(name, name, features, targets, log_counts, coords, LAYERS)


def colour(data: SectionData) -> SectionData:
    return replace(data, features=data.features[:, :9], widths={COLOUR: 9})


TRAINING = [section("A", 1), section("B", 2), section("C", 3)]
UNSEEN = section("D", 4)


def read(layers: tuple[str, ...]) -> np.ndarray:
    """Features of the unseen section by layer, as from its cache."""
    if layers == (COLOUR,):
        return UNSEEN.features[:, :9]
    columns = {"layer3": slice(0, 1024), "layer4": slice(1024, None)}
    parts = [UNSEEN.features[:, columns[layer]] for layer in layers]
    return np.hstack(parts) if parts else np.empty((len(UNSEEN.features), 0), np.float32)


def fit(training: list[SectionData]) -> FoldBaselines:
    of_colour = [colour(data) for data in training]
    return fitting.fit_baselines(
        training, of_colour, GENES, hest_layers=("layer3",), inputs=READS, gap_um=GAP_UM
    )


@pytest.fixture(scope="module")
def fitted() -> FoldBaselines:
    return fit(TRAINING)


@pytest.fixture(scope="module")
def predicted(fitted) -> dict[str, np.ndarray]:
    return predict_baselines(fitted, read, UNSEEN.coords)


def stacked() -> tuple[np.ndarray, np.ndarray]:
    x = np.concatenate([data.features for data in TRAINING]).astype(float)
    return x, np.concatenate([data.targets for data in TRAINING]).astype(float)


def test_training_mean_is_the_mean_of_the_training_spots(predicted):
    np.testing.assert_allclose(predicted["training_mean"], np.tile(stacked()[1].mean(axis=0), (144, 1)))


def test_hest_ridge_is_the_published_protocol(predicted):
    x, y = stacked()
    x, new = x[:, :1024], UNSEEN.features[:, :1024]
    scaler = StandardScaler().fit(x)
    pca = PCA(256, random_state=0).fit(scaler.transform(x))
    z = pca.transform(scaler.transform(x))
    alpha = 100 / (256 * 6)
    weights = np.linalg.solve(z.T @ z + alpha * np.eye(256), z.T @ (y - y.mean(axis=0)))
    expected = pca.transform(scaler.transform(new)) @ weights + y.mean(axis=0)
    np.testing.assert_allclose(predicted["hest_ridge"], expected, rtol=1e-5, atol=1e-5)


def test_tuned_ridge_is_that_of_scikit_learn_with_the_layers_and_alpha_chosen(fitted, predicted):
    chosen = fitted.maps["tuned_ridge"]
    _, y = stacked()
    columns, context_um = fitting.layer_sets(TRAINING[0])[chosen.inputs.layers], chosen.inputs.context_um
    assert context_um in (0, 150)
    x = np.concatenate([with_context(data.features, data.coords, context_um) for data in TRAINING])
    model = make_pipeline(StandardScaler(), Ridge(alpha=chosen.settings["alpha"])).fit(x[:, columns], y)
    new = with_context(UNSEEN.features, UNSEEN.coords, context_um)
    expected = model.predict(new[:, columns])
    np.testing.assert_allclose(predicted["tuned_ridge"], expected, rtol=1e-5, atol=1e-5)


def test_layers_are_put_together_inside_each_encoder():
    widths = {"one.a": 1, "one.b": 2, "two.c": 3}
    data = replace(TRAINING[0], features=np.zeros((len(TRAINING[0].coords), 6), np.float32), widths=widths)
    sets = {names: columns.tolist() for names, columns in fitting.layer_sets(data).items()}
    assert sets == {
        ("one.a",): [0],
        ("one.b",): [1, 2],
        ("one.a", "one.b"): [0, 1, 2],
        ("two.c",): [3, 4, 5],
    }


def test_the_depth_map_is_one_map_of_predicted_depth_for_every_gene(fitted, predicted):
    z = (predicted["depth_map"] - fitted.targets.mean) / fitted.targets.sd
    np.testing.assert_allclose(z, np.tile(z[:, :1], 6), atol=1e-9)
    chosen = fitted.maps["depth_map"]
    columns = fitting.layer_sets(TRAINING[0])[chosen.inputs.layers]
    assert chosen.inputs.context_um == 0
    depths = np.concatenate([data.log_counts for data in TRAINING])
    model = make_pipeline(StandardScaler(), Ridge(alpha=chosen.settings["alpha"]))
    model.fit(stacked()[0][:, columns], depths)
    expected = (model.predict(UNSEEN.features[:, columns].astype(float)) - depths.mean()) / depths.std()
    np.testing.assert_allclose(z[:, 0], expected, rtol=1e-5, atol=1e-5)
    assert np.corrcoef(z[:, 0], UNSEEN.log_counts)[0, 1] > 0.8


def test_baselines_predict_what_can_be_predicted(predicted):
    scores = {
        name: np.nanmean(pearson(UNSEEN.targets, values))
        for name, values in predicted.items()
        if "mean" not in name
    }
    assert scores["tuned_ridge"] > 0.5
    assert scores["tuned_ridge"] > scores["hest_ridge"]
    assert scores["tuned_ridge"] > scores["colour_ridge"] > 0.2
    assert scores["tuned_ridge_smoothed"] > 0.5
    assert scores["tuned_kernel"] > 0.5


def test_the_kernel_alone_is_that_of_the_model(fitted, predicted):
    inputs = InputSettings(("layer4",), 150.0)
    assert fitted.kernel.inputs == inputs
    components = Components.fit(TRAINING, 4)
    moments = sum(
        held_back_moments(KernelRidge(learning, inputs, 1), held_back, components)
        for learning, held_back in turns(pieces(TRAINING, GAP_UM))
    )
    ridge = KernelRidge(TRAINING, inputs, 1)
    z = ridge.fit(components, moments).predict(read(("layer4",)), UNSEEN.coords)
    np.testing.assert_allclose(predicted["tuned_kernel"], ridge.targets.unscale(z), atol=1e-9)


def test_the_ridge_is_attended_as_the_model_is(fitted, predicted):
    z = (predicted["tuned_ridge"] - fitted.targets.mean) / fitted.targets.sd
    attended = spot_interaction(torch.from_numpy(z)).numpy()
    expected = attended * fitted.targets.sd + fitted.targets.mean
    np.testing.assert_allclose(predicted["tuned_ridge_attended"], expected)


def test_the_ridge_is_smoothed_by_the_width_that_was_best_on_held_back_sections(fitted, predicted):
    assert fitted.smoothing_width in fitting.SMOOTHING_WIDTHS
    expected = smoothed(predicted["tuned_ridge"], UNSEEN.coords, fitted.smoothing_width)
    np.testing.assert_allclose(predicted["tuned_ridge_smoothed"], expected)


def test_a_lone_training_section_is_tuned_on_its_halves():
    one = [section("A", 1, side=20)]
    fitted = fit(one)
    layers = predict_baselines(fitted, read, UNSEEN.coords)
    assert pearson(UNSEEN.targets, layers["tuned_ridge"]).mean() > 0.4


def test_baselines_survive_their_file(fitted, predicted, tmp_path):
    fitted.write(tmp_path / "baselines.h5")
    again = FoldBaselines.read(tmp_path / "baselines.h5")
    assert (again.genes, again.sections) == (GENES, ["A", "B", "C"])
    assert again.maps["tuned_ridge"].inputs == fitted.maps["tuned_ridge"].inputs
    assert again.maps["tuned_ridge"].settings == fitted.maps["tuned_ridge"].settings
    for name, values in predict_baselines(again, read, UNSEEN.coords).items():
        np.testing.assert_array_equal(values, predicted[name])


def test_a_file_of_another_version_is_refused(fitted, tmp_path, monkeypatch):
    monkeypatch.setattr(linear, "FORMAT_VERSION", 99)
    fitted.write(tmp_path / "baselines.h5")
    monkeypatch.undo()
    with pytest.raises(InputError, match="version 99"):
        FoldBaselines.read(tmp_path / "baselines.h5")


def replaced(file, name, value):
    del file[name]
    if value is not None:
        file[name] = value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda file: file["maps/hest_ridge/weights"].write_direct(np.full((1024, 6), np.nan)),
            "hest_ridge, weig",
        ),
        (
            lambda file: file["maps/tuned_ridge/intercept"].write_direct(np.full(6, np.inf)),
            "tuned_ridge, interc",
        ),
        (lambda file: file["targets/sd"].write_direct(np.zeros(6)), "a standard deviation"),
        (lambda file: replaced(file, "targets/mean", np.zeros(3)), "targets, mean: the shape is"),
        (lambda file: replaced(file, "maps/training_mean/intercept", None), "it cannot be read"),
        (lambda file: file.attrs.update(smoothing_width=np.nan), "the width of smoothing"),
        (lambda file: file.attrs.update(sections="[1"), "it cannot be read"),
    ],
)
def test_baselines_that_were_changed_are_refused(fitted, tmp_path, change, said):
    fitted.write(tmp_path / "baselines.h5")
    with h5py.File(tmp_path / "baselines.h5", "r+") as file:
        change(file)
    with pytest.raises(InputError, match=rf"baselines\.h5: .*{said}.*; remove it and run again"):
        FoldBaselines.read(tmp_path / "baselines.h5")


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_baselines_that_are_not_finite_are_not_written(fitted, tmp_path, value):
    broken = replace(
        fitted,
        maps={**fitted.maps, "mean": replace(fitted.maps["training_mean"], intercept=np.full(6, value))},
    )
    with pytest.raises(
        InputError, match=r"the fitted baselines: mean, intercept: 6 of 6 numbers are not finite"
    ):
        broken.write(tmp_path / "baselines.h5")
    assert list(tmp_path.iterdir()) == []
