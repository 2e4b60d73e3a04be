"""A part of a file: named by a column and its value, or by what stands around the barcodes."""

import numpy as np
import pandas as pd
import pytest

from ressat.base.errors import InputError
from ressat.counts.barcodes import plain_names
from ressat.counts.subset import subset_rows

BASES = ["".join("ACGT"[number // 4**digit % 4] for digit in range(16)) for number in range(6)]
NOTHING = pd.DataFrame()


def around(*marks: str) -> pd.Index:
    """Six barcodes in each of the given forms."""
    return pd.Index([mark.format(bases) for mark in marks for bases in BASES])


@pytest.mark.parametrize(
    ("marks", "subset"),
    [
        (("{}-1", "{}-2", "{}-3"), "-2"),
        (("{}-1-lib1", "{}-1-lib2", "{}-1"), "-1-lib2"),
        (("left_{}-1", "right_{}-1"), "right_"),
        (("{}-1_1", "{}-1_2"), "-1_2"),
        (("{}.a", "{}.b"), ".b"),
        (("x#{}-1", "y#{}-2"), "y#"),
        (("x#{}-1", "y#{}-2"), "-2"),
        (("x#{}-1", "y#{}-1", "x#{}-2"), "y#*-1"),
    ],
)
def test_the_barcodes_of_one_section_by_what_stands_around_them(marks, subset):
    rows = subset_rows(subset, around(*marks), NOTHING)
    assert np.flatnonzero(rows).tolist() == list(range(6, 12))


def test_bins_of_visium_hd_have_endings_too():
    names = pd.Index([f"s_008um_{i:05d}_00003-{group}" for group in (1, 2) for i in range(3)])
    assert subset_rows("-2", names, NOTHING).tolist() == [False] * 3 + [True] * 3


@pytest.mark.parametrize(
    ("values", "subset"),
    [
        (pd.Categorical(["S1", "S2", "S2"]), "donor=S2"),
        ([0, 7, 7], "donor=7"),
        ([0.0, 7.0, 7.0], "donor=7"),
        ([np.nan, 7, 7], "donor = 7"),
        ([False, True, True], "donor=True"),
        (["a", " b=c ", "b=c"], "donor=b=c"),
    ],
)
def test_the_spots_with_a_value_of_a_column(values, subset):
    labels = pd.DataFrame({"other": 1, "donor": values})
    assert subset_rows(subset, pd.Index(list("xyz")), labels).tolist() == [False, True, True]


def test_no_subset_is_all_spots():
    assert subset_rows(None, pd.Index(["a", "b"]), NOTHING).tolist() == [True, True]


LABELS = pd.DataFrame({"donor": ["p", "q", "q"] * 4, "sample_id": "one"})


@pytest.mark.parametrize(
    ("subset", "said"),
    [
        ("-3", "no barcode has this ending (there are -1: 6 spots, -2: 6 spots)"),
        ("2", "no barcode has this ending (there are -1: 6 spots, -2: 6 spots)"),
        ("donor=r", "no spot has that value in obs['donor'] (it has p: 4 spots, q: 8 spots)"),
        ("donor=P", "no spot has that value in obs['donor'] (it has p: 4 spots, q: 8 spots)"),
        ("sample=one", "obs has no column sample (it has donor, sample_id); expected a column"),
        ("donors=p", "did you mean donor?"),
    ],
)
def test_a_part_that_is_not_there_is_refused_with_those_that_are(subset, said):
    with pytest.raises(InputError) as caught:
        subset_rows(subset, around("{}-1", "{}-2"), LABELS)
    assert str(caught.value).startswith(f"subset is {subset}, and ")
    assert said in str(caught.value)


def test_an_ending_of_names_that_are_no_barcodes_is_refused():
    with pytest.raises(
        InputError, match=r"subset is -2, and its spots \(first: 10x12\) are not named by barc"
    ):
        subset_rows("-2", pd.Index(["10x12", "10x13"]), NOTHING)


@pytest.mark.parametrize("first", ["{}-1", "{}"])
def test_numbers_that_only_make_names_unique_are_no_endings_of_sections(first):
    # The second section has a barcode more, which is named as in the first.
    names = pd.Index([*around(first)[:5], *around(first + "-1")[:5], around(first)[5]])
    with pytest.raises(InputError, match="only mark those that occur again"):
        subset_rows("-1", names, NOTHING)


@pytest.mark.parametrize("mark", ["{}-2", "a_{}-2-b", "{}-2_7"])
def test_names_of_a_part_are_those_of_space_ranger(mark):
    assert plain_names(around(mark)).tolist() == [f"{bases}-2" for bases in BASES]


def test_names_that_would_be_equal_or_are_no_barcodes_stay():
    for names in (around("{}-1-a", "{}-1-b"), pd.Index(["10x12", "s1"])):
        assert plain_names(names).tolist() == names.tolist()
