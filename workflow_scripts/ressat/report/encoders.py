"""The report's comparison of encoders."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ressat.base.layers import BASELINE, MODEL, TUNED_RIDGE
from ressat.encoders.untrained import is_untrained

# Columns of the report's table, and whose rows of the comparison they show; None for the model's headline.
LAYERS = {
    "model": (MODEL, None),
    "ridge": (BASELINE, TUNED_RIDGE),
    "attended": (BASELINE, f"{TUNED_RIDGE}_attended"),
}


def comparisons(table: pd.DataFrame) -> list[Mapping]:
    """Return what the report shows of the comparison, for each protocol.

    Parameters
    ----------
    table
        results/evaluation/encoders.tsv.

    Returns
    -------
    list of Mapping
        ``protocol``, ``patients`` (how many), ``first`` (the encoder that others are compared with), the
        ``highest`` score of each of `LAYERS`, and ``rows``: each encoder's names, scores, and costs.
    """
    shown = []
    for protocol, of_protocol in table.groupby("protocol", sort=False):
        rows = [_row(name, rows) for name, rows in of_protocol.groupby("encoder", sort=False)]
        leads = {layer: _highest([row[layer]["mean_pearson"] for row in rows]) for layer in LAYERS}
        shown.append(
            {
                "protocol": protocol,
                "patients": of_protocol.loc[of_protocol["level"] == "patient", "patient"].nunique(),
                "first": rows[0]["encoder"],
                "rows": rows,
                "highest": leads,
            }
        )
    return shown


def _row(name: str, rows: pd.DataFrame) -> dict:
    study = rows[rows["level"] == "study"]
    layers = {
        column: _layer(rows[(rows["model"] == model) & ((rows["layer"] == layer) | (layer is None))])
        for column, (model, layer) in LAYERS.items()
    }
    network = str(rows["network"].iloc[0])
    return {
        "encoder": name,
        "network": network,
        "is_untrained": is_untrained([network]),
        **layers,
        **study.iloc[0][["tiles_per_s", "kb_per_tile"]].to_dict(),
    }


def _layer(rows: pd.DataFrame) -> dict:
    """Scores over the study, and the difference of each patient."""
    patients = rows[rows["level"] == "patient"]
    differences = [
        {"patient": patient, "plain": plain, "depth_free": twin}
        for patient, plain, twin in zip(
            patients["patient"], patients["minus_first"], patients["minus_first_depth_free"], strict=True
        )
    ]
    return rows[rows["level"] == "study"].iloc[0].to_dict() | {"differences": differences}


def _highest(values: list[float]) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else np.nan
