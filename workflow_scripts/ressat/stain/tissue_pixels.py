"""Which pixels of an image show tissue."""

import numpy as np

# Macenko's constants, as in the authors' code and torchstain: white level, and the optical density below
# which a pixel counts as glass.
WHITE = 240.0
GLASS_DENSITY = 0.15


def optical_density(rgb: np.ndarray) -> np.ndarray:
    """Return -log((I + 1) / 240) of 8-bit RGB, same shape, float64 (Macenko et al. 2009)."""
    return -np.log((rgb.astype(np.float64) + 1) / WHITE)


def tissue_pixels(rgb: np.ndarray) -> np.ndarray:
    """Keep the pixels that absorb in every channel, from shape (n, 3) to (m, 3)."""
    return rgb[(optical_density(rgb) >= GLASS_DENSITY).all(axis=1)]
