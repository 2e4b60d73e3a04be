from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from ressat.base.errors import InputError, about
from ressat.counts.spot_counts import SpotArray, SpotCounts
from ressat.counts.usable_spots import (
    check_values,
    inside_image,
    under_tissue,
    usable_spots,
    within_image,
)

COUNTS = np.array([[1, 0, 2], [0, 0, 0], [0, 5, 0], [4, 4, 4], [1, 1, 1]])


def spots(counts: np.ndarray = COUNTS, **more: object) -> SpotCounts:
    """Five spots: the second has no counts, the fourth lies outside tissue, the fifth has no place."""
    names = [f"s{i}" for i in range(len(counts))]
    places = pd.DataFrame(
        {"in_tissue": [1, 1, 1, 0, 1], "x": np.arange(5.0), "y": np.arange(5.0)},
        index=["s0", "s1", "s2", "s3", "elsewhere"],
    )
    given = {
        "file": "counts.h5",
        "spots": pd.Index(names),
        "genes": pd.DataFrame({"name": list("ABC"), "symbol": list("ABC"), "ensembl": None}),
        "counts": sparse.csr_matrix(counts.astype(np.float32)),
        "places": places,
        "array": SpotArray("legacy", 50.0, 30.0),
        "total": len(names),
        "left_out": {},
    }
    return SpotCounts(**given | more)


def test_spots_under_tissue_with_counts_are_kept_and_the_others_counted():
    found = under_tissue(spots())
    assert list(found.spots) == ["s0", "s2"]
    assert found.counts.toarray().tolist() == COUNTS[[0, 2]].tolist()
    assert found.left_out == {"without position": 1, "outside tissue": 1, "zero counts": 1}
    assert found.total == 5
    assert len(found.places) == 5


def test_what_was_left_out_before_stays_counted():
    assert under_tissue(spots(left_out={"elsewhere": 3})).left_out["elsewhere"] == 3


