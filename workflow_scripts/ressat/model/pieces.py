"""Holding back training spots to choose settings on, so that no choice is made on a test section."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ressat.base.errors import InputError
from ressat.model.section_data import SectionData

# The most pieces: this limits the cost of a choice however many patients there are.
MOST_PIECES = 4
# The fewest spots that each half of a lone section must keep.
MIN_HALF = 8


@dataclass(frozen=True)
class Piece:
    """A part of the training spots that is held back as a whole.

    Attributes
    ----------
    name
        What it is, in words.
    sections
        Its sections, or the half of one.
    """

    name: str
    sections: list[SectionData]


def pieces(sections: list[SectionData], gap_um: float) -> list[Piece]:
    """Divide training sections into pieces, each of which is held back in its turn.

    Whole patients stay together where there are several, else whole sections. A lone section is cut in
    halves across its longer axis, without the spots within half a gap of the cut: tiles overlap, and a
    random half of the spots would have seen the other half's pixels.

    Parameters
    ----------
    sections
        The fold's training sections.
    gap_um
        Width of the gap in a lone section; the edge of a tile.

    Returns
    -------
    list of Piece
        Two to `MOST_PIECES`, of about as many spots each.

    Raises
    ------
    InputError
        If fewer than `MIN_HALF` spots are left in a half of a lone section.
    """
    for unit in ("patient", "section"):
        groups: dict[str, list[SectionData]] = {}
        for data in sorted(sections, key=lambda data: data.section):
            groups.setdefault(getattr(data, unit), []).append(data)
        if len(groups) > 1:
            return _evenly(groups, unit)
    return _halves(sections[0], gap_um)


def turns(parts: list[Piece]) -> Iterator[tuple[list[SectionData], list[SectionData]]]:
    """Yield, for each piece in turn, the training sections and those held back."""
    for held_back in parts:
        learning = [data for part in parts if part is not held_back for data in part.sections]
        yield learning, held_back.sections


def _evenly(groups: dict[str, list[SectionData]], unit: str) -> list[Piece]:
    """The largest group first, to the piece with fewest spots so far."""
    spots = {name: sum(len(data.coords) for data in group) for name, group in groups.items()}
    bins: list[list[str]] = [[] for _ in range(min(MOST_PIECES, len(groups)))]
    for name in sorted(groups, key=lambda name: (-spots[name], name)):
        min(bins, key=lambda names: sum(spots[other] for other in names)).append(name)
    return [
        Piece(f"{unit} {', '.join(sorted(names))}", [data for name in sorted(names) for data in groups[name]])
        for names in bins
    ]


def _halves(data: SectionData, gap_um: float) -> list[Piece]:
    place = data.coords[:, np.argmax(np.ptp(data.coords, axis=0))]
    cut = np.median(place)
    halves = [data.part(place < cut - gap_um / 2), data.part(place > cut + gap_um / 2)]
    if min(len(half.coords) for half in halves) < MIN_HALF:
        raise InputError(
            f"of its {len(data.coords)} spots, {' and '.join(str(len(half.coords)) for half in halves)} are "
            f"left on either side of a gap of {gap_um:g} um",
            expected=f"{MIN_HALF} on either side: choices for a lone section are made on half of it",
            action="add a training section, or lower tiling.tile_um in config.yaml",
            section=data.section,
        )
    words = f"half of section {data.section}, with a gap of {gap_um:g} um"
    return [Piece(f"one {words}", [halves[0]]), Piece(f"the other {words}", [halves[1]])]
