"""Where the tissue is on a low-resolution H&E image."""

import numpy as np
from scipy import ndimage
from skimage import filters, morphology

# Bounds of the threshold on green optical density (natural logarithm, glass is 0).
DENSITY_RANGE = (0.06, 0.20)
# Grey levels: below the first in all channels is black; a spread of channels below the second is grey.
BLACK_BELOW = 40
GREY_SPREAD = 10
# Blue and green ink let more green than red through, by this many grey levels; H&E does not.
INK_GREEN_OVER_RED = 15
# Red ink absorbs green and blue alike and leaves red alone.
RED_INK_RED_ABOVE, RED_INK_SPREAD = 150, 100
# Ink fades at its rim, in um.
INK_RIM_UM = 30.0
SMALLEST_TISSUE_UM, SMALLEST_HOLE_UM = 150.0, 50.0


def tissue_mask(image: np.ndarray, mpp: float) -> np.ndarray:
    """Find tissue, leaving out glass, ink, black borders and white holes.

    Both stains absorb green: tissue is where the green optical density against the slide's own glass
    exceeds Otsu's threshold. The threshold is kept inside fixed bounds, because on a slide that shows
    hardly any glass Otsu would split the tissue itself. Dark things that are not H&E go by their colour.

    Parameters
    ----------
    image
        RGB image, uint8, shape (h, w, 3).
    mpp
        um per pixel of that image.

    Returns
    -------
    numpy.ndarray
        Boolean mask, shape (h, w).
    """
    smooth = ndimage.gaussian_filter(image.astype(np.float32), sigma=(1, 1, 0))
    red, green, blue = np.moveaxis(smooth, -1, 0)
    lightest, darkest = smooth.max(axis=-1), smooth.min(axis=-1)

    density = -np.log((green + 1) / (_glass_level(smooth) + 1))
    black = lightest < BLACK_BELOW
    grey = lightest - darkest < GREY_SPREAD
    red_ink = (
        (red > RED_INK_RED_ABOVE) & (red - np.maximum(green, blue) > RED_INK_SPREAD) & (blue < green + 10)
    )
    ink = (green > red + INK_GREEN_OVER_RED) | red_ink
    ink = morphology.remove_small_objects(ink, max_size=_pixels(SMALLEST_HOLE_UM, mpp))
    ink = ndimage.distance_transform_edt(~ink) * mpp <= INK_RIM_UM if ink.any() else ink

    candidates = density[~black & ~ink]
    if candidates.size == 0 or np.ptp(candidates) == 0:
        return np.zeros(image.shape[:2], dtype=bool)
    threshold = np.clip(filters.threshold_otsu(candidates), *DENSITY_RANGE)
    mask = (density > threshold) & ~black & ~ink & ~grey
    mask = morphology.closing(mask, morphology.disk(2))
    mask = morphology.remove_small_objects(mask, max_size=_pixels(SMALLEST_TISSUE_UM, mpp))
    mask = morphology.remove_small_holes(mask, max_size=_pixels(SMALLEST_HOLE_UM, mpp))
    return mask & ~black & ~ink


def _glass_level(image: np.ndarray) -> float:
    """Green grey level of the slide's glass; white where no glass can be seen."""
    brightness = image.mean(axis=-1)
    level = float(np.median(image[..., 1][brightness >= np.percentile(brightness, 95)]))
    return level if level > 200 else 240.0


def box_fraction(mask: np.ndarray, x: np.ndarray, y: np.ndarray, edge: float) -> np.ndarray:
    """Return the share of each square box that the mask covers.

    Parameters
    ----------
    mask
        Boolean mask, shape (h, w).
    x, y
        Centres of the boxes in pixels of the mask, shape (n,).
    edge
        Edge of the boxes in pixels of the mask.

    Returns
    -------
    numpy.ndarray
        float32, shape (n,), 0 to 1. What lies outside the mask counts as not covered.
    """
    height, width = mask.shape
    # Summed-area table: one pass over the mask, then four look-ups per box.
    table = np.pad(mask, ((1, 0), (1, 0))).cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    left = np.clip(np.round(x - edge / 2), 0, width).astype(int)
    right = np.clip(np.round(x + edge / 2), 0, width).astype(int)
    top = np.clip(np.round(y - edge / 2), 0, height).astype(int)
    bottom = np.clip(np.round(y + edge / 2), 0, height).astype(int)
    covered = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
    # Rounding can make a box one pixel smaller or larger than edge x edge.
    return np.clip(covered / max(edge * edge, 1), 0, 1).astype(np.float32)


def _pixels(edge_um: float, mpp: float) -> int:
    """Area, in pixels, of a square with this edge."""
    return max(1, round((edge_um / mpp) ** 2))