@pytest.mark.parametrize(
    ("count", "said"),
    [(-1, "-1"), (0.5, "0.5"), (1e30, "1e+30"), (np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")],
)
def test_what_is_no_count_is_refused_with_its_place(count, said):
    counts = COUNTS.astype(float)
    counts[2, 1] = count
    with pytest.raises(InputError) as caught, about(section="S1"):
        usable_spots(spots(counts))
    assert str(caught.value).startswith(
        f"section S1: counts.h5: a count of {said} (spot s2, gene B); expected raw counts: whole numbers"
    )


def test_a_spot_named_twice_is_refused():
    with pytest.raises(InputError, match=r"1 spot names occur more than once \(first: s2\)"):
        check_values(spots(spots=pd.Index(["s0", "s1", "s2", "s2", "s3"])))


@pytest.mark.parametrize("pitch", [0, 0.01, np.nan])
def test_spots_that_lie_on_one_another_are_refused(pitch):
    with pytest.raises(InputError, match=f"spots are {pitch} px apart; expected each spot at its own place"):
        check_values(spots(array=SpotArray("legacy", pitch, 1)))


def test_a_section_without_counts_is_refused():
    with pytest.raises(InputError, match=r"no spot with counts among 5 \(5 with zero counts\)"):
        check_values(spots(COUNTS * 0))


def test_a_section_whose_counts_all_lie_outside_tissue_is_refused_with_the_figures():
    counts = COUNTS.copy()
    counts[[0, 2]] = 0
    said = r"no spot with counts among 5 \(3 with zero counts, 1 without position, 1 outside tissue\)"
    with pytest.raises(InputError, match=said):
        usable_spots(spots(counts))


def test_a_section_without_spots_under_tissue_is_refused_with_the_figures():
    found = spots()
    with pytest.raises(InputError) as caught:
        usable_spots(replace(found, places=found.places.assign(in_tissue=0)))
    assert "none of its 5 spots lies under tissue (4 outside tissue, 1 without position)" in str(caught.value)


@pytest.mark.parametrize(
    ("names", "action"),
    [
        (["A-2", "C-2", "G-2", "T-2", "N-2"], "give counts and positions of the same section"),
        (
            ["s0-1", "s1-1", "s2-1", "s3-1", "s4-1"],
            "keep the barcode suffix -1 in both or in neither",
        ),
    ],
)
def test_spots_without_a_common_name_are_refused_with_examples_of_both(names, action):
    with pytest.raises(InputError) as caught:
        usable_spots(spots(spots=pd.Index(names)))
    assert f"none of its 5 spots (first: {names[0]}) has a position; expected spots named like" in str(
        caught.value
    )
    assert "(first: s0)" in str(caught.value)
    assert caught.value.action.startswith(action)


@pytest.mark.parametrize(
    ("own", "other", "said"),
    [
        ("S1_{}-1", "{}-1", "write their barcodes as S1_*-1 and the positions as *-1"),
        ("{}-1", "V10_A1#{}-1", "write their barcodes as *-1 and the positions as V10_A1#*-1"),
        ("S2_{}", "{}-1", "write their barcodes as S2_* and the positions as *-1"),
    ],
)
def test_what_a_tool_wrote_around_barcodes_is_named(own, other, said):
    bases = ["A" * 11 + letters for letters in ("CCCCC", "CCCCG", "CCCGG", "CCGGG", "CGGGG")]
    given = spots(spots=pd.Index([own.format(one) for one in bases]))
    places = given.places.set_axis([other.format(one) for one in bases])
    with pytest.raises(InputError) as caught:
        usable_spots(replace(given, places=places))
    assert said in str(caught.value)
    assert caught.value.action.startswith("remove from the barcodes")


def many(unplaced: int, empty: int = 0) -> SpotCounts:
    """A hundred spots: the first have no position, and then some of them no counts."""
    names = pd.Index([f"s{i}" for i in range(100)])
    places = pd.DataFrame({"in_tissue": 1, "x": np.arange(100.0), "y": 0.0}, index=names)[unplaced:]
    counts = np.ones((100, 3))
    counts[:empty] = 0
    return spots(counts, places=places)


@pytest.mark.parametrize(("unplaced", "empty"), [(0, 0), (7, 0), (20, 0), (60, 55)])
def test_a_few_spots_without_position_are_left_out(unplaced, empty):
    found = usable_spots(many(unplaced, empty))
    assert (len(found.spots), found.left_out["without position"]) == (100 - unplaced, unplaced)


@pytest.mark.parametrize(
    ("unplaced", "empty", "said"),
    [
        (21, 0, "21 of its 100 spots with counts"),
        (50, 0, "50 of its 100"),
        (60, 40, "20 of its 60 spots with"),
    ],
)
def test_many_spots_with_counts_but_without_position_are_refused(unplaced, empty, said):
    with pytest.raises(InputError) as caught:
        usable_spots(many(unplaced, empty))
    assert said in caught.value.problem
    assert f"(first: s{empty})" in caught.value.problem
    assert caught.value.expected == "a position of at least 80% of them"
    assert "positions of the same section" in caught.value.action


@pytest.mark.parametrize(("size", "beyond"), [((100, 1), 0), ((93, 1), 7), ((60, 9), 40)])
def test_spots_beyond_the_image_are_left_out_and_counted(size, beyond):
    found = within_image(usable_spots(many(0)), size)
    assert len(found.spots) == found.counts.shape[0] == 100 - beyond
    assert found.left_out.get("beyond the image", 0) == beyond


@pytest.mark.parametrize("size", [(19, 5), (100, 0)])
def test_too_few_spots_within_the_image_are_refused(size):
    with pytest.raises(
        InputError, match=rf"{min(size[0], 100 * size[1])} spots with counts; expected at least 20"
    ):
        within_image(usable_spots(many(0)), size)


@pytest.mark.parametrize("coords", [(-0.5, 3), (8, 3), (2, -1), (2, 5.0), (np.nan, 3)])
def test_a_place_before_or_behind_an_edge_is_not_in_the_image(coords):
    assert inside_image(np.array([coords, (0, 0), (7.9, 4.9)]), (8, 5)).tolist() == [False, True, True]
