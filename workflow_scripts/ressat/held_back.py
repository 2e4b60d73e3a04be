"""Setting training spots aside for choices, so that no choice is made on a test section."""

import numpy as np

from ressat.errors import InputError
from ressat.section_data import SectionData

# Share of the patients, or else sections, that is held back.
HELD_BACK = 0.2
# Spots that either half of a lone section must keep.
MIN_HALF = 8

Split = tuple[list[SectionData], list[SectionData], str]


def hold_back(sections: list[SectionData], gap_um: float, seed: int) -> Split:
    """Split training sections into those learnt from and those that a choice is made on.

    Whole patients are held back where there are several, else whole sections. A lone section is cut
    in halves, see `spatial_halves`.

    Parameters
    ----------
    sections
        The fold's training sections.
    gap_um
        Width of the gap in a lone section; the edge of a tile.
    seed
        Of the draw.

    Returns
    -------
    tuple of list, list, str
        Learnt from, held back, and what was held back in words.
    """
    rng = np.random.default_rng(seed)
    for unit in ("patient", "section"):
        names = sorted({getattr(data, unit) for data in sections})
        if len(names) > 1:
            count = max(1, round(HELD_BACK * len(names)))
            return _without(sections, unit, set(rng.choice(names, count, replace=False).tolist()))
    return spatial_halves(sections[0], gap_um)[0]


def leave_one_out(sections: list[SectionData], gap_um: float) -> list[Split]:
    """Hold back every patient in turn, or else every section, or else either half of a lone section."""
    for unit in ("patient", "section"):
        names = sorted({getattr(data, unit) for data in sections})
        if len(names) > 1:
            return [_without(sections, unit, {name}) for name in names]
    return spatial_halves(sections[0], gap_um)


def spatial_halves(data: SectionData, gap_um: float) -> list[Split]:
    """Cut a section across its longer axis, and leave out the spots within half a gap of the cut.

    Tiles overlap: a random half of the spots would have seen the other half's pixels.

    Raises
    ------
    InputError
        If hardly any spots are left in a half.
    """
    place = data.coords[:, np.argmax(np.ptp(data.coords, axis=0))]
    cut = np.median(place)
    low, high = data.part(place < cut - gap_um / 2), data.part(place > cut + gap_um / 2)
    if min(low.features.shape[0], high.features.shape[0]) < MIN_HALF:
        raise InputError(
            f"of its {len(data.coords)} spots, {len(low.coords)} and {len(high.coords)} are left on either "
            f"side of a gap of {gap_um:g} um",
            expected=f"{MIN_HALF} on either side: choices for a lone section are made on half of it",
            action="add a training section, or lower tiling.tile_um in config.yaml",
            section=data.section,
        )
    words = f"half of section {data.section}, with a gap of {gap_um:g} um"
    return [([low], [high], words), ([high], [low], words)]


def _without(sections: list[SectionData], unit: str, chosen: set[str]) -> Split:
    learnt = [data for data in sections if getattr(data, unit) not in chosen]
    held_back = [data for data in sections if getattr(data, unit) in chosen]
    return learnt, held_back, f"{unit} {', '.join(sorted(chosen))}"
