import numpy as np
import pytest
import torch

from ressat.bundle import Bundle
from ressat.errors import InputError
from ressat.model import Head, HeadSettings
from ressat.prediction import predict
from ressat.section_data import Scaler
from ressat.training import TrainedHead

REQUIRES = {
    "weights_sha256": "ab" * 32,
    "tile_um": 112.0,
    "tile_px": 224,
    "stain": "macenko",
    "stain_target": "published",
}


@pytest.fixture
def bundle() -> Bundle:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    settings = HeadSettings(hidden=16, dropout=0.5)
    head = Head(20, 6, settings).eval()
    scalers = [Scaler(rng.normal(size=n), rng.uniform(0.5, 2, size=n)) for n in (20, 6)]
    genes = [f"G{i}" for i in range(6)]
    provenance = {"fold": "all", "sections": ["A"]}
    return Bundle(TrainedHead(head, *scalers, 7), settings, genes, ["layer3"], REQUIRES, provenance)


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(90, 20)).astype(np.float32)


def test_a_saved_model_predicts_as_the_one_that_was_saved(bundle, features, tmp_path):
    bundle.write(tmp_path / "model.pt")
    again = Bundle.read(tmp_path / "model.pt")
    for layer, values in predict(bundle, features).items():
        np.testing.assert_array_equal(predict(again, features)[layer], values)
    assert (again.genes, again.layers) == (bundle.genes, bundle.layers)
    assert (again.requires, again.provenance) == (bundle.requires, bundle.provenance)


def test_the_same_model_gives_the_same_bytes(bundle, tmp_path):
    bundle.write(tmp_path / "model.pt")
    bundle.write(tmp_path / "other_name.pt")
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "other_name.pt").read_bytes()


@pytest.mark.parametrize("block_rows", [1, 13, 90, 4096])
def test_prediction_does_not_depend_on_block_size(bundle, features, block_rows):
    whole = predict(bundle, features)
    for layer, values in predict(bundle, features, block_rows).items():
        np.testing.assert_allclose(values, whole[layer], atol=1e-10)


def test_prediction_does_not_depend_on_the_order_of_spots(bundle, features):
    order = np.random.default_rng(2).permutation(len(features))
    whole = predict(bundle, features)
    for layer, values in predict(bundle, features[order]).items():
        np.testing.assert_allclose(values, whole[layer][order], atol=1e-10)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weights_sha256", "cd" * 32),
        ("tile_um", 55.0),
        ("tile_px", 256),
        ("stain", "reinhard"),
        ("stain_target", "another"),
    ],
)
def test_features_made_in_another_way_are_refused(bundle, name, value):
    bundle.check(REQUIRES, file="features.h5")
    with pytest.raises(InputError, match=f"section S: features.h5: .*{value}"):
        bundle.check({**REQUIRES, name: value}, file="features.h5", section="S")


def test_a_file_that_is_no_model_is_refused(bundle, tmp_path):
    (tmp_path / "model.pt").write_text("nothing of the kind")
    with pytest.raises(InputError, match="cannot be read as a saved model"):
        Bundle.read(tmp_path / "model.pt")
    torch.save({"head": {}}, tmp_path / "model.pt")
    with pytest.raises(InputError, match="cannot be read as a saved model"):
        Bundle.read(tmp_path / "model.pt")


def test_code_hidden_in_a_file_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    torch.save(Trap(), tmp_path / "model.pt")
    with pytest.raises(InputError):
        Bundle.read(tmp_path / "model.pt")
    assert not (tmp_path / "sprung").exists()


def test_a_model_of_another_version_is_refused(bundle, tmp_path):
    bundle.write(tmp_path / "model.pt")
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    torch.save({**content, "version": 99}, tmp_path / "model.pt")
    with pytest.raises(InputError, match="version 99"):
        Bundle.read(tmp_path / "model.pt")
