"""What novelty looks at in a section: features of its tiles, their colours, and the section's stains."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np

from ressat.base.own_file import own_file
from ressat.features.cache import COLOUR, FEATURES, Features
from ressat.features.joint import Caches, read_features
from ressat.stain.section_stain import SectionStain


@dataclass(frozen=True)
class SectionTiles:
    """The tiles of one section.

    Attributes
    ----------
    section, patient
        Names.
    features
        Of the layers that the model reads, shape (tiles, columns).
    colours
        Colour statistics of the normalised tiles, shape (tiles, 9); None where there are none.
    coords_um
        Centres, shape (tiles, 2).
    stains
        Optical density of the section's stains in R, G, B, unit columns, shape (3, stains); None where its
        stain method knows none, or could not be fitted.
    """

    section: str
    patient: str
    features: np.ndarray
    colours: np.ndarray | None
    coords_um: np.ndarray
    stains: np.ndarray | None

    def part(self, tiles: np.ndarray) -> "SectionTiles":
        """Return some of the tiles, by a boolean mask of shape (tiles,)."""
        return replace(
            self,
            features=self.features[tiles],
            colours=None if self.colours is None else self.colours[tiles],
            coords_um=self.coords_um[tiles],
        )


def read_tiles(
    caches: Caches, layers: Sequence[str], colour_file: str | Path, stain_file: str | Path, patient: str = ""
) -> tuple[SectionTiles, Features]:
    """Read a section.

    Parameters
    ----------
    caches
        Its feature caches by encoder.
    layers
        That the model reads.
    colour_file
        The cache that may have colour statistics.
    stain_file
        results/stain/{sample}.json.
    patient
        Name; novelty is measured without it.

    Returns
    -------
    tuple of SectionTiles, Features
        The tiles, and their features with provenance.
    """
    features = read_features(caches, layers)
    with own_file(colour_file), h5py.File(colour_file) as file:
        has_colours = COLOUR in file[FEATURES]
    tiles = SectionTiles(
        features.section,
        patient,
        features.values,
        Features.read(colour_file, [COLOUR]).values if has_colours else None,
        features.coords * features.attrs["mpp"],
        stains_of(SectionStain.read(stain_file)),
    )
    return tiles, features


def stains_of(stain: SectionStain) -> np.ndarray | None:
    """Return the stain vectors that a section was normalised from; only Macenko's method has any."""
    vectors = getattr(stain.source, "vectors", None)
    return None if vectors is None else np.asarray(vectors, dtype=np.float64)
