"""F: the frozen ResNet50, its weights, and the layers that are cached."""

import hashlib
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ressat.base import keys
from ressat.base.errors import InputError
from ressat.base.files import sha256
from ressat.encoders.torchvision_import import import_torchvision

RANDOM = "random"
# Mean and standard deviation of ImageNet, which torchvision's weights expect; RGB scaled to 0..1.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_SD = (0.229, 0.224, 0.225)
# How many differences of a refused weights file are named, or of its entries.
DIFFERENCES_SHOWN = 4


class Encoder(nn.Module):
    """ResNet50 up to layer4, giving the pooled activations of each cached layer.

    Parameters
    ----------
    state_dict
        Weights by torchvision's names, without the classifier; see `load_weights`.
    dtype
        What is computed in. Weights are rounded once to bfloat16, and activations after every layer, which
        gives what autocast gives, without its rounding of all weights for every batch.
    """

    def __init__(self, state_dict: dict[str, torch.Tensor], dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        resnet = _headless_resnet50()
        resnet.load_state_dict(state_dict, assign=True)
        _fold_batch_norms(resnet.eval())
        self.stem = nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)
        self.blocks = nn.ModuleDict(
            {name: getattr(resnet, name) for name in ("layer1", "layer2", "layer3", "layer4")}
        )
        self.dtype = dtype
        self.to(dtype)
        self.register_buffer("mean", 255 * torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("sd", 255 * torch.tensor(IMAGENET_SD).view(1, 3, 1, 1))
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
            float32, shape (b, width of the layer), for each of `keys.LAYER_WIDTHS`.
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
            if name in keys.LAYER_WIDTHS:
                pooled[name] = activations.float().mean(dim=(2, 3))
        return pooled


def load_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """Read a ResNet50's state dict, and refuse that of another network.

    Parameters
    ----------
    path
        A file written by ``torch.save``; only tensors are unpickled. Half precision is widened.
        The classifier (``fc``) may be missing: it is not used.

    Raises
    ------
    InputError
        If the file is no state dict, or its names, shapes or kinds of number are not those of
        torchvision's ResNet50; the first differences are named.
    """
    expected = _headless_resnet50().state_dict()
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(
            f"it cannot be read ({error.strerror})",
            expected="the state dict of a torchvision ResNet50, saved with torch.save",
            action="correct the path in features.weights, or its permissions",
            file=path,
        ) from error
    except Exception as error:  # torch raises many kinds for a file that is not a checkpoint
        raise InputError(
            f"it cannot be read as a state dict ({type(error).__name__})"
            if Path(path).stat().st_size
            else "an empty file",
            expected="the state dict of a torchvision ResNet50, saved with torch.save",
            action="save model.state_dict() alone, or copy the file again if it was cut short",
            file=path,
        ) from error
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in found.items()
    ):
        entries = ", ".join(map(str, list(found)[:DIFFERENCES_SHOWN])) if isinstance(found, dict) else ""
        raise InputError(
            f"a {type(found).__name__}{' of ' * bool(entries)}{entries} that does not map names to tensors",
            expected="the state dict of a torchvision ResNet50",
            action="save model.state_dict() alone",
            file=path,
        )
    found = {name: tensor for name, tensor in found.items() if not name.startswith("fc.")}
    differences = []
    for name, tensor in expected.items():
        if name.endswith("num_batches_tracked"):
            found.setdefault(name, torch.zeros((), dtype=torch.long))
        if name not in found:
            differences.append(f"{name} is missing")
        elif found[name].shape != tensor.shape:
            differences.append(f"{name} is {tuple(found[name].shape)}, not {tuple(tensor.shape)}")
        elif tensor.is_floating_point() and not found[name].is_floating_point():
            differences.append(f"{name} is {found[name].dtype}, not {tensor.dtype}")
    differences += [f"{name} is unknown" for name in found if name not in expected]
    if differences:
        shown = ", ".join(differences[:DIFFERENCES_SHOWN])
        raise InputError(
            f"differences from a ResNet50, {len(differences)} in all: {shown}",
            expected="torchvision's names and shapes, as floating-point numbers",
            action="convert the weights, or name the right file in features.weights",
            file=path,
        )
    return {name: found[name].to(tensor.dtype) for name, tensor in expected.items()}


def random_weights(seed: int) -> dict[str, torch.Tensor]:
    """Return the weights of an untrained ResNet50, the same for the same seed; for demonstrations."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state = import_torchvision().models.resnet50(weights=None).state_dict()
    return {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}


def state_sha256(state_dict: dict[str, torch.Tensor]) -> str:
    """Return a SHA-256 over names and values of a state dict."""
    digest = hashlib.sha256()
    for name, tensor in state_dict.items():
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def build_encoder(
    weights: str | Path | None, seed: int, dtype: torch.dtype = torch.float32
) -> tuple[Encoder, str, str]:
    """Build F from a weights file, or untrained.

    Parameters
    ----------
    weights
        A weights file; None for random weights.
    seed
        Of random weights.
    dtype
        What is computed in.

    Returns
    -------
    tuple of Encoder, str, str
        The network; its name for provenance; the SHA-256 of its weights.
    """
    if weights is None:
        state = random_weights(seed)
        return Encoder(state, dtype), f"resnet50 {RANDOM}", state_sha256(state)
    return Encoder(load_weights(weights), dtype), "resnet50", sha256(weights)


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
