"""Tables of how well each gene is predicted in each test section."""

from collections.abc import Iterable

import anndata
import pandas as pd

from ressat import keys
from ressat.metrics import pearson, rmse

PER_GENE = [
    "protocol",
    "fold",
    "section",
    "patient",
    "gene",
    "model",
    "layer",
    "n_spots",
    "observed_mean",
    "pearson",
    "rmse",
]
GROUP = ["protocol", "fold", "section", "patient", "model", "layer"]
MODEL, BASELINE = "ressat", "baseline"


def score_section(
    predictions: anndata.AnnData,
    baselines: anndata.AnnData,
    *,
    protocol: str,
    fold: str,
    section: str,
    patient: str,
) -> pd.DataFrame:
    """Score every layer of a section's predictions, and every baseline, gene by gene.

    Parameters
    ----------
    predictions
        results/predictions/{fold}/{sample}.h5ad with the layer ``observed``.
    baselines
        results/baselines/{fold}/{sample}.h5ad: the same spots and genes.
    protocol, fold, section, patient
        Names, for the table.

    Returns
    -------
    pandas.DataFrame
        The columns `PER_GENE`, described in docs/outputs.md.
    """
    if not (
        predictions.obs_names.equals(baselines.obs_names)
        and predictions.var_names.equals(baselines.var_names)
    ):
        raise ValueError(f"section {section}: predictions and baselines differ in spots or genes")
    observed = predictions.layers[keys.OBSERVED]
    layers = {(MODEL, name): predictions.layers[name] for name in (keys.DIRECT, keys.ATTENDED)}
    layers |= {(BASELINE, name): values for name, values in baselines.layers.items()}
    tables = [
        pd.DataFrame(
            {
                "protocol": protocol,
                "fold": fold,
                "section": section,
                "patient": patient,
                "gene": predictions.var_names,
                "model": model,
                "layer": layer,
                "n_spots": predictions.n_obs,
                "observed_mean": observed.mean(axis=0),
                "pearson": pearson(observed, predicted),
                "rmse": rmse(observed, predicted),
            }
        )
        for (model, layer), predicted in layers.items()
    ]
    return pd.concat(tables, ignore_index=True)[PER_GENE]


def summarise(tables: Iterable[pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Summarise scores: genes within a section, then sections within a patient, then patients.

    Parameters
    ----------
    tables
        As `score_section` gives them, at least one.

    Returns
    -------
    tuple of pandas.DataFrame
        per_gene, per_section and summary, described in docs/outputs.md. An undefined correlation is
        NaN, left out of means, and counted.
    """
    per_gene = pd.concat(tables, ignore_index=True)
    grouped = per_gene.groupby(GROUP, sort=False)
    pearsons = grouped["pearson"]
    per_section = pd.DataFrame(
        {
            "n_spots": grouped["n_spots"].first(),
            "n_genes": grouped.size(),
            "n_undefined": pearsons.apply(lambda r: int(r.isna().sum())),
            "mean_pearson": pearsons.mean(),
            "median_pearson": pearsons.median(),
            "q25_pearson": pearsons.quantile(0.25),
            "q75_pearson": pearsons.quantile(0.75),
            "mean_rmse": grouped["rmse"].mean(),
        }
    ).reset_index()
    by_patient = per_section.groupby(["protocol", "model", "layer", "patient"], sort=False)[
        "mean_pearson"
    ].mean()
    by_layer = by_patient.groupby(["protocol", "model", "layer"], sort=False)
    summary = pd.DataFrame(
        {
            "n_patients": by_layer.size(),
            "n_sections": per_section.groupby(["protocol", "model", "layer"], sort=False).size(),
            "mean_pearson": by_layer.mean(),
            "lowest_patient": by_layer.min(),
            "highest_patient": by_layer.max(),
        }
    ).reset_index()
    return per_gene, per_section, summary


def gene_ranking(per_gene: pd.DataFrame, headline: str) -> pd.Series:
    """Return mean Pearson of the headline layer over sections by gene, best first, without NaN."""
    rows = per_gene[(per_gene["model"] == MODEL) & (per_gene["layer"] == headline)]
    return rows.groupby("gene")["pearson"].mean().dropna().sort_values(ascending=False, kind="stable")
