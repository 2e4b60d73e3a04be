"""The report's maps: which genes are shown, and their expression on each section's tissue."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ressat import figures, keys
from ressat.results_h5ad import read_results

# Percentiles of a gene's values at which its colour scale ends: one odd spot must not flatten a map.
SCALE_ENDS = (2, 98)


@dataclass(frozen=True)
class Prediction:
    """One section's predictions of some genes, with what is needed to draw them.

    Attributes
    ----------
    made
        What ``uns['ressat']`` records.
    image
        Low-resolution image, uint8, shape (h, w, 3).
    centres, diameter
        Of the spots, in pixels of ``image``.
    um_per_px
        um per pixel of ``image``.
    predicted
        Headline layer, log1p CP10k, one column per gene that the model predicts.
    observed
        The same for measured values; None for a section without counts.
    """

    made: dict
    image: np.ndarray
    centres: np.ndarray
    diameter: float
    um_per_px: float
    predicted: pd.DataFrame
    observed: pd.DataFrame | None

    @classmethod
    def read(cls, path: str | Path, genes: Iterable[str]) -> "Prediction":
        """Read results/predictions/{fold}/{sample}.h5ad, of the genes those that it has."""
        adata = read_results(path)
        made = dict(adata.uns[keys.UNS])
        here = adata[:, [gene for gene in genes if gene in adata.var_names]]
        spatial = adata.uns["spatial"][made["section"]]
        scale = float(spatial["scalefactors"]["tissue_hires_scalef"])
        return cls(
            made,
            image=spatial["images"]["hires"],
            centres=adata.obsm["spatial"] * scale,
            diameter=float(spatial["scalefactors"]["spot_diameter_fullres"]) * scale,
            um_per_px=float(made["mpp"]) / scale,
            predicted=here.to_df(),
            observed=here.to_df(keys.OBSERVED) if keys.OBSERVED in adata.layers else None,
        )


def chosen_genes(
    per_gene: pd.DataFrame | None, headline: str, predictions: Sequence[str | Path], number: int
) -> dict[str, float]:
    """Choose the genes whose maps are shown.

    Parameters
    ----------
    per_gene
        results/evaluation/per_gene.tsv; None where nothing was scored.
    headline
        The layer that leads.
    predictions
        Files of all predictions.
    number
        How many genes.

    Returns
    -------
    dict of str, float
        Best first: mean r over the test sections; or, where nothing was scored, the standard
        deviation of the prediction over a section's spots, in log1p CP10k.
    """
    if per_gene is not None:
        # The mean over sections of each gene's r; a stable sort, so that the table's order breaks ties.
        rows = per_gene[(per_gene["model"] == keys.MODEL) & (per_gene["layer"] == headline)]
        ranking = rows.groupby("gene")["pearson"].mean().dropna()
        return ranking.sort_values(ascending=False, kind="stable").head(number).to_dict()
    if not predictions:
        return {}
    spreads = [read_results(path).to_df().std(ddof=0) for path in predictions]
    return pd.concat(spreads, axis=1).mean(axis=1).nlargest(number).to_dict()


def gene_maps(
    genes: Mapping[str, float],
    per_gene: pd.DataFrame | None,
    predictions: Sequence[Prediction],
    watermark: str | None,
) -> list[dict]:
    """Draw observed beside predicted expression of some genes on every section's tissue.

    Parameters
    ----------
    genes
        As `chosen_genes` gives them.
    per_gene
        results/evaluation/per_gene.tsv; None where nothing was scored.
    predictions
        Of these genes.
    watermark
        Text laid across the maps of predictions.

    Returns
    -------
    list of dict
        Per gene: ``gene``, ``score``, ``limits`` of the one colour scale of all its maps, and a
        panel per prediction with the section, its r and its maps.
    """
    cards = []
    for gene, score in genes.items():
        tables = [table for p in predictions for table in (p.observed, p.predicted) if table is not None]
        values = np.concatenate([[np.nan], *(table[gene] for table in tables if gene in table)])
        low, high = np.nanpercentile(values, SCALE_ENDS) if np.isfinite(values).any() else (0.0, 0.0)
        # A constant gene has a colour scale too.
        limits = float(low), float(max(high, low + 0.01))
        panels = [_panel(gene, per_gene, prediction, limits, watermark) for prediction in predictions]
        cards.append({"gene": gene, "score": score, "limits": limits, "panels": panels})
    return cards


def _panel(
    gene: str,
    per_gene: pd.DataFrame | None,
    prediction: Prediction,
    limits: tuple[float, float],
    watermark: str | None,
) -> dict:
    """One section's maps of one gene; ``src`` is None where it has no values."""
    made = prediction.made
    maps = []
    # What was measured does not depend on any weights.
    for title, table, mark in (
        ("observed", prediction.observed, None),
        ("predicted", prediction.predicted, watermark),
    ):
        if table is None:
            continue
        picture = None
        if gene in table and table[gene].notna().any():
            picture = figures.expression_map(
                prediction.image, prediction.centres, prediction.diameter, table[gene].to_numpy(),
                limits, prediction.um_per_px, mark,
            )  # fmt: skip
        maps.append({"title": title, "src": picture and figures.data_uri(picture)})
    pearson = math.nan
    if per_gene is not None:
        wanted = {**made, "gene": gene, "model": keys.MODEL, "layer": made["headline"]}
        rows = per_gene
        for column in ("fold", "section", "gene", "model", "layer"):
            rows = rows[rows[column] == wanted[column]]
        pearson = float(rows["pearson"].mean())
    return {
        "section": made["section"],
        "tested": prediction.observed is not None,
        "pearson": pearson,
        "maps": maps,
    }
