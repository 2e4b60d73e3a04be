"""Vision transformers of timm: the class token and the mean of the patch tokens."""

from pathlib import Path

import torch
from torch import nn

from ressat.base.files import sha256
from ressat.encoders.encoder import CLASS_TOKEN, PATCH_MEAN, RANDOM, Architecture, Encoder
from ressat.encoders.families.pixels import Pixels
from ressat.encoders.families.timm_import import import_timm
from ressat.encoders.state_dict import read_state_dict, state_sha256
from ressat.encoders.vit_names import timm_names

# Classifiers, and what only the training used.
UNUSED = ("head.", "fc_norm.", "mask_token", "dino_head.", "ibot_head.")


class TokenViT(nn.Module):
    """A vision transformer without a head.

    timm's attention is torch's scaled_dot_product_attention.

    Parameters
    ----------
    encoder
        Its description.
    network
        timm's network, with its weights.
    dtype
        What is computed in.
    """

    def __init__(self, encoder: Encoder, network: nn.Module, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.network = network.to(dtype)
        self.pixels = Pixels(encoder, dtype)
        self.layers = tuple(encoder.layers)
        self.eval().requires_grad_(False)

    def forward(self, rgb: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the tokens' summaries, after the network's last normalisation.

        Parameters
        ----------
        rgb
            Tiles as grey levels 0 to 255, float, shape (b, 3, h, w).

        Returns
        -------
        dict of torch.Tensor
            float32, shape (b, width of the layer), for each cached layer. Registers are in none.
        """
        tokens = self.network.forward_features(self.pixels(rgb)).float()
        summaries = {
            CLASS_TOKEN: tokens[:, 0],
            PATCH_MEAN: tokens[:, self.network.num_prefix_tokens :].mean(dim=1),
        }
        return {name: summaries[name] for name in self.layers}


def make_network(architecture: Architecture) -> nn.Module:
    """Make a network of timm, with random weights; on the meta device, without storage."""
    timm = import_timm()
    arguments = dict(architecture.arguments)
    for argument, module in (("mlp_layer", timm.layers), ("act_layer", nn)):
        if argument in arguments:
            arguments[argument] = getattr(module, str(arguments[argument]))
    # A classifier's weights are not used, and a pooling is done here.
    return timm.create_model(architecture.name, pretrained=False, num_classes=0, global_pool="", **arguments)


def blank_network(encoder: Encoder) -> nn.Module:
    """Return an encoder's network without storage: names and shapes only."""
    with torch.device("meta"):
        return make_network(_architecture(encoder))


def load_network(encoder: Encoder, path: str | Path) -> nn.Module:
    """Return an encoder's network with the weights of a file; see `read_state_dict`."""
    network = blank_network(encoder)
    expected, title = network.state_dict(), f"network of {encoder.title}"
    state = read_state_dict(path, expected, title, UNUSED, timm_names)
    network.load_state_dict(state, assign=True)
    return network


def random_network(encoder: Encoder, seed: int) -> nn.Module:
    """Return an encoder's untrained network, the same for the same seed; for demonstrations."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_network(_architecture(encoder))


def _architecture(encoder: Encoder) -> Architecture:
    if encoder.architecture is None:
        raise RuntimeError(f"{encoder.name} is no vision transformer")
    return encoder.architecture


class VisionTransformers:
    """The family of timm's vision transformers."""

    def build(
        self, encoder: Encoder, weights: str | Path | None, seed: int, dtype: torch.dtype
    ) -> tuple[TokenViT, str, str]:
        """See `ressat.encoders.network.build_network`."""
        if weights is None:
            network = random_network(encoder, seed)
            name, digest = f"{encoder.name} {RANDOM}", state_sha256(network.state_dict())
        else:
            network = load_network(encoder, weights)
            name, digest = encoder.name, sha256(weights)
        if encoder.px is not None and encoder.px != _architecture(encoder).arguments.get("img_size"):
            # Positions learnt on larger images, resampled once to the grid that is used.
            network.set_input_size((encoder.px, encoder.px))
        return TokenViT(encoder, network, dtype), name, digest


MEMBER = VisionTransformers()
