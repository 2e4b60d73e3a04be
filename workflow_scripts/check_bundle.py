"""check_bundle: refuse a saved model that was not trained for this study's settings, before hours of work.

Input
    model, and weights unless they are random
Output
    checked: what the model requires, as JSON; stain: the reference that it carries
Params
    tile_um, tile_px, stain, seed (of random weights)
"""

import json

from ressat.base import keys
from ressat.base.files import sha256, write_text
from ressat.base.joblog import job_log
from ressat.encoders.resnet50 import build_encoder
from ressat.model.bundle import Bundle
from ressat.stain.section_stain import SectionStain

model, params = snakemake.input.model, snakemake.params

with job_log(snakemake.log[0], "check_bundle") as log:
    bundle = Bundle.read(model)
    found = {"tile_um": params.tile_um, "tile_px": params.tile_px, "stain": params.stain}
    if snakemake.input.get("weights"):
        found["weights_sha256"] = sha256(snakemake.input.weights)
    else:
        found["weights_sha256"] = build_encoder(None, params.seed)[2]
    bundle.check(found, file="config.yaml")
    log.info("trained on %s, %d genes", ", ".join(bundle.provenance["sections"]), len(bundle.genes))
    target = bundle.requires["stain_target"]
    SectionStain.from_target(target, keys.BUNDLE_STAIN).write(snakemake.output.stain)
    write_text(snakemake.output.checked, json.dumps(bundle.requires, indent=2) + "\n")
