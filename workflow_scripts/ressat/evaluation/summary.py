"""Scores of genes summarised: within a section first, then within a patient, then over the study."""

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd
from scipy import stats

from ressat.base.layers import BASELINE, OBSERVED_DEPTH, ORACLE, TUNED_RIDGE
from ressat.base.roles import TRAIN
from ressat.evaluation.depth import BOTH, FOLLOWS, depth_free
from ressat.evaluation.panels import ALL_GENES, PANELS

SECTION = ["protocol", "fold", "section", "patient", "model", "layer", "panel"]
LAYER = ["protocol", "model", "layer", "panel"]
# With fewer patients, no interval has the coverage it claims.
MIN_PATIENTS_INTERVAL = 5
CONFIDENCE = 0.95
# A gene with an FDR below this counts as predicted.
MAX_FDR = 0.05


def summarise_sections(per_gene: pd.DataFrame, folds: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Summarise the genes of every section, layer and panel.

    Parameters
    ----------
    per_gene
        Rows of `ressat.evaluation.scores.score_section` of all test sections.
    folds
        results/folds/{fold}/sections.tsv of every fold.

    Returns
    -------
    pandas.DataFrame
        per_section, described in docs/outputs.md. An undefined correlation is NaN, left out of means,
        and counted.
    """
    place = ["fold", "section", "gene"]
    ridge = per_gene[(per_gene["model"] == BASELINE) & (per_gene["layer"] == TUNED_RIDGE)].set_index(place)
    depth = per_gene[(per_gene["model"] == ORACLE) & (per_gene["layer"] == OBSERVED_DEPTH)].set_index(place)
    follows = (depth["pearson"] > FOLLOWS).astype(float).where(depth["pearson"].notna())
    scored = per_gene.join(follows.rename("follows"), on=place)
    for of in BOTH:
        r, fdr = scored[of("pearson")], scored[of("fdr")]
        beside = scored[place].join(ridge[of("pearson")].rename("ridge"), on=place)["ridge"]
        scored[of("difference")] = r - beside
        scored[of("significant")] = (fdr < MAX_FDR).astype(float).where(fdr.notna())
        scored[of("undefined")] = r.isna()
    panels = [
        scored.assign(panel=ALL_GENES),
        *(scored[scored[name]].assign(panel=name) for name in PANELS),
    ]
    grouped = pd.concat(panels, ignore_index=True).groupby(SECTION, sort=False)
    columns = {"n_spots": grouped["n_spots"].first(), "n_genes": grouped.size()}
    for of in BOTH:
        r = grouped[of("pearson")]
        columns |= {
            of("n_undefined"): grouped[of("undefined")].sum(),
            of("mean_pearson"): r.mean(),
            of("median_pearson"): r.median(),
            of("q25_pearson"): r.quantile(0.25),
            of("q75_pearson"): r.quantile(0.75),
            of("mean_spearman"): grouped[of("spearman")].mean(),
            of("share_significant"): grouped[of("significant")].mean(),
            of("n_without_ceiling"): grouped[of("ceiling")].apply(lambda values: int(values.isna().sum())),
            of("mean_ceiling"): grouped[of("ceiling")].mean(),
            of("minus_tuned_ridge"): grouped[of("difference")].mean(),
        }
    columns |= {
        "minus_depth_free": columns["mean_pearson"] - columns[depth_free("mean_pearson")],
        "mean_rmse": grouped["rmse"].mean(),
        "mean_r2": grouped["r2"].mean(),
        "moran_agreement": grouped[["moran_observed", "moran_predicted"]].apply(_agreement),
        "share_following_depth": grouped["follows"].mean(),
    }
    table = pd.DataFrame(columns).reset_index()
    counts = pd.concat([rows.assign(fold=fold) for fold, rows in folds.items()])
    table = table.join(counts.set_index(["fold", "section"])["median_counts"], on=["fold", "section"])
    training = {fold: rows[rows["side"] == TRAIN] for fold, rows in folds.items()}
    medians = {fold: rows["median_counts"].median() for fold, rows in training.items()}
    table["training_median_counts"] = table["fold"].map(medians)
    table["trained_on"] = table["fold"].map(
        {fold: ",".join(rows["section"]) for fold, rows in training.items()}
    )
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
    twins = ["mean_pearson", "mean_spearman", "share_significant", "mean_ceiling", "minus_tuned_ridge"]
    values = [*(of(name) for of in BOTH for name in twins), "mean_rmse", "mean_r2"]
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
    for of in BOTH:
        intervals = layers[of("minus_tuned_ridge")].apply(patients_interval)
        study[of("minus_tuned_ridge_low")] = [low for low, _ in intervals]
        study[of("minus_tuned_ridge_high")] = [high for _, high in intervals]
    study = study.reset_index()
    # Pooled over all genes; panels differ between folds.
    study["pooled_pearson"] = [
        pooled.get((row.protocol, row.model, row.layer), np.nan) if row.panel == ALL_GENES else np.nan
        for row in study.itertuples()
    ]
    for rows in (study, by_patient):
        rows["minus_depth_free"] = rows["mean_pearson"] - rows[depth_free("mean_pearson")]
    table = pd.concat(
        [study.assign(level="study", patient=""), by_patient.assign(level="patient", n_patients=1)],
        ignore_index=True,
    )
    scores = ["mean_pearson", depth_free("mean_pearson"), "minus_depth_free", "pooled_pearson"]
    first = [*LAYER, "level", "patient", "n_patients", "n_sections", *scores]
    return table[[*first, *(name for name in table if name not in first)]]


def _agreement(morans: pd.DataFrame) -> float:
    """Pearson over genes between Moran's I of observed and predicted values."""
    both = morans.dropna()
    if len(both) < 3 or (both.std() <= 1e-9).any():
        return np.nan
    return float(np.corrcoef(both.T)[0, 1])


def patients_interval(differences: pd.Series) -> tuple[float, float]:
    """Return Student's t interval of the mean over patients; NaN below `MIN_PATIENTS_INTERVAL`."""
    differences = differences.dropna()
    if len(differences) < MIN_PATIENTS_INTERVAL:
        return np.nan, np.nan
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(differences) - 1) * stats.sem(differences)
    return differences.mean() - half, differences.mean() + half
