"""Predicting a section, and writing it down the way scverse tools expect."""

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import torch

from ressat.base.anndata_file import write_anndata
from ressat.base.files import FORMAT_VERSION, UNS, replacing
from ressat.base.layers import ATTENDED, COMBINED, DIRECT, N_COUNTS, OBSERVED
from ressat.base.single_precision import single_precision
from ressat.counts.expression import LogExpression
from ressat.features.cache import Features
from ressat.model.bundle import Bundle
from ressat.model.network import spot_interaction
from ressat.tiles.table import Tiles


def predict(bundle: Bundle, features: np.ndarray, coords_um: np.ndarray) -> dict[str, np.ndarray]:
    """Predict all spots of one section.

    In float64, so that the order of the spots does not affect the result.

    Parameters
    ----------
    bundle
        The model.
    features
        float32, shape (spots, features): the cached layers that the model reads, side by side.
    coords_um
        Centres of the spots in um, shape (spots, 2).

    Returns
    -------
    dict of numpy.ndarray
        ``direct``, ``attended`` and ``combined`` in z units, float64, shape (spots, genes).
    """
    trained = bundle.trained
    direct = trained.predict(features, coords_um)
    attended = spot_interaction(torch.from_numpy(direct)).numpy()
    combined = trained.attended_share * attended + (1 - trained.attended_share) * direct
    return {DIRECT: direct, ATTENDED: attended, COMBINED: combined}


def to_anndata(
    layers: dict[str, np.ndarray],
    *,
    headline: str,
    genes: pd.DataFrame,
    features: Features,
    tiles: Tiles,
    observed: LogExpression | None,
    unit: str,
    provenance: dict,
) -> anndata.AnnData:
    """Put a section's predictions into AnnData that squidpy and scanpy plot as it is.

    Parameters
    ----------
    layers
        Predictions in the unit, shape (spots, genes).
    headline
        The layer that becomes X.
    genes
        Table of the genes, indexed by name.
    features, tiles
        The section's cached features and tiles.
    observed
        What was measured; None where there are no counts.
    unit
        That predictions, and what was measured, are in.
    provenance
        Goes to ``uns['ressat']``.

    Returns
    -------
    anndata.AnnData
        See docs/outputs.md.

    Raises
    ------
    InputError
        If a prediction is not finite.
    """
    obs = pd.DataFrame({"tissue_fraction": features.tissue}, index=pd.Index(features.barcodes, name="spot"))
    obs["section"] = pd.Categorical([features.section] * len(obs))
    stored = single_precision(layers, features.barcodes, genes.index)
    adata = anndata.AnnData(stored[headline].copy(), obs=obs, var=genes)
    for name, values in stored.items():
        adata.layers[name] = values
    if observed is not None:
        adata.layers[OBSERVED] = observed.values
        adata.obs[N_COUNTS] = observed.n_counts
    adata.obsm["spatial"] = features.coords.astype(np.float64)
    # Under the name of 10x's high-resolution image, which plotting functions look for by default.
    adata.uns["spatial"] = {
        features.section: {
            "images": {"hires": tiles.lowres},
            "scalefactors": {
                "tissue_hires_scalef": 1 / tiles.lowres_downsample,
                "spot_diameter_fullres": tiles.spot_px,
            },
        }
    }
    adata.uns[UNS] = {
        "headline": headline,
        "unit": unit,
        **provenance,
        "version": FORMAT_VERSION,
    }
    return adata


def write_predictions(adata: anndata.AnnData, h5ad: str | Path, parquet: str | Path) -> None:
    """Write the AnnData file, and the headline layer as a table beside it, each as a whole.

    The table has a row per spot: ``spot_id``, ``x_px`` and ``y_px`` (level-0 pixels), names that no gene
    has, and a column per gene.
    """
    write_anndata(h5ad, adata)
    places = pd.DataFrame(adata.obsm["spatial"], index=adata.obs_names, columns=["x_px", "y_px"])
    values = pd.DataFrame(adata.X, index=adata.obs_names, columns=adata.var_names)
    with replacing(parquet) as temporary:
        pd.concat([places, values], axis=1).rename_axis("spot_id").reset_index().to_parquet(
            temporary, index=False
        )
