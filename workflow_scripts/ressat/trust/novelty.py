"""Novelty: how far a tile is from the tiles that a model learnt from.

The largest of up to three parts, each on a scale where 1 is what tiles of unseen sections seldom exceed: the
features that the model reads, the tile's colours, and the section's stains.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ressat.base.errors import InputError, about
from ressat.base.files import FORMAT_VERSION, check_version
from ressat.base.hdf5_file import new_hdf5
from ressat.base.own_file import damaged, own_file
from ressat.trust.ellipsoid import Ellipsoid
from ressat.trust.section_tiles import SectionTiles

# The parts of novelty.
FEATURES, COLOURS, STAIN = "features", "colours", "stain"
# Where features must be those that novelty was fitted on, and what messages call it.
AGREEMENT = {"weights_sha256": "the encoder's weights (sha256)", "tile_um": "the tile size (um)"}


@dataclass(frozen=True)
class Novelty:
    """What novelty is measured with: summaries of the training tiles, and none of the tiles themselves.

    Attributes
    ----------
    layers
        That are read.
    ellipsoids
        Of the features, and of colours where all training sections have them, by part.
    stains
        Stain vectors of the training sections that have any, shape (sections, 3, stains).
    units
        The distance, by part, at which novelty is 1; of the stain, in degrees.
    held_out
        Share of tiles above 1 of every training section, or half of a lone one, when it was held out.
    requires
        Values of the entries of `AGREEMENT`.
    """

    layers: tuple[str, ...]
    ellipsoids: Mapping[str, Ellipsoid]
    stains: np.ndarray
    units: Mapping[str, float]
    held_out: Mapping[str, float]
    requires: Mapping[str, str | float]

    def parts(self, tiles: SectionTiles) -> dict[str, np.ndarray]:
        """Return the parts of novelty of a section's tiles, float64, shape (tiles,).

        A part is nan where the section has nothing to measure it by.
        """
        distances = raw_distances(tiles, self.ellipsoids, self.stains)
        return {
            part: distances[part] / self.units[part]
            if part in self.units
            else np.full(len(tiles.features), np.nan)
            for part in (FEATURES, COLOURS, STAIN)
        }

    def check(self, features: Mapping[str, object]) -> None:
        """Refuse features that are not comparable with those that novelty was fitted on."""
        for name, words in AGREEMENT.items():
            if features[name] != self.requires[name]:
                raise InputError(
                    f"{words} is {features[name]}, novelty was fitted with {self.requires[name]}",
                    expected="features made as those of the training sections",
                    action="remove results/features and run again",
                )

    def write(self, path: str | Path) -> None:
        """Write the file described in docs/outputs.md, as a whole."""
        if self._problem is not None:
            raise InputError(
                f"the fitted novelty: {self._problem}",
                expected="finite numbers, and spreads above 0",
                action="look for a training section whose tiles are all alike, or beyond all others",
                file=path,
            )
        with new_hdf5(path) as file:
            for part, ellipsoid in self.ellipsoids.items():
                ellipsoid.write(file.create_group(part))
            file[STAIN] = self.stains
            file.attrs.update(
                layers=json.dumps(self.layers),
                units=json.dumps(dict(self.units)),
                held_out=json.dumps(dict(self.held_out)),
                version=FORMAT_VERSION,
                **self.requires,
            )

    @classmethod
    def read(cls, path: str | Path) -> "Novelty":
        """Read the file that `write` wrote.

        Raises
        ------
        InputError
            If it is damaged or of another version of the format.
        """
        with own_file(path), h5py.File(path) as file:
            check_version(dict(file.attrs), path)
            novelty = cls(
                layers=tuple(json.loads(file.attrs["layers"])),
                ellipsoids={part: Ellipsoid.read(file[part]) for part in (FEATURES, COLOURS) if part in file},
                stains=file[STAIN][()],
                units=json.loads(file.attrs["units"]),
                held_out=json.loads(file.attrs["held_out"]),
                requires={
                    "weights_sha256": str(file.attrs["weights_sha256"]),
                    "tile_um": float(file.attrs["tile_um"]),
                },
            )
            if novelty._problem is not None:
                raise damaged(novelty._problem)
        return novelty

    @property
    def _problem(self) -> str | None:
        """What is wrong with its numbers, in words; None if nothing is."""
        for part, ellipsoid in self.ellipsoids.items():
            if ellipsoid.problem is not None:
                return f"{part}: {ellipsoid.problem}"
        if FEATURES not in self.units or not set(self.ellipsoids) <= set(self.units):
            return f"there are units of {', '.join(self.units)} alone"
        odd = [part for part, unit in self.units.items() if not 0 < unit < np.inf]
        return f"the unit of {odd[0]} is {self.units[odd[0]]}" if odd else None


def largest(parts: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the novelty of each tile, the largest of its parts that are defined, shape (tiles,)."""
    return np.fmax.reduce(list(parts.values()))


def raw_distances(
    tiles: SectionTiles, ellipsoids: Mapping[str, Ellipsoid], stains: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the distances of a section's tiles by part, without units, shape (tiles,) each.

    Those of the stain, in degrees, are one for the whole section; see `stain_angle`.
    """
    tables = {FEATURES: tiles.features, COLOURS: tiles.colours}
    missing = np.full(len(tiles.features), np.nan)
    with about(section=tiles.section):
        distances = {
            part: missing if tables[part] is None else ellipsoid.distance(tables[part])
            for part, ellipsoid in ellipsoids.items()
        }
    angle = np.nan if tiles.stains is None else stain_angle(tiles.stains, stains)
    return distances | {STAIN: np.full(len(tiles.features), angle)}


def stain_angle(stains: np.ndarray, others: np.ndarray) -> float:
    """Return how far a section's stains are from those of the training section that has the most alike.

    Parameters
    ----------
    stains
        Unit columns, shape (3, stains).
    others
        Shape (sections, 3, stains).

    Returns
    -------
    float
        The larger angle of both stains, in degrees; nan without other sections.
    """
    if not len(others):
        return np.nan
    cosines = np.clip((others * stains).sum(axis=1), -1, 1)
    return float(np.degrees(np.arccos(cosines)).max(axis=1).min())
