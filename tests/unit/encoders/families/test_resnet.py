import numpy as np
import pytest
import torch

from ressat.encoders.families.resnet import PooledResNet50, random_weights
from ressat.encoders.families.torchvision_import import import_torchvision
from ressat.encoders.network import build_network
from ressat.encoders.registry import ENCODERS
from ressat.encoders.untrained import is_untrained

RESNET50 = ENCODERS.load("resnet50")


@pytest.fixture(scope="module")
def tiles() -> torch.Tensor:
    return torch.randint(0, 256, (3, 3, 64, 64), generator=torch.Generator().manual_seed(0)).float()


def trained(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights with batch normalisations as training leaves them; at random they do nothing."""
    rng = torch.Generator().manual_seed(3)

    def moved(name: str, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dim() == 1:
            drawn = torch.rand(tensor.shape, generator=rng)
            return 0.3 * (drawn - 0.5) if name.endswith(("bias", "running_mean")) else 0.8 + 0.4 * drawn
        return tensor

    return {name: moved(name, tensor) for name, tensor in state.items()}


@pytest.mark.parametrize("weights", ["random", "trained"])
def test_pooled_layers_are_those_of_torchvisions_resnet50(state, tiles, weights):
    state = trained(state) if weights == "trained" else state
    resnet = import_torchvision().models.resnet50(weights=None).eval()
    resnet.load_state_dict(state, strict=False)
    mean, sd = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (tiles / 255 - mean.view(1, 3, 1, 1)) / sd.view(1, 3, 1, 1)
    kept = {}
    resnet.layer3.register_forward_hook(lambda *args: kept.update(layer3=args[2].mean(dim=(2, 3))))
    resnet.avgpool.register_forward_hook(lambda *args: kept.update(layer4=args[2].flatten(1)))
    with torch.inference_mode():
        resnet(x)
        pooled = PooledResNet50(RESNET50, state)(tiles)
    assert {name: values.shape for name, values in pooled.items()} == {
        "layer3": (3, 1024),
        "layer4": (3, 2048),
    }
    for name, values in pooled.items():
        torch.testing.assert_close(values, kept[name], rtol=1e-4, atol=1e-4)


def test_bf16_gives_what_autocast_gives(state, tiles):
    state = trained(state)
    with torch.inference_mode():
        found = PooledResNet50(RESNET50, state, torch.bfloat16)(tiles)
        full = PooledResNet50(RESNET50, state)(tiles)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            expected = PooledResNet50(RESNET50, state)(tiles)
    for name, values in found.items():
        assert values.dtype == torch.float32
        torch.testing.assert_close(values, expected[name], rtol=1e-2, atol=1e-3)
        assert torch.cosine_similarity(values, full[name]).min() > 0.999
        assert not torch.equal(values, full[name])


def test_encoder_is_frozen(state):
    encoder = PooledResNet50(RESNET50, state)
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
    _, name, digest = build_network(RESNET50, None, 0)
    assert "random" in name
    assert is_untrained([name])
    assert len(digest) == 64
    assert build_network(RESNET50, None, 1)[2] != digest


def test_real_weights_load_and_tell_tiles_apart(shared):
    encoder, name, digest = build_network(RESNET50, shared / "weights" / "resnet50_imagenet.pth", 0)
    assert name == "resnet50"
    assert not is_untrained([name])
    assert len(digest) == 64
    rng = np.random.default_rng(0)
    flat, noisy = np.full((64, 64, 3), 200), rng.integers(0, 256, (64, 64, 3))
    batch = torch.tensor(np.stack([flat, noisy]), dtype=torch.float32).permute(0, 3, 1, 2)
    with torch.inference_mode():
        layer3 = encoder(batch)["layer3"]
    assert torch.isfinite(layer3).all()
    assert torch.nn.functional.cosine_similarity(layer3[:1], layer3[1:]).item() < 0.9
