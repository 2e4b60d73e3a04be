"""Scores of genes summarised: within a section first, then within a patient, then over the study."""

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd
from scipy import stats

from ressat.base.layers import BASELINE, OBSERVED_DEPTH, ORACLE, TUNED_RIDGE
from ressat.counts.expression_unit import LOG1P_CP10K, ExpressionUnit
from ressat.evaluation.depth import BOTH, FOLLOWS, depth_free
from ressat.evaluation.panels import ALL_GENES, PANELS
from ressat.evaluation.training_depth import FAR, training_depth

SECTION = ["protocol", "fold", "section", "patient", "model", "layer", "panel"]
LAYER = ["protocol", "model", "layer", "panel"]
# What a study's and a patient's rows average of sections' rows: numbers of genes and means over them, first
# those that have a twin.
TWINS = [
    "n_undefined", "mean_pearson", "mean_spearman", "share_significant", "mean_ceiling",
    "n_with_ceiling", "mean_pearson_with_ceiling", "mean_ceiling_with_pearson", "minus_tuned_ridge",
]  # fmt: skip
LEVELS = ["n_with_offset", "mean_rmse", "mean_offset", "mean_absolute_offset", "n_with_r2", "mean_r2"]
# With fewer patients, no interval has the coverage it claims.
MIN_PATIENTS_INTERVAL = 5
CONFIDENCE = 0.95
# A gene with an FDR below this counts as predicted.
MAX_FDR = 0.05


def summarise_sections(
    per_gene: pd.DataFrame, folds: Mapping[str, pd.DataFrame], unit: ExpressionUnit = LOG1P_CP10K
) -> pd.DataFrame:
    """Summarise the genes of every section, layer and panel.

    Parameters
    ----------
    per_gene
        Rows of `ressat.evaluation.scores.score_section` of all test sections.
    folds
        results/folds/{fold}/sections.tsv of every fold.
    unit
        Of expression.

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
        # What stands beside the ceiling is of the very same genes.
        both = r.notna() & scored[of("ceiling")].notna()
        scored[of("with_ceiling")] = both
        scored[of("pearson_with_ceiling")] = r.where(both)
        scored[of("ceiling_with_pearson")] = scored[of("ceiling")].where(both)
    scored["absolute_offset"] = scored["offset"].abs()
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
            of("n_with_ceiling"): grouped[of("with_ceiling")].sum(),
            of("mean_pearson_with_ceiling"): grouped[of("pearson_with_ceiling")].mean(),
            of("mean_ceiling_with_pearson"): grouped[of("ceiling_with_pearson")].mean(),
            of("minus_tuned_ridge"): grouped[of("difference")].mean(),
        }
    columns |= {
        "minus_depth_free": columns["mean_pearson"] - columns[depth_free("mean_pearson")],
        "n_with_offset": grouped["offset"].count(),
        "mean_rmse": grouped["rmse"].mean(),
        "mean_offset": grouped["offset"].mean(),
        "mean_absolute_offset": grouped["absolute_offset"].mean(),
        "n_with_r2": grouped["r2"].count(),
        "mean_r2": grouped["r2"].mean(),
        "moran_agreement": grouped[["moran_observed", "moran_predicted"]].apply(_agreement),
        "share_following_depth": grouped["follows"].mean(),
    }
    table = _with_shares(pd.DataFrame(columns).reset_index())
    return table.join(training_depth(folds, unit.depth), on=["fold", "section"])


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
    values = ["n_genes", *(of(name) for of in BOTH for name in TWINS), *LEVELS]
    counted = per_section.assign(
        n_sections=1,
        n_sections_far=per_section[FAR].astype(int),
        **{of("n_sections_with_ceiling"): (per_section[of("n_with_ceiling")] > 0).astype(int) for of in BOTH},
    )
    sections = ["n_sections", "n_sections_far", *(of("n_sections_with_ceiling") for of in BOTH)]
    patients = counted.groupby([*LAYER, "patient"], sort=False)
    by_patient = patients[sections].sum().join(patients[values].mean())
    by_patient = _with_shares(by_patient.reset_index())
    layers = by_patient.groupby(LAYER, sort=False)
    study = layers[sections].sum().join(layers[values].mean())
    study.insert(0, "n_patients", layers.size())
    study["lowest_patient"] = layers["mean_pearson"].min()
    study["highest_patient"] = layers["mean_pearson"].max()
    for of in BOTH:
        intervals = layers[of("minus_tuned_ridge")].apply(patients_interval)
        study[of("minus_tuned_ridge_low")] = [low for low, _ in intervals]
        study[of("minus_tuned_ridge_high")] = [high for _, high in intervals]
    study = _with_shares(study.reset_index())
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
    numbers = ["n_sections_far", "n_genes", *(of("n_undefined") for of in BOTH)]
    first = [*LAYER, "level", "patient", "n_patients", "n_sections", *numbers, *scores]
    return table[[*first, *(name for name in table if name not in first)]]


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Add what share of the ceiling is reached: the ratio of both means over the same genes."""
    for of in BOTH:
        ceiling = of("mean_ceiling_with_pearson")
        share = table[of("mean_pearson_with_ceiling")] / table[ceiling]
        table.insert(table.columns.get_loc(ceiling) + 1, of("share_of_ceiling"), share)
    return table


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
