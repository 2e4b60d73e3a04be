"""render_report: put what the study found on one self-contained page.

Input
    per_gene, per_section, summary, usable_genes, scales, encoders (if several are compared), signatures (if
    there are gene sets), interaction_spots, interaction_genes and interaction_summaries (empty where nothing
    is scored); novelty and novelty_spots of sections of trained folds; predictions; histories and checked
    (sections) of the trained folds; tiles, overlays, stains and previews of all sections; expression of the
    labelled
Output
    report: one HTML file that needs no other file
Params
    sections (patient and role by sample), labelled, folds (trained), words (of methods), genes (how many are
    mapped), always (which genes are), settings, missing (what failed); the last three as JSON
"""

import json
import os
from pathlib import Path

from ressat.base.files import write_text
from ressat.base.joblog import job_log
from ressat.report.content import make_report
from ressat.workflow.job_environment import COMMAND

with job_log(snakemake.log[0], "render_report") as log:
    params = snakemake.params
    report = make_report(
        snakemake.input,
        params,
        always=json.loads(params.always),
        settings=json.loads(params.settings),
        missing=json.loads(params.missing),
        study=Path.cwd().name,
        command=os.environ.get(COMMAND),
    )
    write_text(snakemake.output.report, report.page)
    log.info(
        "%d sections, %d genes mapped, %.1f MB", report.sections, report.genes_mapped, len(report.page) / 1e6
    )
