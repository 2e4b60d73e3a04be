"""fit_baselines: fit the baselines, which the model has to beat, on a fold's training sections.

Input
    features and expression of the training sections, genes
Output
    baselines: the fitted maps from features to expression, and what was chosen
Params
    patients, unit (of expression), hest_layers (that HEST-Bench's ridge reads), inputs (what the model reads)
"""

from dataclasses import replace

from ressat.base.joblog import job_log
from ressat.baselines.fitting import ModelInputs, fit_baselines
from ressat.counts.expression_unit import ExpressionUnit
from ressat.features.cache import COLOUR, Features
from ressat.model.panel_file import read_panel
from ressat.model.section_data import load_sections

files, params = snakemake.input, snakemake.params

with job_log(snakemake.log[0], f"fit_baselines {snakemake.wildcards.fold}"):
    genes = read_panel(files.genes)["gene"].tolist()
    unit = ExpressionUnit(**params.unit)
    deep, caches = load_sections(files.features, files.expression, params.patients, genes, unit)
    colour = [
        replace(data, features=(read := Features.read(file, [COLOUR]).values), widths={COLOUR: read.shape[1]})
        for data, file in zip(deep, files.features, strict=True)
    ]
    gap_um = caches[0].attrs["tile_um"]
    baselines = fit_baselines(
        deep,
        colour,
        genes,
        hest_layers=params.hest_layers,
        inputs=ModelInputs(**params.inputs),
        gap_um=gap_um,
        unit=unit.words,
    )
    baselines.write(snakemake.output.baselines)
