"""check_counts: see whether a section's genes are those of the study.

Input
    expression; reference, the expression of the section whose gene names the others must share, where it
    is another; genes, the study's list, where there is one
Output
    checked: what was found, as JSON
Params
    reference (its section's name), learns (whether a model learns from this section)
"""

import json

from ressat import keys
from ressat.counts_check import Counts, check_gene_names, check_listed_genes
from ressat.files import write_text
from ressat.gene_list import read_gene_list
from ressat.joblog import job_log

section, files, params = snakemake.wildcards.sample, snakemake.input, snakemake.params

with job_log(snakemake.log[0], f"check_counts {section}") as log:
    counts = Counts.read(section, files.expression)
    found = {"section": section, "spots": len(counts.spots), "genes": len(counts.genes)}
    if files.get("reference"):
        found["compared_with"] = params.reference
        found["shared_genes"] = check_gene_names(counts, Counts.read(params.reference, files.reference))
    if files.get("genes") and params.learns:
        check_listed_genes(counts, read_gene_list(files.genes), files.genes)
    found["version"] = keys.FORMAT_VERSION
    log.info("%d spots, %d genes", found["spots"], found["genes"])
    write_text(snakemake.output.checked, json.dumps(found, indent=2) + "\n")
