import re

import numpy as np
import pytest

from ressat.base.errors import InputError
from ressat.model.pieces import MOST_PIECES, pieces, turns
from ressat.model.section_data import SectionData


def section(name: str, patient: str | None = None, spots: int = 40) -> SectionData:
    """Spots along x, 100 um apart, two rows."""
    coords = np.stack([np.repeat(np.arange(spots // 2), 2) * 100.0, np.tile([0.0, 100.0], spots // 2)], -1)
    return SectionData(
        name,
        patient or name,
        np.zeros((spots, 3)),
        np.zeros((spots, 2)),
        np.arange(spots),
        coords,
        {"layer3": 3},
    )


def names(sections: list[SectionData]) -> list[str]:
    return [data.section for data in sections]


def test_every_patient_is_held_back_once_and_as_a_whole():
    parts = pieces([section("A1", "A"), section("B1", "B"), section("A2", "A"), section("C1", "C")], 112)
    assert {part.name: names(part.sections) for part in parts} == {
        "patient A": ["A1", "A2"], "patient B": ["B1"], "patient C": ["C1"],
    }  # fmt: skip
    assert [names(learnt) for learnt, _ in turns(parts)] == [
        ["B1", "C1"],
        ["A1", "A2", "C1"],
        ["A1", "A2", "B1"],
    ]
    assert [names(held_back) for _, held_back in turns(parts)] == [["A1", "A2"], ["B1"], ["C1"]]


def test_many_patients_make_few_pieces_of_about_as_many_spots():
    sections = [
        section(f"{patient}{i}", patient) for patient in "ABCDEFGHIJ" for i in range(1 + "ADG".count(patient))
    ]
    parts = pieces(sections, 112)
    assert len(parts) == MOST_PIECES
    assert sorted(name for part in parts for name in names(part.sections)) == sorted(names(sections))
    for learnt, held_back in turns(parts):
        assert not {data.patient for data in learnt} & {data.patient for data in held_back}
    assert {len(part.sections) for part in parts} <= {3, 4}


def test_pieces_do_not_depend_on_the_order_of_the_sections():
    sections = [section(f"{patient}1", patient) for patient in "ABCDEF"]
    assert [names(part.sections) for part in pieces(sections[::-1], 112)] == [
        names(part.sections) for part in pieces(sections, 112)
    ]


def test_sections_are_held_back_where_there_is_one_patient():
    parts = pieces([section("A1", "A"), section("A2", "A")], 112)
    assert [part.name for part in parts] == ["section A1", "section A2"]


def test_a_lone_section_is_cut_across_its_longer_axis_with_a_gap():
    parts = pieces([section("A1")], gap_um=250)
    low, high = (part.sections[0].coords[:, 0] for part in parts)
    assert high.min() - low.max() >= 250
    assert len(low) == len(high)
    assert parts[0].name == "one half of section A1, with a gap of 250 um"
    assert [(learnt[0].coords[0, 0], held[0].coords[0, 0]) for learnt, held in turns(parts)] == [
        (high[0], low[0]), (low[0], high[0]),
    ]  # fmt: skip


def test_a_lone_section_of_too_few_spots_is_refused():
    with pytest.raises(
        InputError, match=re.escape("section A1: of its 20 spots, 6 and 6 are left on either side")
    ):
        pieces([section("A1", spots=20)], gap_um=300)
