"""Fitting novelty on training sections, and its scale on those of them that are held out in turn."""

import logging
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ressat.base.errors import InputError
from ressat.trust.ellipsoid import Ellipsoid
from ressat.trust.novelty import COLOURS, FEATURES, STAIN, Novelty, largest, raw_distances
from ressat.trust.section_tiles import SectionTiles

logger = logging.getLogger("ressat")

# Share of the tiles of unseen sections that lie below 1.
BELOW = 0.95
# Turns in which sections are held out, which bounds the cost of a large cohort.
MOST_TURNS = 4
# The fewest tiles that each half of a lone section must keep.
MIN_HALF = 8
# Angle, in degrees, that another H&E staining stays below: sections of one tumour were up to 6 apart, those
# of two laboratories 8 to 14, other stains 17 and more (docs/method.md).
STAIN_DEGREES = 15.0


def fit_novelty(
    sections: Sequence[SectionTiles],
    layers: Sequence[str],
    requires: Mapping[str, str | float],
    gap_um: float,
) -> Novelty:
    """Fit novelty on the tiles of a fold's training sections.

    Distances of features and of colours are divided by the 95th percentile of those of tiles held out, so
    that they weigh alike; then both by the 95th percentile of the larger of the two.

    Parameters
    ----------
    sections
        Of the fold's training sections.
    layers
        That their features are of.
    requires
        Values of the entries of `ressat.trust.novelty.AGREEMENT`.
    gap_um
        Gap between the halves of a lone section; the edge of a tile.

    Returns
    -------
    Novelty
        With the share above 1 of every section, or half, that was held out.

    Raises
    ------
    InputError
        If all tiles are alike, or a lone section has too few.
    """
    held_out: dict[str, dict[str, np.ndarray]] = {}
    for learning, left_out in turns(sections, gap_um):
        ellipsoids, stains = _summaries(learning)
        for name, tiles in left_out.items():
            held_out[name] = raw_distances(tiles, ellipsoids, stains)
    ellipsoids, stains = _summaries(sections)
    units = {part: _percentile([distances[part] for distances in held_out.values()]) for part in ellipsoids}
    factor = _percentile([_larger(distances, units) for distances in held_out.values()])
    units = {part: unit * factor for part, unit in units.items()}
    if len(stains):
        angles = [distances[STAIN][0] for distances in held_out.values() if len(distances[STAIN])]
        units[STAIN] = float(np.nanmax([STAIN_DEGREES, *angles]))
    shares = {
        name: float((_larger(distances, units) > 1).mean()) for name, distances in sorted(held_out.items())
    }
    logger.info("held out, tiles above 1: %s", {name: round(share, 3) for name, share in shares.items()})
    return Novelty(tuple(layers), ellipsoids, stains, units, shares, dict(requires))


def turns(
    sections: Sequence[SectionTiles], gap_um: float
) -> Iterator[tuple[list[SectionTiles], dict[str, SectionTiles]]]:
    """Yield training tiles, and those held out by name, in at most `MOST_TURNS` turns.

    Whole sections are held out, while others of the same patient stay where there are any. A lone section is
    cut in halves across its longer axis, without the tiles within half a gap of the cut.
    """
    if len(sections) == 1:
        (tiles,) = sections
        place = tiles.coords_um[:, np.argmax(np.ptp(tiles.coords_um, axis=0))]
        cut = np.median(place)
        halves = [tiles.part(place < cut - gap_um / 2), tiles.part(place > cut + gap_um / 2)]
        if min(len(half.features) for half in halves) < MIN_HALF:
            raise InputError(
                f"its {len(place)} tiles leave fewer than {MIN_HALF} on one side of a gap of {gap_um:g} um",
                expected=f"{MIN_HALF} on either side, since novelty is scaled on one half after the other",
                action="add a training section, or lower tiling.tile_um in config.yaml",
                section=tiles.section,
            )
        yield [halves[1]], {f"one half of {tiles.section}": halves[0]}
        yield [halves[0]], {f"the other half of {tiles.section}": halves[1]}
        return
    ordered = sorted(sections, key=lambda tiles: (tiles.patient, tiles.section))
    number = min(MOST_TURNS, len(ordered))
    for turn in range(number):
        learning = [tiles for place, tiles in enumerate(ordered) if place % number != turn]
        yield learning, {tiles.section: tiles for tiles in ordered[turn::number]}


def _summaries(sections: Sequence[SectionTiles]) -> tuple[dict[str, Ellipsoid], np.ndarray]:
    """Ellipsoids by part, and the sections' stains."""
    ordered = sorted(sections, key=lambda tiles: tiles.section)
    ellipsoids = {FEATURES: Ellipsoid.fit([tiles.features for tiles in ordered])}
    if all(tiles.colours is not None for tiles in ordered):
        ellipsoids[COLOURS] = Ellipsoid.fit([tiles.colours for tiles in ordered])
    stains = [tiles.stains for tiles in ordered if tiles.stains is not None]
    return ellipsoids, np.array(stains) if stains else np.empty((0, 3, 2))


def _percentile(distances: Sequence[np.ndarray]) -> float:
    return float(np.nanquantile(np.concatenate(distances), BELOW))


def _larger(distances: Mapping[str, np.ndarray], units: Mapping[str, float]) -> np.ndarray:
    return largest({part: distances[part] / unit for part, unit in units.items()})
