"""Scores of genes summarised: within a section first, then within a patient, then over the study."""

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd
from scipy import stats

from ressat.base.layers import BASELINE, TUNED_RIDGE
from ressat.evaluation.panels import ALL_GENES, PANELS

SECTION = ["protocol", "fold", "section", "patient", "model", "layer", "panel"]
LAYER = ["protocol", "model", "layer", "panel"]
# With fewer patients, no interval has the coverage it claims.
MIN_PATIENTS_INTERVAL = 5
CONFIDENCE = 0.95
# A gene with an FDR below this counts as predicted.
MAX_FDR = 0.05


def summarise_sections(per_gene: pd.DataFrame, trained_on: Mapping[str, str]) -> pd.DataFrame:
    """Summarise the genes of every section, layer and panel.

    Parameters
    ----------
    per_gene
        Rows of `ressat.evaluation.scores.score_section` of all test sections.
    trained_on
        The training sections of each fold, in words.

    Returns
    -------
    pandas.DataFrame
        per_section, described in docs/outputs.md. An undefined correlation is NaN, left out of means,
        and counted.
    """
    ridge = per_gene[(per_gene["model"] == BASELINE) & (per_gene["layer"] == TUNED_RIDGE)]
    ridge = ridge.set_index(["fold", "section", "gene"])["pearson"].rename("ridge")
    scored = per_gene.join(ridge, on=["fold", "section", "gene"])
    scored["difference"] = scored["pearson"] - scored["ridge"]
    scored["significant"] = (scored["fdr"] < MAX_FDR).astype(float).where(scored["fdr"].notna())
    scored["undefined"] = scored["pearson"].isna()
    panels = [
        scored.assign(panel=ALL_GENES),
        *(scored[scored[name]].assign(panel=name) for name in PANELS),
    ]
    grouped = pd.concat(panels, ignore_index=True).groupby(SECTION, sort=False)
    size = grouped.size()
    quartiles = grouped["pearson"].quantile([0.25, 0.5, 0.75]).unstack().reindex(size.index)
    table = pd.DataFrame(
        {
            "n_spots": grouped["n_spots"].first(),
            "n_genes": size,
            "n_undefined": grouped["undefined"].sum(),
            "mean_pearson": grouped["pearson"].mean(),
            "median_pearson": quartiles[0.5],
            "q25_pearson": quartiles[0.25],
            "q75_pearson": quartiles[0.75],
            "mean_spearman": grouped["spearman"].mean(),
            "mean_rmse": grouped["rmse"].mean(),
            "mean_r2": grouped["r2"].mean(),
            "moran_agreement": grouped[["moran_observed", "moran_predicted"]].apply(_agreement),
            "share_significant": grouped["significant"].mean(),
            "n_without_ceiling": grouped["ceiling"].apply(lambda values: int(values.isna().sum())),
            "mean_ceiling": grouped["ceiling"].mean(),
            "minus_tuned_ridge": grouped["difference"].mean(),
        }
    ).reset_index()
    table["trained_on"] = table["fold"].map(trained_on)
    return table


def summarise_patients(per_section: pd.DataFrame, pooled: Mapping[Hashable, float]) -> pd.DataFrame:
    """Summarise sections within patients, and patients over the study.

    Parameters
    ----------
    per_section
        As `summarise_sections` gives it.
    pooled
        Correlations over the pooled spots of all sections by protocol, model and layer.

    Returns
    -------
    pandas.DataFrame
        summary, described in docs/outputs.md: a row per patient, and one for the study.
    """
    values = ["mean_pearson", "mean_spearman", "mean_rmse", "mean_r2", "share_significant", "mean_ceiling"]
    values = [*values, "minus_tuned_ridge"]
    patients = per_section.groupby([*LAYER, "patient"], sort=False)
    by_patient = patients[values].mean()
    by_patient.insert(0, "n_sections", patients.size())
    by_patient = by_patient.reset_index()
    layers = by_patient.groupby(LAYER, sort=False)
    study = layers[values].mean()
    study.insert(0, "n_patients", layers.size())
    study.insert(1, "n_sections", layers["n_sections"].sum())
    study["lowest_patient"] = layers["mean_pearson"].min()
    study["highest_patient"] = layers["mean_pearson"].max()
    intervals = layers["minus_tuned_ridge"].apply(_interval)
    study["minus_tuned_ridge_low"] = [low for low, _ in intervals]
    study["minus_tuned_ridge_high"] = [high for _, high in intervals]
    study = study.reset_index()
    # Pooled over all genes; panels differ between folds.
    study["pooled_pearson"] = [
        pooled.get((row.protocol, row.model, row.layer), np.nan) if row.panel == ALL_GENES else np.nan
        for row in study.itertuples()
    ]
    table = pd.concat(
        [study.assign(level="study", patient=""), by_patient.assign(level="patient", n_patients=1)],
        ignore_index=True,
    )
    first = [*LAYER, "level", "patient", "n_patients", "n_sections", "mean_pearson", "pooled_pearson"]
    return table[[*first, *(name for name in table if name not in first)]]


def _agreement(morans: pd.DataFrame) -> float:
    """Pearson over genes between Moran's I of observed and predicted values."""
    both = morans.dropna()
    if len(both) < 3 or (both.std() <= 1e-9).any():
        return np.nan
    return float(np.corrcoef(both.T)[0, 1])


def _interval(differences: pd.Series) -> tuple[float, float]:
    """Student's t interval of the mean over patients; NaN below `MIN_PATIENTS_INTERVAL`."""
    differences = differences.dropna()
    if len(differences) < MIN_PATIENTS_INTERVAL:
        return np.nan, np.nan
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(differences) - 1) * stats.sem(differences)
    return differences.mean() - half, differences.mean() + half
