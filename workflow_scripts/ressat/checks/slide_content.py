"""Refusing slides that cannot be H&E-stained tissue, before anything is computed from them."""

import logging

import numpy as np

from ressat.base.errors import InputError

logger = logging.getLogger("ressat")

# The channels of a pixel of a grey picture differ by at most this many grey levels, even after compression.
GREY_SPREAD = 4
# Share of a spot's box that must be tissue for the spot to count as on tissue.
ON_TISSUE = 0.5
# Sections whose spots lie on tissue, and the share of that at which the tiles contradict the check.
MOSTLY_ON_TISSUE, CONTRADICTION = 0.5, 0.5


def check_colour(lowres: np.ndarray) -> None:
    """Refuse a grey slide.

    Raises
    ------
    InputError
        If no pixel of the RGB image (h, w, 3) has colour.
    """
    if (np.ptp(lowres, axis=-1) <= GREY_SPREAD).all():
        raise InputError(
            "the slide is grey (none of its pixels has colour)",
            expected="a colour image of an H&E stain",
            action="give the colour image in the sheet",
        )


def check_tissue(mask: np.ndarray, *, only_warn: bool = False) -> None:
    """Refuse a slide without tissue.

    Parameters
    ----------
    mask
        Where tissue is, boolean.
    only_warn
        Whether an empty mask is only a warning: spots say where the tissue is.

    Raises
    ------
    InputError
        If the mask is empty.
    """
    if mask.any():
        return
    if only_warn:
        logger.warning("no tissue was found on the slide: look at it, for it may be too pale, or blank")
        return
    raise InputError(
        "no tissue was found on the slide",
        expected="H&E-stained tissue",
        action="look at the slide: it may be blank, out of focus, of another stain, or of another scale",
    )


def check_tiles(tiles: int, min_tissue: float) -> None:
    """Refuse a slide for prediction that has no tile on tissue.

    Raises
    ------
    InputError
        If no grid tile has ``min_tissue`` of tissue.
    """
    if not tiles:
        raise InputError(
            f"tissue was found, but no tile of the grid has {min_tissue:.0%} tissue",
            expected="tissue as large as a tile",
            action="lower tiling.min_tissue, or tiling.tile_um, in config.yaml",
        )


def check_tiles_of_spots(tissue: np.ndarray, on_tissue: float | None) -> None:
    """Refuse tiles of spots that show glass, although the check of the section saw tissue there.

    Both look at the same slide, at other levels of its pyramid.

    Parameters
    ----------
    tissue
        Share of each tile that is tissue, shape (n,).
    on_tissue
        Share of the spots that lay on tissue when the section was checked; None without counts.

    Raises
    ------
    InputError
        If most did, and now not half as many do.
    """
    if on_tissue is None or on_tissue < MOSTLY_ON_TISSUE:  # tissue too pale to be told from glass
        return
    share = float((tissue >= ON_TISSUE).mean())
    if share < CONTRADICTION * on_tissue:
        raise InputError(
            f"{on_tissue:.0%} of its spots lay on tissue when the section was checked, and {share:.0%} do in "
            "the image that its tiles are laid on",
            expected="levels of the slide that show the same picture",
            action="export the slide again, or, if its level 0 is whole, save that level alone",
        )
