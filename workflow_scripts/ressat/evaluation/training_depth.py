"""How deep a section was sequenced, beside the sections that were learnt from."""

from collections.abc import Mapping

import pandas as pd

from ressat.base.roles import TRAIN

# Beyond the training sections' range by more than this factor, a section is far from them. Of a gene with few
# counts, log1p CP10k rises with depth: its mean by a sixth from 10,000 counts a spot to 20,000, by a quarter
# from 5,000 to 10,000, by half from 1,000 to 2,000, and predictions keep the level of training. Replicates of
# one tissue differed by a factor of up to 1.5.
FAR_FACTOR = 2
# The column that says so.
FAR = "far_from_training"


def training_depth(folds: Mapping[str, pd.DataFrame], thinned_to: int | None = None) -> pd.DataFrame:
    """Compare each section's median of the spots' total counts with those of its fold's training sections.

    Parameters
    ----------
    folds
        results/folds/{fold}/sections.tsv of every fold.
    thinned_to
        Counts a spot that the unit of expression thins to; more depth than that leaves the level of
        expression as it is, so it is not compared. None for log1p CP10k.

    Returns
    -------
    pandas.DataFrame
        By fold and section: ``median_counts``; ``training_median_counts``, ``training_lowest_counts`` and
        ``training_highest_counts`` (median, smallest and largest of the training sections' medians; NaN
        without training sections); ``times_training_range`` (median counts as a multiple of the end of that
        range beyond which they lie, 1 within it, NaN without one); ``far_from_training`` (whether by more
        than a factor of `FAR_FACTOR`); ``trained_on`` (names, with commas).
    """
    tables = []
    for fold, rows in folds.items():
        training = rows[rows["side"] == TRAIN]
        table = pd.DataFrame(
            {"fold": fold, "section": rows["section"], "median_counts": rows["median_counts"]}
        )
        for name, of in (("median", "median"), ("lowest", "min"), ("highest", "max")):
            table[f"training_{name}_counts"] = training["median_counts"].agg(of)
        compared = table.filter(like="_counts").clip(upper=thinned_to)
        lowest, highest = compared["training_lowest_counts"], compared["training_highest_counts"]
        median = compared["median_counts"]
        times = median / median.clip(lower=lowest, upper=highest)
        table["times_training_range"] = times.where(lowest.notna())
        table[FAR] = (times < 1 / FAR_FACTOR) | (times > FAR_FACTOR)
        table["trained_on"] = ",".join(training["section"])
        tables.append(table)
    return pd.concat(tables).set_index(["fold", "section"])
