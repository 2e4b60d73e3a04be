"""Whether patches that were made elsewhere are tiles of this slide and of this study. No torch."""

import numpy as np

from ressat.base.errors import InputError
from ressat.features.elsewhere.patches import Patches
from ressat.stats.neighbours import spot_pitch

# By how much the edge of patches may differ from that of the study's tiles.
EDGE_LEEWAY = 0.01


def check_patches(patches: Patches, size: tuple[int, int], mpp: float, tile_um: float) -> None:
    """Refuse patches that are not tiles of this slide.

    Parameters
    ----------
    patches
        Of the file.
    size
        Width and height of the slide's level 0, pixels.
    mpp
        um per level-0 pixel.
    tile_um
        Edge of the study's tiles.

    Raises
    ------
    InputError
        If they are from a slide of another size, lie outside this one, have another edge, or one is there
        twice.
    """
    stated, edge = patches.layout.slide_size, patches.layout.edge
    if stated is not None and np.abs(np.subtract(stated, size)).max() > patches.layout.slack:
        raise InputError(
            f"its slide has {stated[0]:g} x {stated[1]:g} px, and this one {size[0]} x {size[1]}",
            expected="features of this very slide, in the pixels of its level 0",
            action="name the features of this slide, or the slide that they were made from",
        )
    if abs(edge * mpp / tile_um - 1) > EDGE_LEEWAY:
        raise InputError(
            f"its patches are {edge * mpp:.4g} um wide ({edge:g} px of {mpp:.4g} um), and tiling.tile_um is "
            f"{tile_um:g}",
            expected=f"patches as wide as the study's tiles, within {EDGE_LEEWAY:.0%}",
            action=f"set tiling.tile_um to {edge * mpp:.4g} for the whole study, or make the features again "
            f"with patches of {tile_um / mpp:.0f} px of level 0",
        )
    corners = patches.centres - edge / 2
    outside = ((corners >= size) | (corners + edge <= 0)).any(axis=1)
    if outside.any():
        x, y = corners[outside][0]
        raise InputError(
            f"{outside.sum()} of {len(corners)} patches lie outside the slide of {size[0]} x {size[1]} px "
            f"(the first at {x:.0f}, {y:.0f})",
            expected="coordinates in the pixels of this slide's level 0",
            action="name the features of this slide",
        )
    number = len(np.unique(np.round(patches.centres), axis=0))
    if number < len(corners):
        raise InputError(
            f"{len(corners) - number} of {len(corners)} patches are at the place of another",
            expected="each place once",
            action="make the file again without them",
        )


def patch_pitch(patches: Patches) -> float:
    """Return the distance between neighbouring patches in level-0 pixels; the edge of a single one."""
    return spot_pitch(patches.centres) if len(patches.centres) > 1 else patches.layout.edge
