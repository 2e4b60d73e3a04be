"""check_signatures: check whether the sections have the genes of the study's gene sets.

Input
    gene_sets (GMT); genes, of every section with counts
Output
    checked: how many genes of each set are known, as JSON
"""

import json

from ressat.base.errors import about
from ressat.base.files import FORMAT_VERSION, write_text
from ressat.base.joblog import job_log
from ressat.checks.gene_overlap import Genes
from ressat.checks.gene_sets import check_gene_sets
from ressat.counts.gene_sets import FEWEST_GENES, read_gene_sets

files = snakemake.input

with job_log(snakemake.log[0], "check_signatures") as log:
    sets = read_gene_sets(files.gene_sets)
    names = dict.fromkeys(gene for path in files.genes for gene in Genes.read("", path).names)
    with about(file=files.gene_sets):
        known = check_gene_sets(sets, list(names))
    for name, number in known.items():
        if number < FEWEST_GENES:
            log.warning("set %s: the sections have %d of its %d genes", name, number, len(sets[name]))
    record = {"sets": known, "version": FORMAT_VERSION}
    write_text(snakemake.output.checked, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
