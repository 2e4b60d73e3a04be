"""The mean score of a gene, as all tables and figures compute it."""

import pandas as pd


def over_patients(rows: pd.DataFrame) -> pd.Series:
    """Return the mean Pearson of each gene: over the sections of a patient, then over patients.

    Parameters
    ----------
    rows
        Of one protocol, model and layer of `ressat.evaluation.scores.score_section`.
    """
    by_patient = rows.groupby(["gene", "patient"], sort=False)["pearson"].mean()
    return by_patient.groupby("gene", sort=False).mean()
