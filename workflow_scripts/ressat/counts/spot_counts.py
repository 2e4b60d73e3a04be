"""A section's counts as its files give them, whatever the format."""

from dataclasses import dataclass, field

import pandas as pd
from scipy import sparse


@dataclass(frozen=True)
class SpotArray:
    """What the files say of the array that the spots lie on.

    Attributes
    ----------
    platform
        ``visium``, ``visium_hd``, ``legacy`` or, where the files do not tell, ``unknown``.
    pitch_px
        Distance between neighbouring spots, level-0 pixels.
    spot_px
        Diameter of a spot (edge of a bin), level-0 pixels.
    pitch_um
        Distance between neighbouring spots, um, where the platform has but one; else None.
    spot_um
        Diameter of a spot in the convention of the file that gives ``spot_px``, um; None where unknown.
    mpp
        um per pixel as the files state it; None where they do not.
    hires_scale, lowres_scale
        Pixels of Space Ranger's hires and lowres images per level-0 pixel; None where unknown.
    """

    platform: str
    pitch_px: float
    spot_px: float
    pitch_um: float | None = None
    spot_um: float | None = None
    mpp: float | None = None
    hires_scale: float | None = None
    lowres_scale: float | None = None


@dataclass(frozen=True)
class SpotCounts:
    """Counts and places of a section's spots.

    Attributes
    ----------
    section, file
        The section's name, and the file of the counts, for messages.
    spots
        Names of the spots, each once, shape (spots,).
    genes
        A row per gene: ``name`` as the counts name it, and ``symbol`` and ``ensembl`` where the files carry
        them, else None. Names may stand there more than once.
    counts
        Raw counts, float32, shape (spots, genes).
    places
        By name of the spot, of all positions of the array that the files list, those without counts too:
        in_tissue (0 or 1), array_row and array_col (int, where known), x and y (level-0 pixels, float).
    array
        What the files say of the array.
    found
        How many spots the counts hold.
    left_out
        How many of them were left out so far, by reason.
    features_left_out
        How many features were left out since they are no genes (antibodies, say), by type.
    """

    section: str
    file: str
    spots: pd.Index
    genes: pd.DataFrame
    counts: sparse.csr_matrix
    places: pd.DataFrame
    array: SpotArray
    found: int
    left_out: dict[str, int]
    features_left_out: dict[str, int] = field(default_factory=dict)
