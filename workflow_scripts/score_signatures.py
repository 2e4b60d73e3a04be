"""score_signatures: score the study's gene sets on the spots of a predicted section.

Input
    gene_sets (GMT), predictions; baselines and expression where the section is tested
Output
    h5ad: scores of every spot in obsm; table: a row per set, with its correlations in a test section
Params
    seed, unit (of expression)
"""

from ressat.base.anndata_file import write_anndata
from ressat.base.joblog import job_log
from ressat.base.results_h5ad import BASELINES, PREDICTIONS, TESTED, read_results
from ressat.base.tables import write_table
from ressat.counts.expression_unit import ExpressionUnit
from ressat.counts.gene_sets import FEWEST_GENES, read_gene_sets
from ressat.evaluation.signature_file import describe_signatures, scores_of_spots
from ressat.evaluation.signatures import evaluate_signatures

# Sets without a score that are named; a file may have thousands.
MOST_NAMED = 12

files, params, section = snakemake.input, snakemake.params, snakemake.wildcards.sample

with job_log(snakemake.log[0], f"score_signatures {section}") as log:
    sets = read_gene_sets(files.gene_sets)
    tested = bool(files.get("expression"))
    predictions = read_results(files.predictions, needs=TESTED if tested else PREDICTIONS)
    if tested:
        baselines = read_results(files.baselines, needs=BASELINES)
        counts = read_results(files.expression)
        table = evaluate_signatures(
            predictions, baselines, counts, sets, params.seed, ExpressionUnit(**params.unit)
        )
    else:
        table = describe_signatures(predictions, sets)
    few = table[table["n_genes"] < FEWEST_GENES]
    for row in few.head(MOST_NAMED).itertuples():
        log.warning(
            "set %s has no score: %d of its %d genes are on the panel%s, and at least %d are needed",
            row.signature, row.n_genes, row.n_listed, " and measured" if tested else "", FEWEST_GENES,
        )  # fmt: skip
    if len(few) > MOST_NAMED:
        log.warning("%d more sets have no score, for the same reason", len(few) - MOST_NAMED)
    write_anndata(snakemake.output.h5ad, scores_of_spots(predictions, sets))
    write_table(table, snakemake.output.table)
