"""Results of a network that has learnt nothing, which must not be taken for any."""

from collections.abc import Iterable

# Last word of an encoder's name whose weights were drawn and not learnt.
UNTRAINED = "random"
WATERMARK = "UNTRAINED WEIGHTS"


def is_untrained(encoders: Iterable[str], weights: str | None = None) -> bool:
    """Tell whether the network has random weights.

    Parameters
    ----------
    encoders
        Its name, as predictions record it.
    weights
        The setting ``features.weights``, which counts where nothing is predicted yet.
    """
    return UNTRAINED in {weights, *(str(encoder).split()[-1] for encoder in encoders)}
