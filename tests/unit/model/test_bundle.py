from dataclasses import replace

import numpy as np
import pytest
import torch
from saved_model import REQUIRES, small_bundle

from ressat.base.errors import InputError, about
from ressat.counts.expression_unit import LOG1P_CP10K, ExpressionUnit
from ressat.model import kernel, trained_model
from ressat.model.bundle import Bundle
from ressat.model.prediction import predict


@pytest.fixture
def bundle() -> Bundle:
    return small_bundle()


COORDS = 100.0 * np.stack(np.meshgrid(np.arange(10), np.arange(9)), -1).reshape(-1, 2)


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(90, 1024)).astype(np.float32)


def test_a_saved_model_predicts_as_the_one_that_was_saved(bundle, features, tmp_path):
    bundle.write(tmp_path / "model.pt")
    again = Bundle.read(tmp_path / "model.pt")
    for layer, values in predict(bundle, features, COORDS).items():
        np.testing.assert_array_equal(predict(again, features, COORDS)[layer], values)
    assert (again.genes, again.ranks) == (bundle.genes, bundle.ranks)
    assert again.trained.head.inputs == bundle.trained.head.inputs
    assert (again.requires, again.provenance) == (bundle.requires, bundle.provenance)


def test_the_same_model_gives_the_same_bytes(bundle, tmp_path):
    bundle.write(tmp_path / "model.pt")
    bundle.write(tmp_path / "other_name.pt")
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "other_name.pt").read_bytes()


def test_a_model_predicts_in_its_own_unit_and_refuses_another(bundle, tmp_path):
    thinned = ExpressionUnit("thinned", 1000)
    replace(bundle, unit=thinned).write(tmp_path / "model.pt")
    again = Bundle.read(tmp_path / "model.pt")
    assert again.unit == thinned
    again.check_unit(thinned)
    for unit in (LOG1P_CP10K, ExpressionUnit("thinned", 999)):
        with pytest.raises(InputError, match=r"set expression: \{unit: thinned, depth: 1000\} in config"):
            again.check_unit(unit)
    with pytest.raises(InputError, match=r"thinned to 1,000 counts, the model predicts log1p CP10k;"):
        bundle.check_unit(thinned)


def test_combined_is_the_share_of_attended_that_was_chosen(bundle, features):
    layers = predict(bundle, features, COORDS)
    expected = 0.25 * layers["attended"] + 0.75 * layers["direct"]
    np.testing.assert_allclose(layers["combined"], expected, atol=1e-12)


@pytest.mark.parametrize("spots", [1, 13, 90])
def test_prediction_does_not_depend_on_block_size(bundle, features, monkeypatch, spots):
    whole = predict(bundle, features, COORDS)
    for module in (trained_model, kernel):
        monkeypatch.setattr(module, "BLOCK_SPOTS", spots)
    for layer, values in predict(bundle, features, COORDS).items():
        np.testing.assert_allclose(values, whole[layer], atol=1e-10)


def test_prediction_does_not_depend_on_the_order_of_spots(bundle, features):
    order = np.random.default_rng(2).permutation(len(features))
    whole = predict(bundle, features, COORDS)
    for layer, values in predict(bundle, features[order], COORDS[order]).items():
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
    bundle.check(REQUIRES)
    with (
        pytest.raises(InputError, match=f"section S: features.h5: .*{value}"),
        about(section="S", file="features.h5"),
    ):
        bundle.check({**REQUIRES, name: value})


def test_a_model_of_one_encoder_reads_the_first_of_a_study(bundle):
    assert bundle.encoders_among(["uni", "resnet50"]) == ["uni"]


def test_a_model_of_several_encoders_needs_them_by_name(bundle):
    inputs = replace(bundle.trained.head.inputs, layers=("uni.class_token", "resnet50.layer3"))
    joint = replace(bundle, trained=replace(bundle.trained, head=replace(bundle.trained.head, inputs=inputs)))
    assert joint.encoders_among(["resnet50", "uni", "third"]) == ["uni", "resnet50"]
    with pytest.raises(
        InputError, match="the model reads the encoder uni, and the study has resnet50; expected"
    ):
        joint.encoders_among(["resnet50"])


@pytest.mark.parametrize(
    ("encoders", "said"),
    [
        (
            {"resnet50": {"layer4": 2048}},
            "the model reads the layer layer3, and the encoder has layer4; expected",
        ),
        (
            {"own": {"layer3": 1000}},
            "the layers that the model reads have 1000 features, and it was trained on 1024",
        ),
    ],
)
def test_encoders_without_the_layers_of_the_model_are_refused(bundle, encoders, said):
    bundle.check_widths({"resnet50": {"layer3": 1024, "layer4": 2048}})
    with pytest.raises(InputError, match=said):
        bundle.check_widths(encoders)


@pytest.mark.parametrize("layers", [["layer3", "shades.grid"], [".layer3"], ["shades."]])
def test_layers_that_are_neither_plain_nor_of_encoders_are_refused(bundle, layers, tmp_path):
    inputs = replace(bundle.trained.head.inputs, layers=tuple(layers))
    trained = replace(bundle.trained, head=replace(bundle.trained.head, inputs=inputs))
    chosen = bundle.provenance["chosen"] | {"layers": layers}
    odd = replace(bundle, trained=trained, provenance=bundle.provenance | {"chosen": chosen})
    with pytest.raises(InputError, match=r"inputs\.layers are"):
        odd.write(tmp_path / "model.pt")


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
    with pytest.raises(InputError, match="a saved model of version 99; expected version 3; train it again"):
        Bundle.read(tmp_path / "model.pt")
