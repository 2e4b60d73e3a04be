"""Does a fold's training data contain anything of its test sections? Checked on content, not on names."""

import hashlib
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from ressat.base.errors import InputError
from ressat.base.layers import N_COUNTS
from ressat.base.names import name_key
from ressat.base.results_h5ad import read_results
from ressat.tiles.table import Tiles

# Two sections that share more of the smaller one's spots than this have the same counts, read in two ways.
MOST_SHARED_SPOTS = 0.2


@dataclass(frozen=True)
class Content:
    """What shows whether two sections have the same content.

    Attributes
    ----------
    section, patient, side
        Names; ``side`` is train or test.
    slide
        SHA-256 of the slide file's content.
    image
        SHA-256 of the slide's low-resolution pixels: the same for a slide that was only rewritten.
    counts
        Fingerprints of the spots' counts, shape (spots,); see
        `ressat.counts.expression_file.spot_fingerprints`.
    median_counts
        Median of the spots' total counts.
    tiles
        Centres of the tiles in level-0 pixels, shape (tiles, 2).
    tile_px
        Edge of a tile in level-0 pixels.
    """

    section: str
    patient: str
    side: str
    slide: str
    image: str
    counts: np.ndarray
    median_counts: float
    tiles: np.ndarray
    tile_px: float

    @classmethod
    def read(cls, tiles_file: str | Path, counts_file: str | Path, *, patient: str, side: str) -> "Content":
        """Read from results/tiles/{sample}.h5 and results/expression/{sample}.h5ad."""
        tiles = Tiles.read(tiles_file)
        adata = read_results(counts_file, backed="r", needs={"obs": ["fingerprint", N_COUNTS]})
        fingerprints, n_counts = (adata.obs[name].to_numpy() for name in ("fingerprint", N_COUNTS))
        adata.file.close()
        return cls(
            tiles.section,
            patient,
            side,
            slide=tiles.fingerprint,
            image=hashlib.sha256(tiles.lowres.tobytes()).hexdigest(),
            counts=fingerprints,
            median_counts=float(np.median(n_counts)),
            tiles=tiles.coords,
            tile_px=tiles.geometry.tile_um / tiles.scale.mpp,
        )


def check_fold(fold: str, sections: list[Content], *, within_patient: bool) -> pd.DataFrame:
    """Refuse a fold whose sides share a patient, or in which two sections have the same content.

    Sections may share a slide where their tiles lie apart, as on a slide with several arrays. Copies
    among the training sections are refused too: one could be held out to choose a setting while its twin
    is trained on.

    Parameters
    ----------
    fold
        The fold's name, for messages.
    sections
        All training and test sections.
    within_patient
        Whether a patient may be on both sides.

    Returns
    -------
    pandas.DataFrame
        A row per section: ``section``, ``patient``, ``side``, ``slide_sha256``, ``counts_sha256`` and
        ``median_counts``.

    Raises
    ------
    InputError
        Naming both sections and what they share.
    """
    for one, other in combinations(sections, 2):
        across = one.side != other.side
        shared = _shared_content(one, other)
        same_patient = name_key(one.patient) == name_key(other.patient)
        if shared is None and across and same_patient and not within_patient:
            shared = f"the patient {one.patient}"
        if shared is not None:
            sides = "on both sides of" if across else f"both on the {one.side} side of"
            raise InputError(
                f"sections {one.section} and {other.section} share {shared} and are {sides} fold {fold}",
                expected="sections that share nothing: otherwise scores would be too good",
                action=f"correct or remove one of {one.section} and {other.section} in the sample sheet",
            )
    return pd.DataFrame(
        {
            "section": [one.section for one in sections],
            "patient": [one.patient for one in sections],
            "side": [one.side for one in sections],
            "slide_sha256": [one.slide for one in sections],
            "counts_sha256": [_digest(one.counts) for one in sections],
            "median_counts": [one.median_counts for one in sections],
        }
    )


def _shared_content(one: Content, other: Content) -> str | None:
    common = np.isin(one.counts, other.counts).sum()
    if common > MOST_SHARED_SPOTS * min(len(one.counts), len(other.counts)):
        return f"the counts of {common} spots"
    if one.slide == other.slide or one.image == other.image:
        distances, _ = cKDTree(one.tiles).query(other.tiles, p=np.inf)
        if distances.min() < (one.tile_px + other.tile_px) / 2:
            return "their slide, with overlapping tiles"
    return None


def _digest(fingerprints: np.ndarray) -> str:
    return hashlib.sha256(np.sort(fingerprints).tobytes()).hexdigest()
