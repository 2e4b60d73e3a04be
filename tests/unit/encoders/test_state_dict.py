"""Files of weights, read as those of a ResNet50."""

import os
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from ressat.base.errors import InputError
from ressat.encoders.families.resnet import load_weights
from ressat.encoders.families.torchvision_import import import_torchvision


def test_weights_of_a_file_are_loaded_and_widened(state, tmp_path):
    path = tmp_path / "weights.pth"
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    torch.save({**half, "fc.weight": torch.zeros(2, 2048), "fc.bias": torch.zeros(2)}, path)
    loaded = load_weights(path)
    assert loaded.keys() == state.keys()
    assert loaded["conv1.weight"].dtype == torch.float32
    torch.testing.assert_close(loaded["conv1.weight"], state["conv1.weight"], atol=1e-3, rtol=1e-3)


def test_weights_of_a_safetensors_file_are_those_of_a_pickle(state, tmp_path):
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, tmp_path / "weights.safetensors")
    # What a file is, its content says.
    (tmp_path / "weights.bin").write_bytes((tmp_path / "weights.safetensors").read_bytes())
    for file in ("weights.safetensors", "weights.bin"):
        loaded = load_weights(tmp_path / file)
        assert loaded.keys() == state.keys()
        assert all(torch.equal(tensor, loaded[name]) for name, tensor in state.items())


@pytest.mark.parametrize(
    ("prefix", "wrapper"),
    [("module.", None), ("backbone.", None), ("encoder.", "model"), ("model.backbone.", "state_dict")],
)
def test_what_a_training_put_around_the_weights_is_taken_off(state, tmp_path, prefix, wrapper):
    path = tmp_path / "last.ckpt"
    inner = {f"{prefix}{name}": tensor for name, tensor in state.items()}
    inner |= {f"{prefix}fc.weight": torch.zeros(2, 2048), "projector.0.weight": torch.zeros(3)}
    torch.save({"epoch": 3, wrapper: inner, "optimizer_states": [{}]} if wrapper else inner, path)
    loaded = load_weights(path)
    assert loaded.keys() == state.keys()
    assert torch.equal(loaded["layer4.2.conv3.weight"], state["layer4.2.conv3.weight"])


def test_two_networks_in_one_file_are_refused(state, tmp_path):
    path = tmp_path / "moco.pth"
    names = ("module.encoder_q.", "module.encoder_k.")
    torch.save({f"{one}{name}": tensor for one in names for name, tensor in state.items()}, path)
    message = refusal(path)
    assert "2 networks, below module.encoder_q., module.encoder_k.; expected the state dict of one" in message


def test_differences_are_those_below_what_a_training_put_before_the_names(state, tmp_path):
    path = tmp_path / "last.ckpt"
    inner = {f"model.{name}": tensor for name, tensor in state.items() if name != "bn1.weight"}
    torch.save({"state_dict": inner | {"model.extra": torch.zeros(1)}}, path)
    assert "2 in all: bn1.weight is missing, extra is unknown; " in refusal(path)


def test_a_cut_safetensors_file_is_refused(state, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    os.truncate(path, path.stat().st_size // 2)
    assert "it cannot be read as a state dict (SafetensorError)" in refusal(path)


def test_weights_of_another_network_are_refused_with_the_differences(state, tmp_path):
    path = tmp_path / "weights.pth"
    wrong = {**state, "layer1.0.conv1.weight": torch.zeros(64, 64, 3, 3), "extra": torch.zeros(1)}
    del wrong["conv1.weight"]
    torch.save(wrong, path)
    with pytest.raises(InputError) as error:
        load_weights(path)
    message = str(error.value)
    assert str(path) in message
    assert "conv1.weight is missing" in message
    assert "layer1.0.conv1.weight is (64, 64, 3, 3), not (64, 64, 1, 1)" in message
    assert "extra is unknown" in message


def refusal(path) -> str:
    with pytest.raises(InputError) as error:
        load_weights(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    assert message.count("; ") == 2, "what was found; what was expected; what to do"
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "resnet18",
            "layer1.0.conv1.weight is (64, 64, 3, 3), not (64, 64, 1, 1), layer1.0.conv3.weight is mi",
        ),
        ("resnet101", "layer3.6.conv1.weight is unknown"),
    ],
)
def test_weights_of_another_resnet_are_refused(tmp_path, name, said):
    path = tmp_path / "weights.pth"
    torch.save(getattr(import_torchvision().models, name)(weights=None).state_dict(), path)
    message = refusal(path)
    assert "differences from a torchvision ResNet50, " in message
    assert said in message
    assert "expected its names and shapes" in message
    assert message.endswith("convert the weights, or name the right file in features.weights.")


