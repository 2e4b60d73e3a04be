"""Refusing slides that cannot be H&E-stained tissue, before anything is computed from them."""

import logging
from pathlib import Path

import numpy as np

from ressat.errors import InputError

logger = logging.getLogger("ressat")

# Grey levels between the channels of a pixel that a grey picture never has, compression included.
GREY_SPREAD = 4
# Share of tissue in its tile that a spot under tissue has at the very least.
SPOT_TISSUE = 0.1
# Median share below which the coordinates may be those of another image.
DOUBTFUL_TISSUE = 0.5


def check_colour(section: str, file: str | Path, lowres: np.ndarray) -> None:
    """Refuse a slide without colour.

    Raises
    ------
    InputError
        If no pixel of the RGB image (h, w, 3) has colour.
    """
    if (np.ptp(lowres, axis=-1) <= GREY_SPREAD).all():
        raise InputError(
            "a slide without colour",
            expected="an H&E-stained section, scanned in colour",
            action="give the colour scan",
            section=section,
            file=file,
        )


def check_tissue(section: str, file: str | Path, mask: np.ndarray, min_tissue: float, kept: int) -> None:
    """Refuse a slide to predict that has no tile on tissue.

    Raises
    ------
    InputError
        If the mask is empty, or no grid tile has ``min_tissue`` of tissue.
    """
    if not mask.any():
        raise InputError(
            "no tissue was found on the slide",
            expected="H&E-stained tissue",
            action="look at the slide: it may be blank, out of focus, or of another stain",
            section=section,
            file=file,
        )
    if not kept:
        raise InputError(
            f"tissue was found, but no tile of the grid has {min_tissue:.0%} of it",
            expected="tissue as large as a tile",
            action="lower tiling.min_tissue, or tiling.tile_um, in config.yaml",
            section=section,
            file=file,
        )


def check_spots_on_tissue(section: str, file: str | Path, tissue: np.ndarray) -> None:
    """Refuse a labelled section none of whose spots lies on tissue, and warn where few do.

    Parameters
    ----------
    section, file
        For messages.
    tissue
        Share of tissue in the tile of each spot, shape (n,).

    Raises
    ------
    InputError
        If no tile of a spot has a tenth of tissue.
    """
    if not (tissue >= SPOT_TISSUE).any():
        raise InputError(
            f"none of its {len(tissue)} spots lies on tissue",
            expected="spots under tissue",
            action="give the image that the coordinates were made for",
            section=section,
            file=file,
        )
    if np.median(tissue) < DOUBTFUL_TISSUE:
        logger.warning(
            "the tiles of half the spots are less than %.0f %% tissue; look at the overlay: the coordinates "
            "may belong to another image",
            100 * DOUBTFUL_TISSUE,
        )
