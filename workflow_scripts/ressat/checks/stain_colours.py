"""Whether the colours of a slide are those of H&E, and not channels of another kind, or swapped."""

import logging

import numpy as np

from ressat.base.errors import InputError
from ressat.tiles.tissue import glass_colour

logger = logging.getLogger("ressat")

# Brightness and two differences of colour, taken for red, green and blue: on glass the last two are 128, and
# green hardly varies. Both stains absorb green most, so in H&E it varies most: on ten real sections its
# standard deviation is at least 0.94 of that of red, and at most 0.3 if they are misread.
NO_DIFFERENCE, NEAR = 128, 20
LEAST_GREEN_VARIATION = 0.5
LIGHTEST_PERCENT = 95
# Optical density in blue over that in green, as median of the tissue: 0.43 to 0.63 on nine real sections;
# Macenko's vectors of haematoxylin and eosin have 0.56 and 0.70. With red and blue swapped, 0.25 to 0.92.
BLUE_OVER_GREEN = (0.35, 0.78)
# Haematoxylin alone, without eosin, may absorb little blue, but much more red than a swapped eosin.
MOST_SWAPPED_RED_OVER_GREEN = 0.7
LEAST_TISSUE_PX = 500


def refuse_misread(lowres: np.ndarray) -> None:
    """Refuse a slide whose brightness and colour differences (YCbCr) are marked as red, green and blue.

    Parameters
    ----------
    lowres
        Low-resolution image, uint8, shape (h, w, 3).

    Raises
    ------
    InputError
        If its colours are such.
    """
    pixels = lowres.reshape(-1, 3)
    red, green, _ = pixels.std(axis=0)
    light = pixels[pixels[:, 0] >= np.percentile(pixels[:, 0], LIGHTEST_PERCENT)]
    glass = np.median(light, axis=0)
    if green < LEAST_GREEN_VARIATION * red and np.abs(glass[1:] - NO_DIFFERENCE).max() <= NEAR:
        raise InputError(
            "its colours are brightness and colour differences (YCbCr) that are marked as RGB: its lightest "
            f"pixels have red {glass[0]:.0f}, green {glass[1]:.0f}, blue {glass[2]:.0f}",
            expected="the colours of an H&E stain on nearly white glass",
            action="export the slide again with another program, or correct the tag "
            "PhotometricInterpretation of its images to YCbCr (6)",
        )


def warn_of_other_colours(lowres: np.ndarray, mask: np.ndarray) -> None:
    """Warn of tissue that absorbs blue as no H&E does, as if red and blue were swapped.

    Parameters
    ----------
    lowres
        Low-resolution image, uint8, shape (h, w, 3).
    mask
        Where its tissue is, boolean, shape (h, w).
    """
    if mask.sum() < LEAST_TISSUE_PX:
        return
    glass = glass_colour(lowres.astype(np.float32))
    density = np.median(-np.log((lowres[mask] + 1.0) / (glass + 1)), axis=0)
    red, blue = density[0] / density[1], density[2] / density[1]
    low, high = BLUE_OVER_GREEN
    if (blue > high and blue > red) or (blue < low and red < MOST_SWAPPED_RED_OVER_GREEN):
        logger.warning(
            "its tissue absorbs %.2f as much blue and %.2f as much red as green, unlike H&E (blue 0.4 to "
            "0.7): red and blue may be swapped, as OpenCV writes them, or it is another stain; look at it",
            blue,
            red,
        )
