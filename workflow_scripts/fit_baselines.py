"""fit_baselines: predict a test section with what the model has to beat.

Input
    training_features, training_expression, genes, features (of the test section)
Output
    baselines: one layer per baseline, log1p CP10k
Params
    patients, layers
"""

import anndata
import numpy as np
import pandas as pd

from ressat import baselines, keys
from ressat.expression import read_panel
from ressat.feature_cache import Features
from ressat.files import replacing
from ressat.joblog import job_log
from ressat.section_data import load_sections

section, params = snakemake.wildcards.sample, snakemake.params

with job_log(snakemake.log[0], f"fit_baselines {snakemake.wildcards.fold}/{section}"):
    genes = read_panel(snakemake.input.genes)

    def load(layers: list[str]) -> tuple[list, Features]:
        """Training sections and the test section's features, of some layers."""
        training, _ = load_sections(
            snakemake.input.training_features,
            snakemake.input.training_expression,
            params.patients,
            layers,
            genes,
        )
        return training, Features.read(snakemake.input.features, layers)

    colour, colour_here = load([keys.COLOUR])
    deep, deep_here = load(params.layers)
    gap_um = deep_here.attrs["tile_um"]
    layers = {
        "training_mean": baselines.mean_baseline(deep, deep_here.values),
        "colour_ridge": baselines.tuned_ridge(colour, colour_here.values, gap_um),
        "hest_ridge": baselines.hest_ridge(deep, deep_here.values),
        "tuned_ridge": baselines.tuned_ridge(deep, deep_here.values, gap_um),
    }
    adata = anndata.AnnData(
        obs=pd.DataFrame(index=pd.Index(deep_here.barcodes, name="spot")),
        var=pd.DataFrame(index=pd.Index(genes, name="gene")),
        layers={name: values.astype(np.float32) for name, values in layers.items()},
    )
    adata.uns[keys.UNS] = {
        "section": section,
        "unit": keys.EXPRESSION_UNIT,
        "trained_on": list(params.patients),
    }
    with replacing(snakemake.output.baselines) as temporary:
        adata.write_h5ad(temporary, compression="gzip")
