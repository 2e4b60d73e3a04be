"""estimate_ceiling: estimate the largest Pearson that counting noise allows any prediction of a section.

Input
    expression
Output
    ceiling: a row per gene
Params
    seed, unit (of expression)
"""

from ressat.base.joblog import job_log
from ressat.base.results_h5ad import read_results
from ressat.base.tables import write_table
from ressat.counts.expression_unit import ExpressionUnit
from ressat.evaluation.ceiling import noise_ceiling

section = snakemake.wildcards.sample

with job_log(snakemake.log[0], f"estimate_ceiling {section}") as log:
    adata = read_results(snakemake.input.expression)
    unit = ExpressionUnit(**snakemake.params.unit)
    table = noise_ceiling(adata.X, snakemake.params.seed, unit=unit)
    table.insert(0, "gene", adata.var_names)
    defined = table["ceiling"].notna()
    log.info("%d of %d genes have enough counts for a ceiling", defined.sum(), len(table))
    write_table(table, snakemake.output.ceiling)
