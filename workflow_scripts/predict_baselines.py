"""predict_baselines: predict a test section with what the model has to beat.

Input
    features (of the section), baselines (of the fold)
Output
    h5ad: one layer per baseline, log1p CP10k
"""

import anndata
import numpy as np
import pandas as pd

from ressat.base import keys
from ressat.base.anndata_file import write_anndata
from ressat.base.joblog import job_log
from ressat.baselines.linear import FoldBaselines
from ressat.baselines.prediction import predict_baselines
from ressat.features.cache import Features

section, files = snakemake.wildcards.sample, snakemake.input

with job_log(snakemake.log[0], f"predict_baselines {snakemake.wildcards.fold}/{section}"):
    fitted = FoldBaselines.read(files.baselines)
    here = Features.read(files.features)
    layers = predict_baselines(fitted, lambda names: Features.read(files.features, names).values, here.coords)
    adata = anndata.AnnData(
        obs=pd.DataFrame(index=pd.Index(here.barcodes, name="spot")),
        var=pd.DataFrame(index=pd.Index(fitted.genes, name="gene")),
        layers={name: values.astype(np.float32) for name, values in layers.items()},
    )
    adata.uns[keys.UNS] = {
        "section": section,
        "fold": snakemake.wildcards.fold,
        "unit": keys.EXPRESSION_UNIT,
        "trained_on": fitted.sections,
        "chosen": {name: {"layers": list(fit.layers), **fit.chosen} for name, fit in fitted.maps.items()},
        "smoothing_width": fitted.smoothing_width,
        "version": keys.FORMAT_VERSION,
    }
    write_anndata(snakemake.output.h5ad, adata)
