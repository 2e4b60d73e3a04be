"""F itself: the frozen network of an encoder, with its weights."""

from pathlib import Path

import torch
from torch import nn

from ressat.encoders.encoder import Encoder
from ressat.encoders.families.registry import FAMILIES


def build_network(
    encoder: Encoder, weights: str | Path | None, seed: int, dtype: torch.dtype = torch.float32
) -> tuple[nn.Module, str, str]:
    """Build F from a weights file, or untrained.

    Parameters
    ----------
    encoder
        Which network.
    weights
        A weights file; None for random weights.
    seed
        Of random weights.
    dtype
        Type of the network's numbers.

    Returns
    -------
    tuple of torch.nn.Module, str, str
        The network, which turns tiles (grey levels 0 to 255, shape (b, 3, h, w)) into a float32 tensor of
        shape (b, width) per layer of the encoder; its name for provenance; the SHA-256 of its weights.

    Raises
    ------
    InputError
        If the file's weights are not those of this network.
    """
    return FAMILIES.load(encoder.family).build(encoder, weights, seed, dtype)
