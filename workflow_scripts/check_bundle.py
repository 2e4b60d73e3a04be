"""check_bundle: refuse a saved model that was not trained for this study's settings, before hours of work.

Input
    model, and weights unless they are random
Output
    checked: what the model requires, as JSON; stain: the reference that it carries
Params
    encoder, tile_um, tile_px, stain, unit (of expression), seed (of random weights), config_file (for
    messages)
"""

import json

from ressat.base.errors import about
from ressat.base.files import sha256, write_text
from ressat.base.joblog import job_log
from ressat.counts.expression_unit import ExpressionUnit
from ressat.encoders.network import build_network
from ressat.encoders.registry import ENCODERS
from ressat.model.bundle import Bundle
from ressat.stain.section_stain import SectionStain

model, params = snakemake.input.model, snakemake.params

with job_log(snakemake.log[0], "check_bundle") as log:
    bundle = Bundle.read(model)
    settings = {"tile_um": params.tile_um, "tile_px": params.tile_px, "stain": params.stain}
    if snakemake.input.get("weights"):
        settings["weights_sha256"] = sha256(snakemake.input.weights)
    else:
        settings["weights_sha256"] = build_network(ENCODERS.load(params.encoder), None, params.seed)[2]
    with about(file=params.config_file):
        bundle.check(settings)
        bundle.check_unit(ExpressionUnit(**params.unit))
    log.info("trained on %s, %d genes", ", ".join(bundle.provenance["sections"]), len(bundle.genes))
    target = bundle.requires["stain_target"]
    SectionStain.from_target(target, "that of the saved model").write(snakemake.output.stain)
    write_text(snakemake.output.checked, json.dumps(bundle.requires, indent=2) + "\n")
