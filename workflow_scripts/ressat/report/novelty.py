"""The report's chapter on novelty: how new sections are to their models, and whether that tells errors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ressat.base.fields import ANY_TEXT, ANYTHING, Number, OneOf, Optional, Record
from ressat.base.own_file import damaged, read_json
from ressat.base.tables import read_table
from ressat.stats.significance import benjamini_hochberg

SHARE = Number(0, 1)
PARTS = {"features": "features", "colours": "colours", "stain": "stains"}
# What is said of a section, by the verdict in its file.
WORDS = {
    "familiar": "like the training sections",
    "partly novel": "in part unlike the training sections",
    "novel": "unlike the training sections",
}
# What results/novelty/{fold}/{sample}.json holds, besides the version.
SUMMARY = Record(
    {
        **dict.fromkeys(("section", "fold", "weights_sha256"), ANY_TEXT),
        "verdict": OneOf(tuple(WORDS)),
        "tiles": Number(1, 1e12, whole=True),
        "median": Number(0, 1e12),
        **dict.fromkeys(("share_above", "expected", "highest_held_out"), SHARE),
        "share_above_by_part": Record(dict.fromkeys(PARTS, Optional(SHARE))),
        "mean_squared_error": Optional(Number(0, 1e12)),
        "error_correlation": Optional(Number(-1, 1)),
        "error_p_value": Optional(SHARE),
        "layers": ANYTHING,
    }
)
TEXT = ("spot",)
# Below this false discovery rate over sections, novelty is said to tell error.
LEVEL = 0.05
# With fewer sections, no order of them is beyond chance.
FEWEST_SECTIONS = 5
# 95th percentile of the normal distribution: of rho without any relation, times the root of n - 1.
ONE_SIDED = 1.645


def read(summaries: Sequence[str | Path], spots: Sequence[str | Path], drawn: Sequence[dict]) -> dict:
    """Gather the novelty of every section whose fold has a model of this study.

    Parameters
    ----------
    summaries, spots
        JSON files and tables of results/novelty, in the same order.
    drawn
        Sections with their maps; see `ressat.report.maps.section_map`.

    Returns
    -------
    dict
        ``rows``, each with what the summary says, ``words`` and ``of_parts`` (which parts are above 1, in
        words), ``tells`` (whether novelty tells error there; None where it cannot be said), ``place`` (index
        of the section among those drawn) and ``values`` (novelty of each spot); and what `_over_sections`
        returns.
    """
    places = {(section["fold"], section["section"]): index for index, section in enumerate(drawn)}
    rows = []
    for summary_file, table_file in zip(summaries, spots, strict=True):
        summary = read_json(summary_file, SUMMARY)
        table = read_table(table_file, TEXT)
        if len(table) != summary["tiles"]:
            raise damaged(
                f"it has {len(table)} spots, and {summary_file} says {summary['tiles']}", table_file
            )
        rows.append(
            {
                **summary,
                "words": WORDS[summary["verdict"]],
                "of_parts": _in_words(summary["share_above_by_part"], summary["expected"]),
                "tells": None,
                "place": places[summary["fold"], summary["section"]],
                "values": table["novelty"].round(2).tolist(),
            }
        )
    # Of several sections, one in twenty would tell error by chance.
    tested = [row for row in rows if row["error_p_value"] is not None]
    fdr = benjamini_hochberg(np.array([row["error_p_value"] for row in tested]))
    for row, value in zip(tested, fdr, strict=True):
        row["tells"] = bool(value < LEVEL)
    return {"rows": rows, **_over_sections(rows)}


def _in_words(shares: dict[str, float | None], expected: float) -> str:
    """The parts of which more than the expected share of tiles is above 1, the largest first."""
    above = [(share, part) for part, share in shares.items() if share is not None and share > expected]
    return ", ".join(f"{PARTS[part]} {100 * share:.0f} %" for share, part in sorted(above, reverse=True))


def _over_sections(rows: Sequence[dict]) -> dict:
    """Whether sections that are newer are predicted worse.

    ``tested`` (how many sections have errors), ``telling`` (how many of these have a novelty that tells error
    of their spots), ``mean_correlation`` over them (NaN without any), and ``between``, Spearman's rho over
    sections of the median novelty and the mean error, NaN with fewer than `FEWEST_SECTIONS`, with
    ``between_tells``, whether it is above chance at the 5 % level.
    """
    tested = pd.DataFrame([row for row in rows if row["mean_squared_error"] is not None])
    if tested.empty:
        nothing = {"mean_correlation": np.nan, "between": np.nan, "between_tells": False, "fewest": 0}
        return {"tested": 0, "telling": 0, **nothing}
    between = np.nan
    if len(tested) >= FEWEST_SECTIONS:
        between = tested["median"].rank().corr(tested["mean_squared_error"].rank())
    return {
        "tested": len(tested),
        "telling": int(tested["tells"].eq(True).sum()),
        "mean_correlation": float(tested["error_correlation"].astype(float).mean()),
        "between": float(between),
        "between_tells": bool(between > ONE_SIDED / np.sqrt(len(tested) - 1)),
        "fewest": FEWEST_SECTIONS,
    }
