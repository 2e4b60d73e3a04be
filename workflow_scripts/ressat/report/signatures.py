"""The report's gene sets: how well their scores are predicted, over sections and patients."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ressat.base.tables import read_table
from ressat.counts.gene_sets import FEWEST_GENES
from ressat.evaluation.depth import BOTH
from ressat.evaluation.signature_columns import SIGNATURES_TEXT
from ressat.evaluation.summary import MAX_FDR


def signatures(path: str | Path | Sequence) -> list[dict]:
    """Summarise results/evaluation/signatures.tsv for the page.

    Parameters
    ----------
    path
        The table; empty for a study without gene sets.

    Returns
    -------
    list of dict
        For each protocol its name, ``rows`` (a set with a score each, the better predicted first: means over
        the sections of a patient, then over patients) and ``without`` (sets without any score: ``signature``,
        ``n_genes`` at most, ``n_listed``).
    """
    if not path:
        return []
    table = read_table(path, SIGNATURES_TEXT)
    pages = []
    for protocol, rows in table.groupby("protocol", sort=False):
        summaries = [_summary(name, group) for name, group in rows.groupby("signature", sort=False)]
        scored = [one for one in summaries if one["n_genes_most"] >= FEWEST_GENES]
        pages.append(
            {
                "protocol": protocol,
                "rows": sorted(scored, key=lambda one: -_or_lowest(one["pearson"])),
                "without": [one for one in summaries if one["n_genes_most"] < FEWEST_GENES],
                "fewest": FEWEST_GENES,
            }
        )
    return pages


def _summary(name: str, rows: pd.DataFrame) -> dict:
    """One set over all its sections; beside the ceiling stands r over the sections that have both."""
    summary = {
        "signature": name,
        "n_listed": int(rows["n_listed"].iloc[0]),
        "n_genes_fewest": int(rows["n_genes"].min()),
        "n_genes_most": int(rows["n_genes"].max()),
        "n_sections": int(rows["pearson"].notna().sum()),
        "n_predicted": int((rows["fdr"] < MAX_FDR).sum()),
        "n_predicted_depth_free": int((rows["fdr_depth_free"] < MAX_FDR).sum()),
    }
    for of in BOTH:
        both = rows.dropna(subset=[of("pearson"), of("ceiling")])
        summary |= {
            of("pearson"): _over_patients(rows, of("pearson")),
            of("tuned_ridge"): _over_patients(rows, of("tuned_ridge")),
            of("pearson_with_ceiling"): _over_patients(both, of("pearson")),
            of("ceiling"): _over_patients(both, of("ceiling")),
            of("n_with_ceiling"): len(both),
        }
    return summary


def _over_patients(rows: pd.DataFrame, column: str) -> float:
    """Mean over the sections of a patient, then over patients."""
    return float(rows.groupby("patient", sort=False)[column].mean().mean())


def _or_lowest(value: float) -> float:
    return value if value == value else -9.0
