"""The encoder that a study's settings mean. No torch."""

from ressat.encoders.encoder import Colour, Encoder
from ressat.encoders.own_encoder import read_own_encoder
from ressat.encoders.registry import ENCODERS


def choose_encoder(
    name: str, definition: str | None = None, mean: Colour | None = None, sd: Colour | None = None
) -> Encoder:
    """Return the description of an encoder.

    Parameters
    ----------
    name
        Its name in the registry, if it has no file of its own.
    definition
        The user's file that has it; see `ressat.encoders.own_encoder`.
    mean, sd
        The settings ``features.mean`` and ``features.sd``.

    Raises
    ------
    InputError
        If there is no such encoder, or the user's file does not describe one.
    """
    encoder = read_own_encoder(definition) if definition else ENCODERS.load(name)
    return encoder.with_pixels(mean, sd)
