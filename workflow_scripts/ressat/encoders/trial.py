"""A first look at what an encoder gives."""

import torch
from torch import nn

from ressat.base.errors import InputError
from ressat.encoders.encoder import Encoder

# The largest feature that the cache holds, which is in half precision.
LARGEST = 65504
# Tiles may differ by this factor from those of the encoder's training without a word.
SCALE_LEEWAY = 1.05
# Of H&E's pink, 0 to 255.
PINK = (225, 170, 200)


def read_trial_tiles(network: nn.Module, encoder: Encoder, tile_px: int) -> None:
    """Let an encoder read a plain tile and a noisy one.

    Parameters
    ----------
    network
        See `ressat.encoders.network.build_network`.
    encoder
        What is known of it.
    tile_px
        Edge of a tile, in pixels.

    Raises
    ------
    InputError
        If its outputs are not those that it should have, are not finite, too large, or the same for both.
    """
    noise = torch.randint(-80, 31, (3, tile_px, tile_px), generator=torch.Generator().manual_seed(0))
    plain = torch.tensor(PINK, dtype=torch.float32).view(3, 1, 1).expand(3, tile_px, tile_px)
    tiles = torch.stack([plain, (plain + noise).clamp(0, 255)]).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        outputs = network(tiles)
    widths = {name: tuple(values.shape[1:]) for name, values in outputs.items()}
    expected = {name: (width,) for name, width in encoder.layers.items()}
    if widths != expected:
        raise InputError(
            f"{encoder.title} gives outputs of the widths {widths}",
            expected=f"{expected}",
            action="correct the encoder's layers",
            file=encoder.definition,
        )
    for name, values in outputs.items():
        if not values.isfinite().all() or values.abs().max() > LARGEST:
            problem = f"its features {name} of a tile are not finite, or larger than {LARGEST}"
        elif torch.allclose(values[0], values[1], rtol=1e-4, atol=1e-6):
            problem = f"its features {name} of two different tiles are the same"
        else:
            continue
        raise InputError(
            f"{encoder.title}: {problem}",
            expected="finite features that tell tiles apart",
            action="name the weights of a trained network under features.weights",
            file=encoder.definition,
        )


def encoder_warnings(encoder: Encoder, tile_um: float) -> list[str]:
    """Return what to think about before an encoder is used with tiles of ``tile_um`` um."""
    warnings = []
    trained = encoder.tile_um
    if trained is not None and not 1 / SCALE_LEEWAY <= tile_um / trained <= SCALE_LEEWAY:
        warnings.append(
            f"{encoder.title} is meant for tiles of {trained:g} um, and tiling.tile_um is {tile_um:g}: it "
            "sees tissue at another scale"
        )
    return warnings
