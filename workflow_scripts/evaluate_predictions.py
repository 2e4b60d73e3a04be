"""evaluate_predictions: score every test section, gene by gene, against raw log-normalised truth.

Input
    predictions and baselines of every fold and test section, in the same order
Output
    per_gene, per_section, summary: tables
Params
    protocols and tested (fold and sample) of each input, patients
"""

import anndata

from ressat.evaluation import score_section, summarise
from ressat.files import replacing
from ressat.joblog import job_log

params = snakemake.params

with job_log(snakemake.log[0], "evaluate_predictions") as log:
    scores = [
        score_section(
            anndata.read_h5ad(predicted),
            anndata.read_h5ad(baseline),
            protocol=protocol,
            fold=fold,
            section=section,
            patient=params.patients[section],
        )
        for protocol, (fold, section), predicted, baseline in zip(
            params.protocols,
            params.tested,
            snakemake.input.predictions,
            snakemake.input.baselines,
            strict=True,
        )
    ]
    for name, table in zip(("per_gene", "per_section", "summary"), summarise(scores), strict=True):
        with replacing(snakemake.output[name]) as temporary:
            table.to_csv(temporary, sep="\t", index=False, float_format="%.6g", na_rep="nan")
        log.info("%s: %d rows", name, len(table))
