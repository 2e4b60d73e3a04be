"""F itself: the frozen network of an encoder, with its weights."""

import hashlib
from pathlib import Path

import torch
from torch import nn

from ressat.base.files import sha256
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
        shape (b, width) per layer of the encoder; its name for provenance; the SHA-256 of its weights, see
        `weights_sha256`.

    Raises
    ------
    InputError
        If the file's weights are not those of this network.
    """
    network, name, digest = FAMILIES.load(encoder.family).build(encoder, weights, seed, dtype)
    return network, name, _with_all(encoder, digest)


def weights_sha256(encoder: Encoder, weights: str | Path | None, seed: int) -> str:
    """Return what tells an encoder's features from those of another, as 64 hexadecimal digits.

    It is the SHA-256 of the weights file, or of random weights. An encoder of the user's own is also its
    code, and pixels may be standardised in the user's own way: then it is over these too.
    """
    return build_network(encoder, None, seed)[2] if weights is None else _with_all(encoder, sha256(weights))


def _with_all(encoder: Encoder, digest: str) -> str:
    parts = [digest]
    if encoder.definition:
        parts.append(sha256(encoder.definition))
    if encoder.own_pixels:
        parts += [f"{value:.9g}" for value in (*encoder.mean, *encoder.sd)]
    return digest if len(parts) == 1 else hashlib.sha256("\n".join(parts).encode()).hexdigest()
