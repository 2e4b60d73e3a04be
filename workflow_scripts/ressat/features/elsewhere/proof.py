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
# How far their features may deviate, measured; see docs/encoders.md.
MOST_DEVIATION = 0.5


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


def deviation(given: np.ndarray, own: np.ndarray, mean: np.ndarray) -> float:
    """Return how far two sets of features of the same tiles are apart, of what tells tiles apart.

    What all tiles have in common makes features of any two tiles alike, and counts for nothing. A cosine
    without the mean would not do: of features that hardly differ between tiles, and lie far from the own
    ones, it may be near 1, and it does not see a scale.

    Parameters
    ----------
    given, own
        Shape (tiles, width).
    mean
        Of the given features of all tiles, shape (width,).

    Returns
    -------
    float
        The median over tiles of the length of ``given - own`` by that of ``own - mean``: 0 for equal ones,
        1 and more for those of something else.
    """
    apart, lengths = np.linalg.norm(given - own, axis=1), np.linalg.norm(own - mean, axis=1)
    return float(np.median(np.divide(apart, lengths, out=np.full(len(given), np.inf), where=lengths > 0)))


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
        The layers that deviate least; and their `deviation`, of several layers that of the worst.

    Raises
    ------
    InputError
        If all deviate too far.
    """

    def worst(layers: tuple[str, ...]) -> float:
        return max(
            deviation(given[:, part], own[name].astype(np.float64), mean[part])
            for name, part in columns(layers, encoder).items()
        )

    if len(given) < 2:
        raise InputError(
            "it has a single patch, whose features cannot be compared with anything",
            expected="features of at least two patches",
            action="leave the column features empty",
        )
    layers, least = min(((layers, worst(layers)) for layers in possible), key=lambda pair: pair[1])
    if least > MOST_DEVIATION:
        raise InputError(
            f"its features are not those of {encoder.title} at these places: {len(given)} tiles, "
            f"encoded again with the study's weights, deviate by {least:.2f} of what tells tiles apart"
            + (f" (the file says that they are of {named})" if named else ""),
            expected=f"at most {MOST_DEVIATION}, as of this encoder and weights, in the slide's own colours",
            action="name the encoder and the weights that they were made with under features, or the "
            "features of this slide; or leave the column features empty",
        )
    return layers, least
