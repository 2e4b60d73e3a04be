"""Which genes are predicted well enough, in enough patients, to be used."""

import numpy as np
import pandas as pd

from ressat.base.layers import BASELINE, MODEL, TUNED_RIDGE
from ressat.evaluation.depth import BOTH
from ressat.evaluation.protocol import claim, half
from ressat.evaluation.summary import MAX_FDR
from ressat.stats.significance import benjamini_hochberg

# Columns whose twins are rated in the same way.
SCORES = ["pearson", "tuned_ridge", "ceiling", "ceiling_low", "p_value"]


def usable_genes(per_gene: pd.DataFrame, headline: str, min_ceiling: float) -> pd.DataFrame:
    """Test every gene over patients, and compare it with the tuned ridge and its noise ceiling.

    The null hypothesis is that a gene is predicted (r > 0) in fewer than half of the patients. It is tested
    by the partial conjunction of the patients' p-values (Benjamini & Heller 2008, Biometrics 64), in the
    Bonferroni form (n - u + 1) p_(u), which holds however the p-values depend on one another; a patient's
    p-value is the same over its sections. A section in which the gene was not predicted, or its correlation
    is undefined, counts with p = 1. One Benjamini-Hochberg over all genes follows.

    A usable gene passes by its plain scores and by their depth-free twins.

    Parameters
    ----------
    per_gene
        Rows of `ressat.evaluation.scores.score_section` of all test sections.
    headline
        The layer that is tested.
    min_ceiling
        Noise ceiling from which a gene is worth predicting, 0 to 1; compared with the lower end of the
        ceiling's interval, or with 0 where there is none.

    Returns
    -------
    pandas.DataFrame
        usable_genes, described in docs/outputs.md: a row per protocol and gene, the usable ones first.
    """
    rows = per_gene[(per_gene["model"] == MODEL) & (per_gene["layer"] == headline)]
    ridge = per_gene[(per_gene["model"] == BASELINE) & (per_gene["layer"] == TUNED_RIDGE)]
    place = ["protocol", "fold", "section", "gene"]
    ridge = ridge.set_index(place)
    for of in BOTH:
        rows = rows.join(ridge[of("pearson")].rename(of("tuned_ridge")), on=place)
    tables = [
        _of_protocol(protocol, group, min_ceiling) for protocol, group in rows.groupby("protocol", sort=False)
    ]
    return pd.concat(tables, ignore_index=True)


def partial_conjunction(p: np.ndarray) -> np.ndarray:
    """Return p-values of "not null in at least half of the rows", along the first axis.

    Parameters
    ----------
    p
        Shape (tests, genes); NaN counts as 1.

    Returns
    -------
    numpy.ndarray
        Shape (genes,): (n - u + 1) p_(u), at most 1, with u the half of n rounded up.
    """
    ordered = np.sort(np.where(np.isnan(p), 1.0, p), axis=0)
    required = half(len(p))
    return np.minimum(1.0, (len(p) - required + 1) * ordered[required - 1])


def _of_protocol(protocol: str, rows: pd.DataFrame, min_ceiling: float) -> pd.DataFrame:
    genes = pd.Index(rows["gene"].unique(), name="gene")
    patients = list(dict.fromkeys(rows["patient"]))
    defined = rows.dropna(subset="pearson")
    table = pd.DataFrame(
        {
            "protocol": protocol,
            "n_patients": len(patients),
            "n_patients_defined": defined.groupby("gene")["patient"].nunique().reindex(genes, fill_value=0),
            "n_sections_defined": defined.groupby("gene").size().reindex(genes, fill_value=0),
            "observed_mean": _over_patients(defined, ["observed_mean"], genes)["observed_mean"],
            "patients_required": half(len(patients)),
        },
        index=genes,
    )
    for of in BOTH:
        scores = rows.assign(**{name: rows[of(name)] for name in SCORES})
        table = table.join(_rate(scores, genes, patients, min_ceiling).rename(columns=of))
    passes, passes_depth_free = (table[of("passes")] for of in BOTH)
    table["usable"] = passes & passes_depth_free
    table["only_through_depth"] = passes & ~passes_depth_free
    table["only_depth_free"] = passes_depth_free & ~passes
    table["claim"] = [
        claim(protocol, len(patients), *predicted)
        for predicted in zip(*(table[of("predicted")] for of in BOTH), strict=True)
    ]
    table = table.sort_values(["usable", "pearson"], ascending=False, kind="stable").reset_index()
    return table[["protocol", "gene", *(name for name in table if name not in ("protocol", "gene"))]]


def _rate(rows: pd.DataFrame, genes: pd.Index, patients: list[str], min_ceiling: float) -> pd.DataFrame:
    """Test the genes and compare them, by the plain scores or by their twins under the plain names."""
    tests = rows.pivot(index=["patient", "section"], columns="gene", values="p_value")[genes]
    by_patient = np.stack([partial_conjunction(tests.loc[[name]].to_numpy()) for name in patients])
    defined = rows.dropna(subset="pearson").fillna({"ceiling_low": 0.0})
    has_ceiling = defined["ceiling"].notna()
    defined = defined.assign(
        share_of_ceiling=defined["pearson"] / defined["ceiling"],
        pearson_with_ceiling=defined["pearson"].where(has_ceiling),
    )
    means = ["pearson", "tuned_ridge", "pearson_with_ceiling", "ceiling", "ceiling_low", "share_of_ceiling"]
    table = _over_patients(defined, means, genes)
    with_ceiling = has_ceiling.groupby(defined["gene"]).sum().reindex(genes, fill_value=0)
    table.insert(2, "n_sections_with_ceiling", with_ceiling)
    table.insert(2, "minus_tuned_ridge", table["pearson"] - table["tuned_ridge"])
    table["p_value"] = partial_conjunction(by_patient)
    table["fdr"] = benjamini_hochberg(table["p_value"].to_numpy())
    table["predicted"] = table["fdr"] < MAX_FDR
    table["beats_tuned_ridge"] = table["minus_tuned_ridge"] > 0
    table["worth_predicting"] = table["ceiling_low"] >= min_ceiling
    table["passes"] = table["predicted"] & table["beats_tuned_ridge"] & table["worth_predicting"]
    return table


def _over_patients(rows: pd.DataFrame, columns: list[str], genes: pd.Index) -> pd.DataFrame:
    """Means over the sections of a patient, then over patients."""
    by_patient = rows.groupby(["gene", "patient"], sort=False)[columns].mean()
    return by_patient.groupby("gene").mean().reindex(genes)
