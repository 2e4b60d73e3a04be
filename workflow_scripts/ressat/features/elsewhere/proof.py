"""The proof that features are those of an encoder, in their places: some tiles are encoded again."""

from collections.abc import Mapping, Sequence

import numpy as np

from ressat.base.errors import InputError
from ressat.encoders.encoder import Encoder
from ressat.features.elsewhere.layers import columns
from ressat.tiles.table import Tiles
from ressat.tiles.tiling import crossing_edge

# How many tiles are encoded again.
TILES = 16
# The least median cosine of their features, measured; see docs/encoders.md.
LOWEST = 0.85


def proof_tiles(tiles: Tiles, size: tuple[int, int]) -> np.ndarray:
    """Choose the tiles to encode again: within the slide, on tissue, spread over the section.

    Parameters
    ----------
    tiles
        Of the section.
    size
        Width and height of the slide's level 0, pixels.

    Returns
    -------
    numpy.ndarray
        Numbers of tiles, rising.
    """
    # Beyond the slide, other software sees another colour than white.
    inside = np.flatnonzero(~crossing_edge(tiles.coords, tiles.geometry.edge, size))
    places = inside if len(inside) else np.arange(len(tiles.coords))
    most = np.argsort(-tiles.tissue[places], kind="stable")[: max(TILES, len(places) // 2)]
    on_tissue = np.sort(places[most])
    return on_tissue[np.unique(np.linspace(0, len(on_tissue) - 1, TILES).round().astype(int))]


def agreement(given: np.ndarray, own: np.ndarray, mean: np.ndarray) -> float:
    """Return the median cosine of two sets of features of the same tiles, once a mean is taken off both.

    What all tiles have in common makes features of any two tiles alike, so the mean is taken off. It is that
    of the given features: where the own ones are on another scale, or moved, they all differ from it.

    Parameters
    ----------
    given, own
        Shape (tiles, width).
    mean
        Of the given features of all tiles, shape (width,).

    Returns
    -------
    float
        -1 to 1; a tile without a difference to the mean counts as 0.
    """
    given, own = given - mean, own - mean
    lengths = np.linalg.norm(given, axis=1) * np.linalg.norm(own, axis=1)
    cosines = np.divide((given * own).sum(axis=1), lengths, out=np.zeros(len(given)), where=lengths > 0)
    return float(np.median(cosines))


def prove(
    given: np.ndarray,
    own: Mapping[str, np.ndarray],
    mean: np.ndarray,
    possible: Sequence[tuple[str, ...]],
    encoder: Encoder,
    named: str | None = None,
) -> tuple[tuple[str, ...], float]:
    """Find out which layers of an encoder some features are, and refuse those that are none.

    Parameters
    ----------
    given
        Features made elsewhere, of some tiles, shape (tiles, width).
    own
        Those of the encoder by layer, of the same tiles, shape (tiles, width of the layer).
    mean
        Of the features made elsewhere of all tiles, shape (width,).
    possible
        Layers that they may be, see `ressat.features.elsewhere.layers.possible_layers`.
    encoder
        The study's.
    named
        The encoder that the file names, for messages; None where it does not.

    Returns
    -------
    tuple of tuple of str, float
        The layers that agree best; and their `agreement`, of several layers that of the worst.

    Raises
    ------
    InputError
        If none agrees.
    """

    def worst(layers: tuple[str, ...]) -> float:
        return min(
            agreement(given[:, part], own[name].astype(np.float64), mean[part])
            for name, part in columns(layers, encoder).items()
        )

    if len(given) < 2:
        raise InputError(
            "it has a single patch, whose features cannot be compared with anything",
            expected="features of at least two patches",
            action="leave the column features empty",
        )
    layers, cosine = max(((layers, worst(layers)) for layers in possible), key=lambda pair: pair[1])
    if not cosine >= LOWEST:
        raise InputError(
            f"its features are not those of {encoder.title} at these places: {len(given)} tiles, "
            f"encoded again with the study's weights, agree with a median cosine of {cosine:.2f}"
            + (f" (the file says that they are of {named})" if named else ""),
            expected=f"features of this encoder and weights, in the slide's own colours: {LOWEST} or more",
            action="name the encoder and the weights that they were made with under features, or the "
            "features of this slide; or leave the column features empty",
        )
    return layers, cosine
