"""What a study's own tests say of the model that learns from all of its training sections."""

import numpy as np
import pandas as pd

from ressat.base.layers import BASELINE, MODEL, TUNED_RIDGE
from ressat.evaluation.depth import BOTH, depth_free
from ressat.evaluation.panels import ALL_GENES
from ressat.evaluation.protocol import WITHIN_PATIENT
from ressat.model.reliability import (
    CORRELATIONS,
    GENE_COLUMNS,
    NOT_TESTED,
    NOT_USABLE,
    SHARES,
    TESTED,
    USABLE,
    Reliability,
)

# Of scores, so that files do not differ by rounding.
DIGITS = 6
ON_NO_PANEL = "on the panel of no model that was tested"


def measured_reliability(
    usable_genes: pd.DataFrame, per_gene: pd.DataFrame, genes: list[str], headline: str
) -> Reliability:
    """Gather what was measured on sections that the folds' models had not learnt from.

    Parameters
    ----------
    usable_genes, per_gene
        The tables of results/evaluation. Of several protocols, unseen patients count, or else the first.
    genes
        The model's, in its order; those that no fold had on its panel are not tested.
    headline
        The layer that was tested.

    Returns
    -------
    Reliability
        Of the source `TESTED`.
    """
    protocols = list(dict.fromkeys(usable_genes["protocol"]))
    protocol = next((name for name in protocols if WITHIN_PATIENT not in name), protocols[0])
    table = usable_genes[usable_genes["protocol"] == protocol].set_index("gene")
    scores = _where(per_gene, {"protocol": protocol, "model": MODEL, "layer": headline})
    patients = list(dict.fromkeys(scores["patient"]))
    by_patient = scores.pivot_table(index="gene", columns="patient", values="pearson", dropna=False)
    by_patient = by_patient.reindex(index=genes, columns=patients)
    tested = table.reindex(genes)
    columns = {
        name: np.round(tested[name].astype(float), DIGITS).tolist() for name in (*CORRELATIONS, *SHARES)
    }
    verdicts = [
        _verdict(table.loc[gene]) if gene in table.index else (NOT_TESTED, ON_NO_PANEL) for gene in genes
    ]
    columns |= {
        "n_patients": tested["n_patients_defined"].fillna(0).astype(int).tolist(),
        "verdict": [verdict for verdict, _ in verdicts],
        "reason": [reason for _, reason in verdicts],
    }
    return Reliability(
        source=TESTED,
        protocol=protocol,
        layer=headline,
        patients=patients,
        by_patient={name: np.round(by_patient[name], DIGITS).tolist() for name in patients},
        genes={name: columns[name] for name in GENE_COLUMNS},
    )


def _verdict(row: pd.Series) -> tuple[str, str]:
    """Whether a gene is usable, and why not."""
    if row["usable"]:
        return USABLE, ""
    reasons = []
    if row["n_patients_defined"] == 0:
        reasons.append("no correlation is defined")
    elif row["only_through_depth"]:
        reasons.append("it passes through sequencing depth alone")
    else:
        for of in (str, depth_free):
            words = " depth-free" if of is depth_free else ""
            if not row[of("predicted")]:
                reasons.append(f"not predicted{words} (FDR {row[of('fdr')]:.2g})")
            if not row[of("beats_tuned_ridge")]:
                reasons.append(f"not better than the tuned ridge{words}")
            if not row[of("worth_predicting")]:
                reasons.append(f"too low a noise ceiling{words}")
    return NOT_USABLE, "; ".join(reasons)


def study_scores(summary: pd.DataFrame, protocol: str, headline: str) -> list[dict[str, object]]:
    """Return the study's scores of the headline and of the tuned ridge over all genes, for the model card.

    Parameters
    ----------
    summary
        results/evaluation/summary.tsv.
    protocol, headline
        Which rows are meant.

    Returns
    -------
    list of dict
        ``words``, ``mean_pearson`` and ``n_genes`` (with a correlation, a mean over sections), and the
        depth-free twins of both.
    """
    shown = []
    for words, model, layer in (
        (f"this kind of model, {headline}", MODEL, headline),
        ("tuned ridge, for comparison", BASELINE, TUNED_RIDGE),
    ):
        of_study = {
            "protocol": protocol,
            "model": model,
            "layer": layer,
            "panel": ALL_GENES,
            "level": "study",
        }
        for row in _where(summary, of_study).to_dict("records"):
            shown.append(
                {
                    "words": words,
                    **{of("mean_pearson"): row[of("mean_pearson")] for of in BOTH},
                    **{of("n_genes"): row["n_genes"] - row[of("n_undefined")] for of in BOTH},
                }
            )
    return shown


def _where(table: pd.DataFrame, values: dict[str, str]) -> pd.DataFrame:
    """Rows in which some columns have some values."""
    return table[np.logical_and.reduce([table[name] == value for name, value in values.items()])]
