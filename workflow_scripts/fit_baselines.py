"""fit_baselines: fit what the model has to beat on a fold's training sections.

Input
    features and expression of the training sections, genes
Output
    baselines: the fitted maps from features to expression, and what was chosen
Params
    patients
"""

from dataclasses import replace

from ressat.base import keys
from ressat.base.joblog import job_log
from ressat.baselines import fitting
from ressat.counts.expression import read_panel
from ressat.features.cache import Features
from ressat.model.section_data import load_sections

files, params = snakemake.input, snakemake.params

with job_log(snakemake.log[0], f"fit_baselines {snakemake.wildcards.fold}"):
    genes = read_panel(files.genes)
    deep, caches = load_sections(files.features, files.expression, params.patients, keys.LAYERS, genes)
    colour = [
        replace(data, features=Features.read(file, [keys.COLOUR]).values)
        for data, file in zip(deep, files.features, strict=True)
    ]
    fitted = fitting.fit_baselines(deep, colour, genes, gap_um=caches[0].attrs["tile_um"])
    fitted.write(snakemake.output.baselines)
