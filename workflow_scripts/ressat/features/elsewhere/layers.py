"""Which outputs of an encoder a file of features holds, by their width."""

from itertools import accumulate, pairwise

from ressat.base.errors import InputError
from ressat.encoders.encoder import Encoder


def possible_layers(width: int, encoder: Encoder) -> list[tuple[str, ...]]:
    """Return the layers that features of some width may be, the likeliest first.

    Parameters
    ----------
    width
        Numbers in a patch's features.
    encoder
        The study's.

    Returns
    -------
    list of tuple of str
        Each a choice: layers that stand side by side. One layer alone comes in the encoder's order, its
        default layers first.

    Raises
    ------
    InputError
        If no output of the encoder is that wide.
    """
    widths = encoder.layers
    single = sorted(widths, key=lambda name: name not in encoder.default_layers)
    choices = dict.fromkeys([encoder.default_layers, tuple(widths), *((name,) for name in single)])
    possible = [layers for layers in choices if sum(widths[name] for name in layers) == width]
    if not possible:
        outputs = ", ".join(f"{name} {number}" for name, number in widths.items())
        both = f", or {sum(widths.values())} for all of them" if len(widths) > 1 else ""
        raise InputError(
            f"its features are {width} wide",
            expected=f"the width of an output of {encoder.title} ({outputs}{both})",
            action="set features.encoder to the encoder that they were made with, or make them again",
        )
    return possible


def columns(layers: tuple[str, ...], encoder: Encoder) -> dict[str, slice]:
    """Return the columns of each layer, where they stand side by side."""
    ends = accumulate((encoder.layers[name] for name in layers), initial=0)
    return {name: slice(*ends) for name, ends in zip(layers, pairwise(ends), strict=True)}


def require_layers(layers: tuple[str, ...], needed: list[str]) -> None:
    """Refuse features that lack a layer which a model may read.

    Parameters
    ----------
    layers
        That there are.
    needed
        By any of the models.

    Raises
    ------
    InputError
        If one is missing.
    """
    missing = [name for name in needed if name not in layers]
    if missing:
        raise InputError(
            f"it has {', '.join(layers)} alone, and the model may read {', '.join(missing)}",
            expected=f"all layers that model.layers and model.candidates name: {', '.join(needed)}",
            action=f"set both to [{', '.join(layers)}], or make the features again with all of them",
        )
