"""select_genes: choose a fold's gene panel, from its training sections alone.

Input
    expression of the training sections, and genes (the list) for the method list
Output
    genes: the panel, best first
Params
    method, number, unit (of expression)
"""

from ressat.base.files import UNS
from ressat.base.joblog import job_log
from ressat.base.results_h5ad import EXPRESSION, read_results
from ressat.base.tables import write_table
from ressat.counts.expression_unit import ExpressionUnit
from ressat.model.gene_list import read_gene_list
from ressat.model.panel import select_genes

params = snakemake.params

with job_log(snakemake.log[0], f"select_genes {snakemake.wildcards.fold}") as log:
    sections = [read_results(file, needs=EXPRESSION) for file in snakemake.input.expression]
    gene_list = read_gene_list(snakemake.input.genes) if snakemake.input.get("genes") else None
    panel = select_genes(
        {adata.uns[UNS]["section"]: adata for adata in sections},
        params.method,
        params.number,
        gene_list,
        ExpressionUnit(**params.unit),
    )
    log.info("%d genes by %s: %s ...", len(panel), params.method, ", ".join(panel["gene"].head(10)))
    if gene_list is None and len(panel) < params.number:
        log.warning("only %d genes qualify, %d were asked for", len(panel), params.number)
    write_table(panel, snakemake.output.genes)
