"""evaluate_signatures: put the scores of gene sets on all test sections in one table.

Input
    tables, of every fold and test section
Output
    signatures: a row per fold, section and set
"""

import pandas as pd

from ressat.base.joblog import job_log
from ressat.base.tables import read_table, write_table
from ressat.evaluation.signature_columns import SIGNATURES_TEXT

with job_log(snakemake.log[0], "evaluate_signatures") as log:
    table = pd.concat(
        [read_table(path, SIGNATURES_TEXT) for path in snakemake.input.tables], ignore_index=True
    )
    write_table(table, snakemake.output.signatures)
    log.info("%d sets on %d sections", table["signature"].nunique(), len(snakemake.input.tables))
