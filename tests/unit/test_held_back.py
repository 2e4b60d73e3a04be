import numpy as np
import pytest

from ressat.errors import InputError
from ressat.held_back import hold_back, leave_one_out, spatial_halves
from ressat.section_data import SectionData


def section(name: str, patient: str, spots: int = 60) -> SectionData:
    rng = np.random.default_rng(len(name) + ord(name[0]))
    table = rng.normal(size=(spots, 2)).astype(np.float32)
    coords = np.column_stack([rng.uniform(0, 3000, spots), rng.uniform(0, 1000, spots)])
    return SectionData(name, patient, table, table, coords)


def names(sections) -> set[str]:
    return {data.section for data in sections}


def test_whole_patients_are_held_back():
    sections = [section("A1", "a"), section("A2", "a"), section("B1", "b"), section("B2", "b")]
    learnt, held_back, words = hold_back(sections, 112, seed=0)
    assert {data.patient for data in learnt}.isdisjoint({data.patient for data in held_back})
    assert names(learnt) | names(held_back) == {"A1", "A2", "B1", "B2"}
    assert words.startswith("patient ")


def test_whole_sections_are_held_back_within_one_patient():
    learnt, held_back, words = hold_back([section("A1", "a"), section("A2", "a")], 112, seed=0)
    assert len(learnt) == len(held_back) == 1
    assert names(learnt) != names(held_back)
    assert words.startswith("section ")


def test_a_fifth_of_many_patients_is_held_back():
    _, held_back, _ = hold_back([section(f"S{i}", f"p{i}") for i in range(10)], 112, seed=0)
    assert len(held_back) == 2


def test_choice_does_not_depend_on_the_order_of_the_sheet():
    sections = [section(name, name) for name in "ABCDE"]
    assert names(hold_back(sections, 112, 5)[1]) == names(hold_back(sections[::-1], 112, 5)[1])


@pytest.mark.parametrize("gap_um", [112, 400])
def test_halves_of_a_lone_section_are_a_tile_apart(gap_um):
    data = section("A", "a", 400)
    for (learnt,), (held_back,), _ in spatial_halves(data, gap_um):
        x, y = learnt.coords[:, 0], held_back.coords[:, 0]
        assert max(x.min() - y.max(), y.min() - x.max()) >= gap_um
        assert min(len(x), len(y)) > 100


def test_every_unit_is_left_out_once():
    sections = [section("A1", "a"), section("B1", "b"), section("C1", "c")]
    assert [names(held_back) for _, held_back, _ in leave_one_out(sections, 112)] == [{"A1"}, {"B1"}, {"C1"}]
    assert len(leave_one_out(sections[:1], 112)) == 2


def test_a_lone_section_too_small_to_be_cut_is_refused():
    with pytest.raises(InputError, match="section A: of its 60 spots, 0 and 0 are left"):
        spatial_halves(section("A", "a"), gap_um=9000)
