"""predict_baselines: predict a test section with the baselines, which the model has to beat.

Input
    features (of the section, by encoder), colour (the cache that has colour statistics), baselines (of the
    fold)
Output
    h5ad: one layer per baseline, in the study's unit of expression
Params
    encoders (of the features)
"""

import anndata
import numpy as np
import pandas as pd

from ressat.base.anndata_file import write_anndata
from ressat.base.errors import about
from ressat.base.files import FORMAT_VERSION, UNS
from ressat.base.joblog import job_log
from ressat.base.layers import TUNED_KERNEL
from ressat.base.single_precision import single_precision
from ressat.baselines.linear import FoldBaselines
from ressat.baselines.prediction import predict_baselines
from ressat.features.cache import COLOUR, Features
from ressat.features.joint import caches_by_section, read_features

section, files = snakemake.wildcards.sample, snakemake.input

with job_log(snakemake.log[0], f"predict_baselines {'/'.join(snakemake.wildcards)}"):
    baselines = FoldBaselines.read(files.baselines)
    here = Features.read(files.colour)
    (caches,) = caches_by_section(files.features, snakemake.params.encoders)

    def read(layers: tuple[str, ...]) -> np.ndarray:
        """Features of some layers, or colour statistics."""
        source = {COLOUR: files.colour} if COLOUR in layers else caches
        return read_features(source, layers).values

    layers = predict_baselines(
        baselines,
        read,
        here.coords * here.attrs["mpp"],
    )
    with about(section=section, file=files.baselines):
        stored = single_precision(layers, here.barcodes, baselines.genes)
    adata = anndata.AnnData(
        obs=pd.DataFrame(index=pd.Index(here.barcodes, name="spot")),
        var=pd.DataFrame(index=pd.Index(baselines.genes, name="gene")),
        layers=stored,
    )
    adata.uns[UNS] = {
        "section": section,
        "fold": snakemake.wildcards.fold,
        "unit": baselines.unit,
        "trained_on": baselines.sections,
        "chosen": {
            name: {**vars(baseline.inputs), "layers": list(baseline.inputs.layers), **baseline.settings}
            for name, baseline in baselines.maps.items()
        }
        | {
            TUNED_KERNEL: {
                **vars(baselines.kernel.inputs),
                "layers": list(baselines.kernel.inputs.layers),
            }
        },
        "smoothing_width": baselines.smoothing_width,
        "version": FORMAT_VERSION,
    }
    write_anndata(snakemake.output.h5ad, adata)
