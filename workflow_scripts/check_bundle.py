"""check_bundle: refuse a saved model that was not trained for this study's settings, before hours of work.

Input
    model; weights, the files of all encoders that have one; definitions, those of encoders of one's own
Output
    checked: what the model requires, as JSON; stain: the reference that it carries
Params
    encoders (names, and which have files), tile_um, tile_px, stain, unit (of expression), seed (of random
    weights), config_file (for messages)
"""

import json

from ressat.base.errors import about
from ressat.base.files import write_text
from ressat.base.joblog import job_log
from ressat.counts.expression_unit import ExpressionUnit
from ressat.encoders.choice import choose_encoder
from ressat.encoders.network import weights_sha256
from ressat.features.joint import joint_sha256
from ressat.model.bundle import Bundle
from ressat.stain.section_stain import SectionStain

model, params = snakemake.input.model, snakemake.params

with job_log(snakemake.log[0], "check_bundle") as log:
    bundle = Bundle.read(model)
    settings = {"tile_um": params.tile_um, "tile_px": params.tile_px, "stain": params.stain}
    weights, definitions = iter(snakemake.input.weights), iter(snakemake.input.definitions)
    study = {}
    for one in params.encoders:
        definition = next(definitions) if one["has_definition"] else None
        encoder = choose_encoder(one["encoder"], definition, one["mean"], one["sd"])
        study[one["name"]] = encoder, next(weights) if one["has_weights"] else None
    with about(file=params.config_file):
        read = bundle.encoders_among(list(study))
        bundle.check_widths({name: study[name][0].layers for name in read})
        digests = {name: weights_sha256(*study[name], params.seed) for name in read}
        settings["weights_sha256"] = joint_sha256(digests)
        bundle.check(settings)
        bundle.check_unit(ExpressionUnit(**params.unit))
    log.info("trained on %s, %d genes", ", ".join(bundle.provenance["sections"]), len(bundle.genes))
    target = bundle.requires["stain_target"]
    SectionStain.from_target(target, "that of the saved model").write(snakemake.output.stain)
    write_text(snakemake.output.checked, json.dumps(bundle.requires, indent=2) + "\n")
