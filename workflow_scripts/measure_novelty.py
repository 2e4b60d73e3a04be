"""measure_novelty: measure how new a section's tiles are to a fold's model.

Input
    features by encoder; colour, the cache that has colour statistics; stain; novelty (of the fold);
    predictions
Output
    spots: a row per spot, with its error where it was tested; summary: as JSON
Params
    encoders (of the features)
"""

import json

import numpy as np
import pandas as pd

from ressat.base.errors import about
from ressat.base.files import FORMAT_VERSION, write_text
from ressat.base.joblog import job_log
from ressat.base.own_file import damaged
from ressat.base.results_h5ad import PREDICTIONS, read_results
from ressat.base.tables import write_table
from ressat.features.joint import caches_by_section
from ressat.trust.novelty import Novelty, largest
from ressat.trust.section_tiles import read_tiles
from ressat.trust.slide import describe, relation_to_error, squared_errors

section, fold, files = snakemake.wildcards.sample, snakemake.wildcards.fold, snakemake.input

with job_log(snakemake.log[0], f"measure_novelty {fold}/{section}") as log, about(section=section):
    novelty = Novelty.read(files.novelty)
    (caches,) = caches_by_section(files.features, snakemake.params.encoders)
    tiles, features = read_tiles(caches, novelty.layers, files.colour, files.stain)
    with about(file=files.features[0]):
        novelty.check(features.attrs)
    predictions = read_results(files.predictions, needs=PREDICTIONS)
    if not np.array_equal(predictions.obs_names, features.barcodes):
        raise damaged("its spots are not those that have features", files.predictions)
    parts = novelty.parts(tiles)
    of_spots, errors = largest(parts), squared_errors(predictions)
    summary = {
        "section": section,
        "fold": fold,
        **describe(parts, novelty.held_out),
        **relation_to_error(of_spots, errors, tiles.coords_um),
        "layers": list(novelty.layers),
        "weights_sha256": novelty.requires["weights_sha256"],
        "version": FORMAT_VERSION,
    }
    log.info("%s", summary)
    table = {"spot": features.barcodes, "novelty": of_spots, **parts, "squared_error": errors}
    write_table(pd.DataFrame(table), snakemake.output.spots)
    write_text(snakemake.output.summary, json.dumps(summary, indent=2) + "\n")
