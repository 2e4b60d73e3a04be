"""predict_baselines: predict a test section with the baselines, which the model has to beat.

Input
    features (of the section), baselines (of the fold)
Output
    h5ad: one layer per baseline, in the study's unit of expression
"""

import anndata
import pandas as pd

from ressat.base.anndata_file import write_anndata
from ressat.base.errors import about
from ressat.base.files import FORMAT_VERSION, UNS
from ressat.base.joblog import job_log
from ressat.base.layers import TUNED_KERNEL
from ressat.base.single_precision import single_precision
from ressat.baselines.linear import FoldBaselines
from ressat.baselines.prediction import predict_baselines
from ressat.features.cache import Features

section, files = snakemake.wildcards.sample, snakemake.input

with job_log(snakemake.log[0], f"predict_baselines {snakemake.wildcards.fold}/{section}"):
    baselines = FoldBaselines.read(files.baselines)
    here = Features.read(files.features)
    layers = predict_baselines(
        baselines,
        lambda names: Features.read(files.features, names).values,
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
