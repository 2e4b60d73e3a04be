"""fit_baselines: fit the baselines, which the model has to beat, on a fold's training sections.

Input
    features of the training sections, by encoder; colour, the caches that have colour statistics; expression;
    genes
Output
    baselines: the fitted maps from features to expression, and what was chosen
Params
    encoders (whose features are read), patients, unit (of expression), hest_layers (that HEST-Bench's ridge
    reads), inputs (what the model reads)
"""

from dataclasses import replace

from ressat.base.joblog import job_log
from ressat.baselines.fitting import ModelInputs, fit_baselines
from ressat.counts.expression_unit import ExpressionUnit
from ressat.features.cache import COLOUR, Features
from ressat.features.joint import caches_by_section
from ressat.model.panel_file import read_panel
from ressat.model.section_data import load_sections

files, params = snakemake.input, snakemake.params

with job_log(snakemake.log[0], f"fit_baselines {'/'.join(snakemake.wildcards)}"):
    genes = read_panel(files.genes)["gene"].tolist()
    unit = ExpressionUnit(**params.unit)
    caches = caches_by_section(files.features, params.encoders)
    deep, features = load_sections(caches, files.expression, params.patients, genes, unit)
    colour = [
        replace(data, features=(read := Features.read(file, [COLOUR]).values), widths={COLOUR: read.shape[1]})
        for data, file in zip(deep, files.colour, strict=True)
    ]
    gap_um = features[0].attrs["tile_um"]
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
