"""What a section's headline prediction reaches of its noise ceiling, and how far its level is off."""

import pandas as pd

from ressat.evaluation.depth import BOTH
from ressat.evaluation.training_depth import FAR
from ressat.report.words import DEPTH_FREE, PLAIN


def section_levels(lead: pd.DataFrame) -> list[dict]:
    """Return a row for every test section.

    Parameters
    ----------
    lead
        Rows of results/evaluation/per_section.tsv, of one protocol, the headline layer and all genes.

    Returns
    -------
    list of dict
        The section's row, and ``far`` (whether its depth is far from training), ``training`` (the range of
        the training sections' median counts, in words) and ``shares``: ``words``, ``genes``, ``pearson``,
        ``ceiling`` and ``share``, plain and depth-free, over the genes that have a ceiling.
    """
    return [
        row
        | {
            "far": bool(row[FAR]),
            "training": _range(row["training_lowest_counts"], row["training_highest_counts"]),
            "shares": shares(row),
        }
        for row in lead.to_dict("records")
    ]


def shares(row: dict) -> list[dict]:
    """Return what a row of the summaries says beside the ceiling, plain and depth-free."""
    return [
        {
            "words": words,
            "genes": row[of("n_with_ceiling")],
            "pearson": row[of("mean_pearson_with_ceiling")],
            "ceiling": row[of("mean_ceiling_with_pearson")],
            "share": row[of("share_of_ceiling")],
        }
        for words, of in zip((PLAIN, DEPTH_FREE), BOTH, strict=True)
    ]


def _range(lowest: float, highest: float) -> str:
    """Say the range of the training sections' medians; empty without training sections."""
    if lowest != lowest:
        return ""
    ends = [f"{lowest:,.0f}", f"{highest:,.0f}"]
    return " to ".join(dict.fromkeys(ends))
