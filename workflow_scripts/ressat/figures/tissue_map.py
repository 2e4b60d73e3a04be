"""What tissue maps share, in the report and in papers: faded tissue, ends of colour scales, scale bars."""

import math

import numpy as np

# Percentiles of a gene's values at which its colour scale ends: one odd spot must not flatten a map.
SCALE_ENDS = (2, 98)
# Smallest range of a colour scale, log1p CP10k: over a narrower one, differences in colour mean nothing.
SMALLEST_SCALE = 0.01
# Share of the tissue's darkness that is left below spots.
TISSUE_STRENGTH = 0.45


def faded_tissue(image: np.ndarray, centres: np.ndarray, diameter: float) -> tuple[np.ndarray, np.ndarray]:
    """Cut an image to its spots, grey and light on white, so that the only colours are those of a scale.

    Parameters
    ----------
    image
        RGB, uint8, shape (h, w, 3).
    centres
        Of the spots, in pixels of ``image``, shape (n, 2).
    diameter
        Of a spot, in pixels of ``image``.

    Returns
    -------
    tuple of numpy.ndarray
        Grey levels, uint8, shape (h, w); and the x and y of its first pixel in ``image``, shape (2,).
    """
    margin = diameter / 2 + max(diameter, 0.03 * np.ptp(centres, axis=0).max())
    low = np.floor(centres.min(axis=0) - margin).astype(int).clip(0)
    high = np.ceil(centres.max(axis=0) + margin).astype(int).clip(None, image.shape[1::-1])
    grey = image[low[1] : high[1], low[0] : high[0], :3].astype(float).mean(axis=-1)
    light = 255 - (np.percentile(grey, 99) - grey).clip(0) * TISSUE_STRENGTH
    return light.round().astype(np.uint8), low


def bar_length(width_um: float) -> float:
    """Return the longest round length (1, 2 or 5 times a power of ten) within a third of a width, um."""
    third = width_um / 3
    power = 10.0 ** math.floor(math.log10(third))
    return max(step for step in (1, 2, 5) if step * power <= third) * power
