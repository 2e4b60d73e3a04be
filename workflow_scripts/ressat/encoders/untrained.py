"""Random weights: the output of an untrained network must not be mistaken for a result.

Standard library only.
"""

from collections.abc import Iterable

from ressat.encoders.encoder import RANDOM
from ressat.encoders.layer_names import AND

WATERMARK = "UNTRAINED WEIGHTS"


def is_untrained(encoders: Iterable[str]) -> bool:
    """Tell whether a network has random weights.

    Parameters
    ----------
    encoders
        Names of the encoders, as predictions record them.
    """
    return RANDOM in {name.split()[-1] for encoder in encoders for name in str(encoder).split(AND)}
