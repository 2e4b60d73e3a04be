"""check_genes: see whether a section's genes are those of the study.

Input
    genes, the section's; reference, those of the section whose genes the others must share, where it is
    another; listed, the study's list, where there is one
Output
    checked: what was found, as JSON; what is wrong, if anything is, stands beside the log
Params
    counts (the file of the counts, for messages), reference (its section's name), learns (whether a model
    learns from this section)
"""

import json
from pathlib import Path

from ressat.base import keys
from ressat.base.files import write_text
from ressat.base.joblog import job_log
from ressat.checks.checked import keep_problems
from ressat.checks.genes_check import Genes, check_gene_names, check_listed_genes
from ressat.model.gene_list import read_gene_list

section, files, params = snakemake.wildcards.sample, snakemake.input, snakemake.params

with job_log(snakemake.log[0], f"check_genes {section}") as log, keep_problems(Path(snakemake.log[0])):
    genes = Genes.read(section, params.counts, files.genes)
    found = {"section": section, "genes": len(genes.names)}
    if files.get("reference"):
        found["compared_with"] = params.reference
        found["shared_genes"] = check_gene_names(genes, Genes.read(params.reference, "", files.reference))
    if files.get("listed") and params.learns:
        check_listed_genes(genes, read_gene_list(files.listed), files.listed)
    found["version"] = keys.FORMAT_VERSION
    log.info("%d genes", found["genes"])
    write_text(snakemake.output.checked, json.dumps(found, indent=2) + "\n")
