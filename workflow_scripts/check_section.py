"""check_section: check a section's slide and counts before any other work on them.

Input
    slide, as the sheet names it; for a labelled section the files of its counts
Output
    checked: size, scale and number of spots, as JSON; genes: their names and ids, a line each; problems,
    if any, are written next to the log
Params
    counts (their format and options, or None), ids (symbol or ensembl), mpp (of the sheet, or None),
    min_on_tissue, identity (of all that is checked, for the record)
"""

import os
from dataclasses import replace
from pathlib import Path

# libvips takes its number of threads from here when it is loaded.
os.environ["VIPS_CONCURRENCY"] = str(snakemake.threads)

from ressat.base.joblog import job_log
from ressat.checks.gene_overlap import Genes
from ressat.checks.record import keep_problems
from ressat.checks.section import SectionCheck
from ressat.counts.format import CountsSource

section, params = snakemake.wildcards.sample, snakemake.params

with (
    job_log(snakemake.log[0], f"check_section {section}") as log,
    keep_problems(Path(snakemake.log[0])) as problems,
):
    files = {name: file for name, file in snakemake.input.items() if name != "slide"}
    check = SectionCheck(section, Path(snakemake.input.slide))
    checked = check.run(
        counts=CountsSource(files=files, **params.counts) if params.counts else None,
        ids=params.ids,
        mpp=params.mpp,
        min_on_tissue=params.min_on_tissue,
    )
    if checked is None:
        *others, last = check.problems
        problems += others
        for problem in others:
            log.error(problem)
        raise last
    log.info("%s", checked)
    ids = {name: gene for name, gene in zip(check.genes, check.gene_ids, strict=False) if gene}
    Genes(section, check.genes, ids).write(snakemake.output.genes)
    replace(checked, identity=params.identity).write(snakemake.output.checked)
