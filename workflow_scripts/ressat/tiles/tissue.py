"""Where the tissue is on a low-resolution H&E image."""

import numpy as np
from scipy import ndimage
from skimage import filters, morphology

from ressat.tiles.boxes import BoxMeans

# Grey level that the glass is scaled to, and the one assumed where no glass is visible.
WHITE, ASSUMED_GLASS = 245.0, 240.0
# Glass lets more green through than this; what does not is tissue.
GLASS_GREEN_ABOVE = 200
# Bounds of the threshold on green optical density (natural logarithm, glass is 0); the upper one is where
# annotated spots of seven pale to dark sections are best told apart from the glass next to them.
DENSITY_RANGE = (0.06, 0.15)
# Grey levels: below the first in all channels is black; a spread of channels below the second is grey.
BLACK_BELOW = 50
GREY_SPREAD = 10
# Differences of optical density beyond any in H&E; on seven real slides the 99.9th percentiles are at
# most 0.18 (bar a foreign body), 0.81 and 0.79.
INK_RED_OVER_GREEN = 0.25  # blue, cyan and green ink
INK_OVER_BLUE = 1.0  # ink of pure blue
INK_OVER_RED = 1.0  # red ink
# Ink and black fade at their rim, in um.
INK_RIM_UM = 30.0
SMALLEST_TISSUE_UM, SMALLEST_HOLE_UM = 150.0, 50.0


def tissue_mask(image: np.ndarray, mpp: float) -> np.ndarray:
    """Find tissue, leaving out glass, ink, black borders and white holes.

    The image is balanced so that the slide's own glass is white. Both stains absorb green: tissue is
    where the green optical density exceeds Otsu's threshold. The threshold is kept inside fixed bounds,
    because on a slide that shows hardly any glass Otsu would split the tissue itself. Pen and black
    borders are found by their colour. Crimson and violet ink absorb as eosin and haematoxylin do, and count
    as tissue.

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
    smooth *= WHITE / glass_colour(smooth)
    density = -np.log((smooth + 1) / (WHITE + 1))
    grey = np.ptp(smooth, axis=-1) < GREY_SPREAD

    # Small black spots in tissue are nuclei.
    foreign = (smooth.max(axis=-1) < BLACK_BELOW) | _is_ink(density)
    foreign = morphology.remove_small_objects(foreign, max_size=_pixels(SMALLEST_HOLE_UM, mpp))
    if foreign.any():
        foreign = ndimage.distance_transform_edt(~foreign) * mpp <= INK_RIM_UM

    green_density = density[..., 1]
    candidates = green_density[~foreign]
    if candidates.size == 0 or np.ptp(candidates) == 0:
        return np.zeros(image.shape[:2], dtype=bool)
    threshold = np.clip(filters.threshold_otsu(candidates), *DENSITY_RANGE)
    mask = (green_density > threshold) & ~foreign & ~grey
    mask = morphology.closing(mask, morphology.disk(2))
    mask = morphology.remove_small_objects(mask, max_size=_pixels(SMALLEST_TISSUE_UM, mpp))
    mask = morphology.remove_small_holes(mask, max_size=_pixels(SMALLEST_HOLE_UM, mpp))
    return mask & ~foreign


def glass_colour(image: np.ndarray) -> np.ndarray:
    """Return the colour of the slide's glass, shape (3,); nearly white where no glass can be seen."""
    brightness = image.mean(axis=-1)
    lightest = np.median(image[brightness >= np.percentile(brightness, 95)], axis=0)
    return lightest if lightest[1] > GLASS_GREEN_ABOVE else np.full_like(lightest, ASSUMED_GLASS)


def _is_ink(density: np.ndarray) -> np.ndarray:
    """Tell ink by its colour, which overlying tissue hardly changes: optical densities add up."""
    red, green, blue = np.moveaxis(density, -1, 0)
    return (
        (red - green > INK_RED_OVER_GREEN)
        | (np.minimum(red, green) - blue > INK_OVER_BLUE)
        | (np.minimum(green, blue) - red > INK_OVER_RED)
    )


def box_fraction(mask: np.ndarray, x: np.ndarray, y: np.ndarray, edge: float) -> np.ndarray:
    """Return the share of each square box that the mask covers; see `BoxMeans.at`."""
    return BoxMeans(mask).at(x, y, edge)


def _pixels(edge_um: float, mpp: float) -> int:
    """Area, in pixels, of a square with this edge."""
    return max(1, round((edge_um / mpp) ** 2))
