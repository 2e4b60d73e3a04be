"""What G reads of a section."""

from dataclasses import dataclass

import numpy as np

from ressat.stats.neighbours import with_context


@dataclass(frozen=True)
class InputSettings:
    """What G reads of a section's features.

    Attributes
    ----------
    layers
        Feature layers, side by side.
    context_um
        Standard deviation of the Gaussian mean of neighbours; 0 for the spot's own features alone. The head
        reads it averaged with the spot's own features, the kernel beside them.
    """

    layers: tuple[str, ...]
    context_um: float

    def read(self, features: np.ndarray, coords_um: np.ndarray) -> np.ndarray:
        """Return what the head reads, see `ressat.stats.neighbours.with_context`.

        From features of these layers and places in um; float64, shape (spots, columns).
        """
        return with_context(features, coords_um, self.context_um)
