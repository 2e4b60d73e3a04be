"""The scores of gene sets on each spot of a section, as AnnData."""

from collections.abc import Mapping, Sequence

import anndata
import numpy as np
import pandas as pd

from ressat.base.files import UNS
from ressat.base.layers import OBSERVED
from ressat.evaluation.signatures import SIGNATURES, members, signature_scores, weights_of

# What a file of scores takes over of the record of its predictions.
RECORD = (
    "headline", "unit", "fold", "section", "patient", "protocol", "trained_on", "model_sha256", "mpp",
    "version",
)  # fmt: skip


def scores_of_spots(predictions: anndata.AnnData, sets: Mapping[str, Sequence[str]]) -> anndata.AnnData:
    """Return the scores of every spot, predicted and, in a test section, measured: over the same genes.

    Returns
    -------
    anndata.AnnData
        As results/signatures/{fold}/{sample}.h5ad is described in docs/outputs.md.
    """
    observed = predictions.layers.get(OBSERVED)
    places = members(sets, predictions.var_names, _measured(predictions))
    mean, sd = (predictions.var[name].to_numpy(float) for name in ("training_mean", "training_sd"))
    weights = weights_of(places, sd)
    adata = anndata.AnnData(obs=predictions.obs.copy())
    adata.obsm["spatial"] = np.asarray(predictions.obsm["spatial"])
    adata.obsm["signatures"] = signature_scores(predictions.X, mean, weights).astype(np.float32)
    if observed is not None:
        adata.obsm["signatures_observed"] = signature_scores(observed, mean, weights).astype(np.float32)
    adata.uns["spatial"] = predictions.uns["spatial"]
    record = predictions.uns[UNS]
    adata.uns[UNS] = {name: record[name] for name in RECORD if name in record}
    adata.uns[UNS] |= {
        "signatures": list(sets),
        "n_genes": np.array([len(of_set) for of_set in places.values()]),
        "genes": [",".join(predictions.var_names[of_set]) for of_set in places.values()],
    }
    return adata


def describe_signatures(predictions: anndata.AnnData, sets: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Say of which genes the sets' scores are in a section that is not tested; the rest is NaN."""
    record = predictions.uns[UNS]
    places = members(sets, predictions.var_names, _measured(predictions))
    table = {name: record[name] for name in ("protocol", "fold", "section", "patient")} | {
        "signature": list(sets),
        "n_spots": predictions.n_obs,
        "n_listed": [len(listed) for listed in sets.values()],
        "n_genes": [len(of_set) for of_set in places.values()],
        "genes": [",".join(predictions.var_names[of_set]) for of_set in places.values()],
    }
    return pd.DataFrame(table).reindex(columns=SIGNATURES)


def _measured(predictions: anndata.AnnData) -> np.ndarray:
    """Whether each gene is measured; all are taken where nothing is."""
    if OBSERVED not in predictions.layers:
        return np.ones(predictions.n_vars, dtype=bool)
    return ~np.isnan(predictions.layers[OBSERVED]).any(axis=0)
