"""A section's counts as its files give them, whatever the format."""

from dataclasses import dataclass, field

import pandas as pd
from scipy import sparse


@dataclass(frozen=True)
class SpotArray:
    """What the files say about the array that the spots lie on.

    Attributes
    ----------
    platform
        ``visium``, ``visium_hd``, ``legacy`` or, where the files do not tell, ``unknown``.
    pitch_px
        Distance between neighbouring spots, level-0 pixels.
    spot_px
        Diameter of a spot (edge of a bin), level-0 pixels.
    pitch_um
        Distance between neighbouring spots, um, if the platform has only one; else None.
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
    file
        The file that the counts come from, for messages.
    spots
        Names of the spots, each once, shape (spots,).
    genes
        A row per gene: ``name`` as the counts name it, and ``symbol`` and ``ensembl`` where the files carry
        them, else None. Names may repeat.
    counts
        Raw counts, float32, shape (spots, genes).
    places
        Indexed by spot name, for all array positions that the files list, including those without counts:
        in_tissue (0 or 1), array_row and array_col (int, where known), x and y (level-0 pixels, float).
    array
        What the files say about the array.
    total
        How many spots the counts hold.
    left_out
        How many of them were left out so far, by reason.
    features_left_out
        How many features were left out because they are not genes (e.g. antibodies), by type.
    names_in
        Where the file seems to keep the names of genes that it calls by row numbers, such as
        ``var['features']``; None if nowhere, or if that is no matter.
    """

    file: str
    spots: pd.Index
    genes: pd.DataFrame
    counts: sparse.csr_matrix
    places: pd.DataFrame
    array: SpotArray
    total: int
    left_out: dict[str, int]
    features_left_out: dict[str, int] = field(default_factory=dict)
    names_in: str | None = None
