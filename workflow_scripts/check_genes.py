"""check_genes: check whether a section's genes are those of the study.

Input
    genes, the section's; reference, the genes of the section that the others are compared with, unless it
    is this one; listed, the study's gene list, if any
Output
    checked: what was found, as JSON; problems, if any, are written next to the log
Params
    counts (the file of the counts, for messages), reference (its section's name), learns (whether a model
    learns from this section)
"""

import json
from pathlib import Path

from ressat.base.errors import about
from ressat.base.files import FORMAT_VERSION, write_text
from ressat.base.joblog import job_log
from ressat.checks.gene_overlap import Genes, check_gene_names, check_listed_genes
from ressat.checks.record import keep_problems
from ressat.model.gene_list import read_gene_list

section, files, params = snakemake.wildcards.sample, snakemake.input, snakemake.params

with job_log(snakemake.log[0], f"check_genes {section}") as log, keep_problems(Path(snakemake.log[0])):
    listed = read_gene_list(files.listed) if files.get("listed") and params.learns else None
    with about(section=section, file=params.counts):
        genes = Genes.read(section, files.genes)
        record = {"section": section, "genes": len(genes.names)}
        if files.get("reference"):
            record["compared_with"] = params.reference
            record["shared_genes"] = check_gene_names(genes, Genes.read(params.reference, files.reference))
        if listed is not None:
            check_listed_genes(genes, listed, files.listed)
    record["version"] = FORMAT_VERSION
    log.info("%d genes", record["genes"])
    write_text(snakemake.output.checked, json.dumps(record, indent=2) + "\n")
