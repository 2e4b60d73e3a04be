"""cluster_spots: measure how far spot interaction moves a section's predictions, and which spots it joins.

Input
    predictions, of a section that is tested
Output
    spots: a row per spot, with its clusters; genes: a row per gene; summary: as JSON
Params
    clusters, seed
"""

import json

from ressat.base.files import FORMAT_VERSION, write_text
from ressat.base.joblog import job_log
from ressat.base.results_h5ad import TESTED, read_results
from ressat.base.tables import write_table
from ressat.evaluation.interaction import describe_interaction

section, fold, params = snakemake.wildcards.sample, snakemake.wildcards.fold, snakemake.params

with job_log(snakemake.log[0], f"cluster_spots {fold}/{section}") as log:
    predictions = read_results(snakemake.input.predictions, needs=TESTED)
    spots, genes, summary = describe_interaction(predictions, params.clusters, params.seed)
    log.info("%s", summary)
    write_table(spots, snakemake.output.spots)
    write_table(genes, snakemake.output.genes)
    summary = {"section": section, "fold": fold, **summary, "version": FORMAT_VERSION}
    write_text(snakemake.output.summary, json.dumps(summary, indent=2) + "\n")
