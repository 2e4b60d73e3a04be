"""ResNet50: the network up to its last stage, its weights, and the activations that are cached."""

from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ressat.base.files import sha256
from ressat.encoders.encoder import RANDOM, Encoder
from ressat.encoders.families.torchvision_import import import_torchvision
from ressat.encoders.state_dict import read_state_dict, state_sha256

STAGES = ("layer1", "layer2", "layer3", "layer4")
# The classifier.
UNUSED = ("fc.",)


class PooledResNet50(nn.Module):
    """ResNet50 up to layer4, giving the pooled activations of each cached layer.

    Parameters
    ----------
    encoder
        Its description: the layers that are cached, and the pixels that it expects.
    state_dict
        Weights by torchvision's names, without the classifier; see `load_weights`.
    dtype
        What is computed in. Weights are rounded once to bfloat16, and activations after every layer, which
        gives what autocast gives, without its rounding of all weights for every batch.
    """

    def __init__(
        self, encoder: Encoder, state_dict: dict[str, torch.Tensor], dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        resnet = _headless_resnet50()
        resnet.load_state_dict(state_dict, assign=True)
        _fold_batch_norms(resnet.eval())
        self.stem = nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)
        self.blocks = nn.ModuleDict({name: getattr(resnet, name) for name in STAGES})
        self.layers = tuple(encoder.layers)
        self.dtype = dtype
        self.to(dtype)
        self.register_buffer("mean", 255 * torch.tensor(encoder.mean).view(1, 3, 1, 1))
        self.register_buffer("sd", 255 * torch.tensor(encoder.sd).view(1, 3, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, rgb: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the mean over the image of each cached layer's activations.

        Parameters
        ----------
        rgb
            Tiles as grey levels 0 to 255, float, shape (b, 3, h, w).

        Returns
        -------
        dict of torch.Tensor
            float32, shape (b, width of the layer), for each cached layer.
        """
        # Standardised in fp32, and by whole images: broadcasting three numbers takes three times as long.
        mean, sd = (
            value.expand_as(rgb[:1]).contiguous(memory_format=torch.channels_last)
            for value in (self.mean, self.sd)
        )
        activations = self.stem((rgb - mean).div_(sd).to(self.dtype))
        pooled = {}
        for name, block in self.blocks.items():
            activations = block(activations)
            if name in self.layers:
                pooled[name] = activations.float().mean(dim=(2, 3))
        return pooled


def load_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """Read a ResNet50's state dict without its classifier, which is not used; see `read_state_dict`."""
    return read_state_dict(path, _headless_resnet50().state_dict(), "torchvision ResNet50", UNUSED)


def random_weights(seed: int) -> dict[str, torch.Tensor]:
    """Return the weights of an untrained ResNet50, the same for the same seed; for demonstrations."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state = import_torchvision().models.resnet50(weights=None).state_dict()
    return {name: tensor for name, tensor in state.items() if not name.startswith(UNUSED)}


def _fold_batch_norms(module: nn.Module) -> None:
    """Fold every batch normalisation into the convolution declared before it, in place.

    A frozen one is a scale and a shift for each channel. Left alone, it reads and writes all activations
    once more, which takes a sixth of the whole forward pass on a CPU; results differ by rounding.
    """
    before = ""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, before, fuse_conv_bn_eval(getattr(module, before), child))
            setattr(module, name, nn.Identity())
        else:
            _fold_batch_norms(child)
        before = name


def _headless_resnet50() -> nn.Module:
    """ResNet50 without classifier and without storage: names and shapes only."""
    with torch.device("meta"):
        resnet = import_torchvision().models.resnet50(weights=None)
    resnet.fc = nn.Identity()
    return resnet


class ResNets:
    """The family of torchvision's ResNet50."""

    def build(
        self, encoder: Encoder, weights: str | Path | None, seed: int, dtype: torch.dtype
    ) -> tuple[PooledResNet50, str, str]:
        """See `ressat.encoders.network.build_network`."""
        if weights is None:
            state = random_weights(seed)
            return PooledResNet50(encoder, state, dtype), f"{encoder.name} {RANDOM}", state_sha256(state)
        return PooledResNet50(encoder, load_weights(weights), dtype), encoder.name, sha256(weights)


MEMBER = ResNets()
