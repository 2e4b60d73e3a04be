"""The report's chapter on spot interaction: how far it moves predictions, and which spots it joins."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ressat.base.fields import ANY_TEXT, Number, Optional, Record
from ressat.base.own_file import damaged, read_json
from ressat.base.tables import read_table
from ressat.evaluation.text_columns import GENES, SPOTS

COUNT = Number(0, 1e12, whole=True)
COUNTS = (
    "clusters", "interaction_clusters", "expression_clusters", "spots", "spots_clustered", "genes",
    "genes_observed",
)  # fmt: skip
# What results/interaction/{fold}/{sample}.json holds, besides the version.
SUMMARY = Record(
    {
        "section": ANY_TEXT,
        "fold": ANY_TEXT,
        **dict.fromkeys(COUNTS, COUNT),
        "adjusted_rand": Optional(Number(-1, 1)),
        "median_neighbours": Optional(Number(0, 1e12)),
    }
)


def read(spots: Sequence[str | Path], summaries: Sequence[str | Path], drawn: Sequence[dict]) -> list[dict]:
    """Gather the clusters of every tested section, and where the page draws them.

    Parameters
    ----------
    spots, summaries
        Tables and JSON files of results/interaction, in the same order.
    drawn
        Sections with their maps; see `ressat.report.maps.section_map`.

    Returns
    -------
    list of dict
        What the summary says, and ``place`` (index of the section among those drawn), ``interaction`` and
        ``expression``: the cluster of each spot from 1 on, 0 for none.
    """
    places = {(section["fold"], section["section"]): index for index, section in enumerate(drawn)}
    found = []
    for table_file, summary_file in zip(spots, summaries, strict=True):
        summary = read_json(summary_file, SUMMARY)
        table = read_table(table_file, SPOTS)
        if len(table) != summary["spots"]:
            raise damaged(
                f"it has {len(table)} spots, and {summary_file} says {summary['spots']}", table_file
            )
        found.append(
            {
                **summary,
                "place": places[summary["fold"], summary["section"]],
                "interaction": _clusters(table["interaction_cluster"]),
                "expression": _clusters(_alike(table["expression_cluster"], table["interaction_cluster"])),
            }
        )
    return found


def mean_movement(genes: Sequence[str | Path]) -> pd.Series:
    """Return how far interaction moves each gene's predictions, its mean over sections, z units.

    Parameters
    ----------
    genes
        Tables of results/interaction by gene.
    """
    tables = [read_table(path, GENES).set_index("gene")["moved"] for path in genes]
    return pd.concat(tables, axis=1).mean(axis=1) if tables else pd.Series(dtype=float)


def _alike(clusters: pd.Series, others: pd.Series) -> pd.Series:
    """Give clusters the numbers of the others they share most spots with, so that both have the same colours.

    The largest overlap comes first; a cluster without a partner takes a number that is left.
    """
    overlap = pd.crosstab(clusters, others).stack().sort_values(ascending=False, kind="stable")
    numbers: dict[float, float] = {}
    for cluster, other in overlap[overlap > 0].index:
        if cluster not in numbers and other not in numbers.values():
            numbers[cluster] = other
    left = iter(
        sorted(set(range(1, 1 + len(set(clusters.dropna()) | set(others.dropna())))) - set(numbers.values()))
    )
    for cluster in sorted(set(clusters.dropna()) - set(numbers)):
        numbers[cluster] = next(left)
    return clusters.map(numbers)


def _clusters(column: pd.Series) -> list[int]:
    return column.fillna(0).astype(int).tolist()
