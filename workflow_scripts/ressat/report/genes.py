"""The report's genes: a table of all of them, its download, and what the page knows of each."""

import base64
import csv
import io
import math
from collections.abc import Collection, Mapping, Sequence
from urllib.parse import quote

import pandas as pd

from ressat.base.spreadsheet import as_text
from ressat.evaluation.depth import BOTH
from ressat.report.maps import Prediction, gene_pack
from ressat.report.scales import Scales, finest

COLUMNS = {
    "pearson": "mean r",
    "pearson_depth_free": "depth-free r",
    "tuned_ridge": "tuned ridge",
    "pearson_with_ceiling": "r beside the ceiling",
    "ceiling": "noise ceiling",
    "share_of_ceiling": "share of ceiling",
    "fdr": "FDR",
    "observed_mean": "mean expression",
}
# What a gene lacks to be usable.
LACKS = {
    "predicted": "not predicted by the test",
    "beats_tuned_ridge": "not better than the tuned ridge",
    "worth_predicting": "noise ceiling too low or unknown",
}


def gene_rows(usable_genes: pd.DataFrame) -> list[dict]:
    """Return the rows of the page's table.

    Parameters
    ----------
    usable_genes
        results/evaluation/usable_genes.tsv.

    Returns
    -------
    list of dict
        ``gene``, ``href`` (the part of the address that selects it), ``protocol``, ``usable`` (in words),
        ``finest`` (the finest usable scale: text and a number to sort by), and ``cells``: the same for each
        of `COLUMNS`.
    """
    return [
        {
            "gene": row["gene"],
            "href": address(row["gene"]),
            "protocol": row["protocol"],
            "usable": _usable(row),
            "finest": (finest(row["finest_scale"]), _or_last(row["finest_scale"])),
            "cells": [(number(row[name], name), _sorting(row[name], name)) for name in COLUMNS],
        }
        for row in usable_genes.to_dict("records")
    ]


def address(gene: str) -> str:
    """Return the part of the page's address that selects a gene."""
    return f"#gene={quote(gene, safe='')}"


def number(value: float, column: str = "") -> str:
    """Write a number as the page shows it."""
    if math.isnan(value):
        return "undefined"
    # A zero has no sign.
    return f"{value:.1e}" if column == "fdr" else f"{round(value, 2) + 0.0:.2f}"


def signed(value: float, digits: int = 3) -> str:
    """Write a difference as the page shows it."""
    return "undefined" if math.isnan(value) else f"{value:+.{digits}f}"


def percent(value: float) -> str:
    """Write a share as the page shows it."""
    return "undefined" if math.isnan(value) else f"{100 * value:.0f} %"


def download(usable_genes: pd.DataFrame) -> str:
    """Return the table of genes as the data URI of a TSV file, safe to open in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(usable_genes.columns)
    for row in usable_genes.itertuples(index=False):
        writer.writerow([as_text(cell) if isinstance(cell, str) else cell for cell in row])
    content = base64.b64encode(text.getvalue().encode("utf-8")).decode()
    return f"data:text/tab-separated-values;charset=utf-8;base64,{content}"


def gene_records(
    ranking: Sequence[str],
    usable_genes: pd.DataFrame | None,
    movement: pd.Series,
    scores: pd.DataFrame,
    with_map: Collection[str],
    predictions: Sequence[Prediction],
    unit: str,
    scales: Scales | None = None,
) -> tuple[list[dict], dict[int, str]]:
    """Gather what the page shows about each gene when it is selected.

    Parameters
    ----------
    ranking
        All genes, in the order in which the page steps through them.
    usable_genes
        results/evaluation/usable_genes.tsv; None where nothing was scored.
    movement
        By gene, how far spot interaction moves its predictions, z units.
    scores
        Pearson by gene and prediction; see `ressat.report.maps.section_scores`.
    with_map
        Genes whose maps are shown.
    predictions
        Of the mapped genes.
    unit
        Of expression.
    scales
        Coarser than the spot; None where nothing was scored there.

    Returns
    -------
    tuple of list of dict, dict of int, str
        ``name``, ``facts`` (pairs of term and text), ``r`` by prediction and ``map`` (what
        `ressat.report.maps.gene_pack` says, None without a map) of every gene; and packed maps by index.
    """
    rows: dict[str, list] = {}
    for row in [] if usable_genes is None else usable_genes.to_dict("records"):
        rows.setdefault(row["gene"], []).append(row)
    several = usable_genes is not None and usable_genes["protocol"].nunique() > 1
    records, maps = [], {}
    for index, gene in enumerate(ranking):
        pack = gene_pack(gene, predictions) if gene in with_map else None
        if pack:
            maps[index] = pack[1]
        facts = [fact for row in rows.get(gene, []) for fact in _facts(row, several, unit, scales)]
        if gene in movement.index:
            facts.append(("moved by interaction (z units)", number(movement[gene])))
        r = scores.loc[gene].tolist() if gene in scores.index else [math.nan] * len(predictions)
        records.append(
            {
                "name": gene,
                "facts": facts or [("scores", "none: predicted only where there are no counts")],
                "r": [None if math.isnan(value) else round(value, 4) for value in r],
                "map": pack[0] if pack else None,
            }
        )
    return records, maps


def _facts(row: Mapping, several: bool, unit: str, scales: Scales | None) -> list[tuple[str, str]]:
    pairs = [("protocol", row["protocol"])] if several else []
    pairs += [(words, number(row[name], name)) for name, words in COLUMNS.items()]
    pairs[-1] = (f"{pairs[-1][0]} ({unit})", pairs[-1][1])
    pairs.append(("usable", _why(row)))
    if scales:
        pairs += [
            (f"mean r at {words}", f"{number(r)} ({number(twin)} depth-free)")
            for words, r, twin in scales.of_gene(row)
        ]
        pairs.append(("finest usable scale", finest(row["finest_scale"])))
    return pairs


def _usable(row: Mapping) -> str:
    """Whether a gene is usable, in the table's words."""
    if row["usable"]:
        return "yes"
    return "only through depth" if row["only_through_depth"] else "no"


def _why(row: Mapping) -> str:
    """Whether a gene is usable, and what it lacks."""
    plain, twin = (", ".join(words for name, words in LACKS.items() if not row[of(name)]) for of in BOTH)
    if row["usable"]:
        return "yes"
    if row["only_through_depth"]:
        return f"no: only through sequencing depth (given it: {twin})"
    return f"no: {plain}{' (given sequencing depth, it would be)' if row['only_depth_free'] else ''}"


def _sorting(value: float, column: str) -> float:
    """A number to sort by; an undefined value is worse than any other."""
    if math.isnan(value):
        return 9.0 if column == "fdr" else -9.0
    return round(float(value), 12)


def _or_last(scale: float) -> float:
    """A scale to sort by; a gene without any is behind all others."""
    return 99.0 if math.isnan(scale) else scale
