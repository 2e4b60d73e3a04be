"""fit_novelty: learn from a fold's training sections by what a tile is known to be new.

Input
    features of the training sections, by encoder; colour, the caches that have colour statistics; stains of
    the sections; model, which says what features it reads
Output
    novelty: what `measure_novelty` measures with
Params
    encoders (of the features), patients
"""

from ressat.base.errors import about
from ressat.base.joblog import job_log
from ressat.features.joint import caches_by_section, read_features
from ressat.model.bundle import Bundle
from ressat.trust.fit import fit_novelty
from ressat.trust.novelty import AGREEMENT
from ressat.trust.section_tiles import read_tiles

files, params = snakemake.input, snakemake.params

with job_log(snakemake.log[0], f"fit_novelty {snakemake.wildcards.fold}"):
    bundle = Bundle.read(files.model)
    layers = bundle.trained.head.inputs.layers
    caches = caches_by_section(files.features, params.encoders)
    sections, features = [], []
    for of_section, colour, stain in zip(caches, files.colour, files.stains, strict=True):
        patient = params.patients[read_features(of_section).section]
        tiles, read = read_tiles(of_section, layers, colour, stain, patient)
        with about(section=tiles.section):
            bundle.check(read.attrs)
        sections.append(tiles)
        features.append(read)
    requires = {name: features[0].attrs[name] for name in AGREEMENT}
    novelty = fit_novelty(sections, layers, requires, gap_um=features[0].attrs["tile_um"])
    novelty.write(snakemake.output.novelty)
