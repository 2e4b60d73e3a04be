"""Random weights: the output of an untrained network must not be mistaken for a result.

Standard library only.
"""

from collections.abc import Iterable

from ressat.encoders.encoder import RANDOM

WATERMARK = "UNTRAINED WEIGHTS"


def is_untrained(encoders: Iterable[str], weights: str | None = None) -> bool:
    """Tell whether the network has random weights.

    Parameters
    ----------
    encoders
        Names of the encoders, as predictions record them.
    weights
        The setting ``features.weights``, for when nothing is predicted yet.
    """
    return RANDOM in {weights, *(str(encoder).split()[-1] for encoder in encoders)}
