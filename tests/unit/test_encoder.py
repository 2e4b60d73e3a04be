import numpy as np
import pytest
import torch

from ressat.encoder import Encoder, build_encoder, load_weights, random_weights
from ressat.errors import InputError
from ressat.torchvision_import import import_torchvision


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return random_weights(0)


@pytest.fixture(scope="module")
def tiles() -> torch.Tensor:
    return torch.randint(0, 256, (3, 3, 64, 64), generator=torch.Generator().manual_seed(0)).float()


def test_pooled_layers_are_those_of_torchvisions_resnet50(state, tiles):
    resnet = import_torchvision().models.resnet50(weights=None).eval()
    resnet.load_state_dict(state, strict=False)
    mean, sd = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (tiles / 255 - mean.view(1, 3, 1, 1)) / sd.view(1, 3, 1, 1)
    kept = {}
    resnet.layer3.register_forward_hook(lambda *args: kept.update(layer3=args[2].mean(dim=(2, 3))))
    resnet.avgpool.register_forward_hook(lambda *args: kept.update(layer4=args[2].flatten(1)))
    with torch.inference_mode():
        resnet(x)
        pooled = Encoder(state)(tiles)
    assert {name: values.shape for name, values in pooled.items()} == {
        "layer3": (3, 1024),
        "layer4": (3, 2048),
    }
    for name, values in pooled.items():
        torch.testing.assert_close(values, kept[name], rtol=1e-4, atol=1e-4)


def test_encoder_is_frozen(state):
    encoder = Encoder(state)
    assert not encoder.training
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_random_weights_follow_their_seed(state):
    again, other = random_weights(0), random_weights(1)
    assert all(torch.equal(state[name], again[name]) for name in state)
    assert not torch.equal(state["conv1.weight"], other["conv1.weight"])


def test_random_weights_leave_the_callers_random_numbers_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    random_weights(0)
    assert torch.equal(torch.rand(3), expected)


def test_untrained_weights_are_named_as_such():
    _, name, digest = build_encoder(None, 0)
    assert "random" in name
    assert len(digest) == 64
    assert build_encoder(None, 1)[2] != digest


def test_weights_of_a_file_are_loaded_and_widened(state, tmp_path):
    path = tmp_path / "weights.pth"
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    torch.save({**half, "fc.weight": torch.zeros(2, 2048), "fc.bias": torch.zeros(2)}, path)
    loaded = load_weights(path)
    assert loaded.keys() == state.keys()
    assert loaded["conv1.weight"].dtype == torch.float32
    torch.testing.assert_close(loaded["conv1.weight"], state["conv1.weight"], atol=1e-3, rtol=1e-3)


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


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_file_that_is_no_state_dict_is_refused(content, tmp_path):
    path = tmp_path / "weights.pth"
    if content is None:
        torch.save([1, 2, 3], path)
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match="state dict"):
        load_weights(path)


def test_real_weights_load_and_tell_tiles_apart(shared):
    encoder, name, digest = build_encoder(shared / "weights" / "resnet50_imagenet.pth", 0)
    assert name == "resnet50"
    assert len(digest) == 64
    rng = np.random.default_rng(0)
    flat, noisy = np.full((64, 64, 3), 200), rng.integers(0, 256, (64, 64, 3))
    batch = torch.tensor(np.stack([flat, noisy]), dtype=torch.float32).permute(0, 3, 1, 2)
    with torch.inference_mode():
        layer3 = encoder(batch)["layer3"]
    assert torch.isfinite(layer3).all()
    assert torch.nn.functional.cosine_similarity(layer3[:1], layer3[1:]).item() < 0.9
