"""Spots of several sections are never taken for those of one."""

import numpy as np
import pandas as pd
import pytest

from ressat.base.errors import InputError
from ressat.counts.one_section import refuse_several_sections

NUMBER = 60
BASES = ["".join("ACGT"[number // 4**digit % 4] for digit in range(16)) for number in range(NUMBER)]
ROW, COLUMN = np.indices((6, 10)).reshape(2, -1)
ARRAY = pd.DataFrame({"array_row": ROW, "array_col": 2 * COLUMN + ROW % 2})
COORDS = np.column_stack([ARRAY["array_col"] * 50.0, ROW * 50 * np.sqrt(3)]) + 400


def section(mark: str = "{}-1", *, array: bool = True, shift: float = 0, **labels: object) -> pd.DataFrame:
    """Names, places and labels of a section's spots."""
    places = pd.DataFrame(COORDS + shift, columns=["x", "y"])
    table = pd.concat([places, ARRAY] if array else [places], axis=1).assign(**labels)
    return table.set_axis([mark.format(bases) for bases in BASES])


def spots_by_number(*sections: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(sections).reset_index(drop=True).rename(index=str)


def check(*sections: pd.DataFrame, subset: str | None = None) -> None:
    spots = pd.concat(sections)
    places = spots[[name for name in ("array_row", "array_col", "x", "y") if name in spots]]
    labels = spots.drop(columns=places.columns)
    refuse_several_sections(
        spots.index, places, labels, subset=subset, action="write each section to a file of its own"
    )


def refusal(*sections: pd.DataFrame, subset: str | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        check(*sections, subset=subset)
    return caught.value


@pytest.mark.parametrize("mark", ["{}-1", "{}", "{}-1-x", "lib_{}-1", "s_{}"])
@pytest.mark.parametrize("array", [True, False])
def test_one_section_passes_in_silence(mark, array, caplog):
    check(section(mark, array=array, cluster=np.arange(NUMBER) % 4, sample="A"))
    assert caplog.messages == []


@pytest.mark.parametrize("array", [True, False])
@pytest.mark.parametrize(
    ("marks", "told", "example"),
    [
        (("{}-1", "{}-2"), "-1: 60 spots, -2: 60 spots", "-2"),
        (("{}-1", "{}-2", "{}-3"), "-1: 60 spots, -2: 60 spots, -3: 60 spots", "-3"),
        (("{}-1", "{}_1"), "-1: 60 spots, _1: 60 spots", "_1"),
        (("{}-1-old", "{}-1-young"), "-1-old: 60 spots, -1-young: 60 spots", "-1-young"),
        (("p7_{}-1", "p8_{}-1"), "p7_: 60 spots, p8_: 60 spots", "p8_"),
        (("a:{}-1", "b:{}-2"), "a:*-1: 60 spots, b:*-2: 60 spots", "b:*-2"),
        (("{}-1_1", "{}-1_2"), "-1_1: 60 spots, -1_2: 60 spots", "-1_2"),
    ],
)
def test_barcodes_that_mix_endings_are_those_of_several_sections(marks, told, example, array):
    error = refusal(*(section(mark, array=array) for mark in marks))
    assert error.problem.startswith(f"{len(marks)} sections in one file")
    where = "beginnings" if marks[0].startswith("p7") else "endings"
    assert f"told apart by the {where} of their barcodes ({told})" in error.problem
    assert ("120 spots on 60 places of the array" in error.problem) == (array and len(marks) == 2)
    assert error.action == (
        "write each section to a file of its own, or name its part in the sheet's column subset, "
        f"such as {example}"
    )


def test_endings_mixed_by_spots_that_share_no_place_are_refused_too():
    assert refusal(section("{}-1")[:30], section("{}-2")[30:]).problem.startswith("2 sections in one file, ")


@pytest.mark.parametrize("column", ["sample", "batch", "library_id", "donor", "orig.ident"])
def test_the_column_that_tells_sections_apart_is_named(column):
    sections = [section("{}-1", **{column: name, "cluster": np.arange(60) % 2}) for name in ("u", "v")]
    for spots in (sections, [spots_by_number(*sections)]):
        error = refusal(*spots)
        assert "2 sections in one file: 120 spots on 60 places of the array, told apart by " in error.problem
        assert error.problem.endswith(f"obs['{column}'] (u: 60 spots, v: 60 spots)")
        assert error.action.endswith(f"such as {column}=u")


def test_a_column_that_does_not_tell_them_apart_is_not_named():
    halves = np.arange(60) % 2
    error = refusal(spots_by_number(section(sample=halves), section(sample=halves, mouse="w")))
    assert "sample" not in str(error)
    assert error.problem.endswith(
        "2 sections in one file: 120 spots on 60 places of the array, and nothing in it tells them apart"
    )
    assert error.action == "write each section to a file of its own"


def test_a_part_passes_and_one_of_two_sections_is_refused():
    check(section("{}-1-b", sample="B"), subset="sample=B")
    error = refusal(section("{}-1-a"), section("{}-1-b"), subset="group=1")
    assert error.problem.startswith("2 sections in the part group=1: 120 spots on 60 places")


def test_names_made_unique_tell_nothing_apart_but_a_column_does():
    old, young = section("{}-1", age="old")[:50], section("{}-1-1", age="young")
    young = young.rename(index=dict(zip(young.index[50:], section().index[50:], strict=True)))
    error = refusal(old, young)
    assert error.problem.endswith("told apart by obs['age'] (old: 50 spots, young: 60 spots)")
    check(young, subset="age=young")
    assert "and nothing in it tells them apart" in refusal(old[["x", "y"]], young[["x", "y"]]).problem


@pytest.mark.parametrize("shift", [0, 17, 50])
@pytest.mark.parametrize("column", ["sample", "section_id"])
def test_arrays_that_lie_over_each_other_are_those_of_several_sections(shift, column):
    sections = [section(array=False, **{column: "a"}), section(array=False, shift=shift, **{column: "b"})]
    assert (
        f"2 sections in one file, told apart by obs['{column}']"
        in refusal(spots_by_number(*sections)).problem
    )


@pytest.mark.parametrize("column", ["sample", "batch"])
def test_cores_of_one_section_are_only_a_warning(column, caplog):
    check(section(**{column: np.where(COLUMN < 5, "core 1", "core 2")}))
    assert (
        f"obs['{column}'] has 2 values (core 1: 30 spots, core 2: 30 spots), and all spots are" in caplog.text
    )


@pytest.mark.parametrize("names", ["{}-1", "spot {}"])
def test_two_spots_at_one_place_are_named(names):
    spots = section(names)
    spots.loc[spots.index[7], ["array_row", "array_col"]] = [0, 0]
    error = refusal(spots)
    first = f"(first: {spots.index[0]}, {spots.index[7]})"
    assert error.problem == f"2 of its 60 spots share places of the array {first}"
    assert "if they are of several sections, write each section to a file of its own" in error.action


def test_array_positions_that_are_all_alike_say_nothing():
    check(section("{}-1").assign(array_row=0), section("{}-1")[:0])


@pytest.mark.parametrize("column", ["patient", "Sample", "slice", "group"])
@pytest.mark.parametrize("shift", [0, 31.0, 58.0])
def test_a_column_of_any_name_tells_arrays_apart_that_lie_over_each_other(column, shift):
    first, second = (
        section(array=False, shift=by, **{column: mark}) for by, mark in ((0, "A"), (shift, "B"))
    )
    joined = pd.concat([first, second]).assign(cluster=np.arange(2 * NUMBER) % 3)
    error = refusal(spots_by_number(joined))
    assert error.problem == (
        f"2 sections in one file, told apart by obs['{column}'] (A: {NUMBER} spots, B: {NUMBER} spots)"
    )


def test_clusters_and_cells_are_no_sections(caplog):
    cells = np.random.default_rng(0).uniform(0, 1000, (NUMBER, 2))
    one = section(array=False, leiden=np.arange(NUMBER) * 7 % 3, region=np.arange(NUMBER) // 30)
    check(spots_by_number(one))
    check(spots_by_number(one.assign(x=cells[:, 0], y=cells[:, 1])))
    assert caplog.messages == []


@pytest.mark.parametrize("column", ["library_id", "batch"])
def test_a_part_of_made_unique_names_in_a_file_of_its_own_is_one_section(column):
    """What anndata.concat, obs_names_make_unique and a choice of one value leave."""
    part = section("{}-1-1", **{column: "B"})
    part.index = [name.removesuffix("-1") if at < 7 else name for at, name in enumerate(part.index)]
    check(part)
    assert "-1-1: 53 spots" in refusal(part.drop(columns=column)).problem
