"""How far a section's depth is from training: hand-computed."""

import numpy as np
import pandas as pd
import pytest

from ressat.evaluation.training_depth import training_depth


def fold(training, tested):
    counts = [*training, *tested]
    return pd.DataFrame(
        {
            "section": [f"S{i}" for i in range(len(counts))],
            "side": ["train"] * len(training) + ["test"] * len(tested),
            "median_counts": np.array(counts, float),
        }
    )


@pytest.mark.parametrize(
    ("median", "times", "far"),
    [
        (648, 648 / 8500, True),
        (4250, 0.5, False),
        (4249, 4249 / 8500, True),
        (8499, 8499 / 8500, False),
        (8500, 1, False),
        (10000, 1, False),
        (12400, 1, False),
        (24800, 2, False),
        (24801, 24801 / 12400, True),
    ],
)
def test_a_section_is_far_beyond_twice_the_range_of_training(median, times, far):
    row = training_depth({"f": fold([8500, 12400, 9000], [median])}).loc["f", "S3"]
    assert row["times_training_range"] == pytest.approx(times)
    assert row["far_from_training"] == far
    assert row[["training_median_counts", "training_lowest_counts", "training_highest_counts"]].tolist() == [
        9000, 8500, 12400,
    ]  # fmt: skip
    assert row["trained_on"] == "S0,S1,S2"


def test_folds_are_compared_with_their_own_training_sections():
    table = training_depth({"f": fold([1000], [5000]), "g": fold([4000, 6000], [5000])})
    assert table.loc[("f", "S1"), "times_training_range"] == 5
    assert table.loc[("g", "S2"), "times_training_range"] == 1


def test_depth_that_the_unit_thins_away_is_not_compared():
    sections = {"f": fold([2000, 3000], [20_000, 100])}
    assert training_depth(sections)["far_from_training"].tolist() == [False, False, True, True]
    thinned = training_depth(sections, 1500)
    assert thinned["far_from_training"].tolist() == [False, False, False, True]
    assert thinned.loc[("f", "S2"), ["median_counts", "times_training_range"]].tolist() == [20_000, 1]
    assert thinned.loc[("f", "S3"), "times_training_range"] == pytest.approx(100 / 1500)


def test_without_training_sections_nothing_is_far_and_the_rest_undefined():
    row = training_depth({"bundle": fold([], [500])}).loc["bundle", "S0"]
    assert np.isnan(row[["training_median_counts", "times_training_range"]].astype(float)).all()
    assert not row["far_from_training"]
    assert row["trained_on"] == ""