def test_weights_in_whole_numbers_are_refused(state, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({**state, "conv1.weight": state["conv1.weight"].to(torch.int8)}, path)
    assert "1 in all: conv1.weight is torch.int8, not torch.float32" in refusal(path)


def test_a_training_checkpoint_without_weights_is_refused_with_its_entries(tmp_path):
    path = tmp_path / "last.ckpt"
    torch.save({"epoch": 3, "optimizer_states": [], "loops": {}}, path)
    message = refusal(path)
    assert "a dict of epoch, optimizer_states, loops that does not map names to tensors" in message
    assert message.endswith("save model.state_dict() alone.")


def test_tensors_without_numbers_are_refused(state, tmp_path):
    name = next(iter(state))
    for hollow in (state[name].to("meta"), state[name].to_sparse()):
        torch.save(state | {name: hollow}, tmp_path / "weights.pth")
        message = refusal(tmp_path / "weights.pth")
        assert f"1 tensors without numbers, or sparse ({name})" in message


def test_a_whole_pickled_model_is_refused(tmp_path):
    path = tmp_path / "model.pth"
    torch.save(torch.nn.Linear(2, 2), path)
    message = refusal(path)
    assert "it cannot be read as a state dict" in message
    assert "save model.state_dict() alone" in message


class Harmful:
    """Makes a folder wherever it is unpickled."""

    def __init__(self, marker) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("as_zip", [True, False])
def test_code_in_a_weights_file_is_not_run(state, tmp_path, as_zip):
    path, marker = tmp_path / "weights.pth", tmp_path / "marker"
    harmful = {**state, "conv1.weight": Harmful(marker)}
    torch.save(harmful, path, _use_new_zipfile_serialization=as_zip)
    assert b"marker" in path.read_bytes()
    assert "it cannot be read as a state dict" in refusal(path)
    assert not marker.exists()


def test_a_truncated_weights_file_is_refused(state, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(state, path)
    os.truncate(path, path.stat().st_size // 2)
    message = refusal(path)
    assert "it cannot be read as a state dict" in message
    assert "copy the file again if it was cut short" in message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1, 2, 3], "a list that does not map names to tensors"),
        ({1: torch.zeros(1)}, "a dict of 1 that does not map names to tensors"),
        (b"", "an empty file; expected the state dict of a torchvision ResNet50"),
        (b"not a checkpoint", "it cannot be read as a state dict"),
    ],
)
def test_a_file_that_is_no_state_dict_is_refused(content, said, tmp_path):
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    assert said in refusal(path)


def test_a_missing_weights_file_is_refused(tmp_path):
    assert "it cannot be read (No such file or directory)" in refusal(tmp_path / "none.pth")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["conv1.weight", "layer4.2.bn3.running_mean", "layer2.0.bn1.bias"])
def test_one_weight_that_is_not_finite_is_enough_to_refuse(state, tmp_path, name, value):
    path = tmp_path / "weights.pth"
    wrong = state[name].clone()
    wrong.view(-1)[-1] = value
    torch.save({**state, name: wrong}, path)
    message = refusal(path)
    assert f"{name} has 1 numbers of {wrong.numel()} that are not finite" in message
    assert "a training that did not diverge" in message


def test_weights_that_overflow_in_half_precision_are_refused(state, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({**state, "bn1.running_var": torch.full((64,), 1e5).half()}, path)
    assert "bn1.running_var has 64 numbers of 64 that are not finite" in refusal(path)


@pytest.mark.parametrize("value", [-1.0, -1e-3])
def test_a_negative_variance_is_refused(state, tmp_path, value):
    path = tmp_path / "weights.pth"
    torch.save({**state, "layer1.0.bn2.running_var": torch.full((64,), value)}, path)
    assert f"layer1.0.bn2.running_var has a negative variance ({value:g})" in refusal(path)


def test_weights_that_unpack_to_more_than_the_file_are_refused(tmp_path):
    path, bomb = tmp_path / "weights.pth", tmp_path / "bomb.pth"
    torch.save({"conv1.weight": torch.zeros(10_000_000)}, path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert bomb.stat().st_size < 1_000_000
    assert "its records are compressed (40" in refusal(bomb)
