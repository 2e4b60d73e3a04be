"""compare_encoders: score the same test sections as predicted from the features of each encoder.

Input
    predictions and baselines of all folds and test sections, encoder by encoder; ceilings, in the same order
    once; features of the test sections, encoder by encoder; folds, checked before anything is scored
Output
    encoders: a table
Params
    encoders, benchmarks (how long features took, in the order of features), headline, unit (of expression)
"""

import pandas as pd

from ressat.base.errors import about
from ressat.base.joblog import job_log
from ressat.base.results_h5ad import BASELINES, TESTED, read_results
from ressat.base.tables import read_table, write_table
from ressat.counts.expression_unit import ExpressionUnit
from ressat.evaluation.encoders import compare_encoders, score_encoder
from ressat.evaluation.scores import check_same, check_unit
from ressat.evaluation.text_columns import CEILING
from ressat.features.cost import features_cost
from ressat.features.joint import caches_by_section

files, params = snakemake.input, snakemake.params

with job_log(snakemake.log[0], "compare_encoders") as log:
    unit = ExpressionUnit(**params.unit).words
    ceilings = [read_table(file, CEILING) for file in files.ceilings]
    results = [
        caches_by_section(of_encoders, params.encoders)
        for of_encoders in (files.predictions, files.baselines)
    ]
    scores = []
    for predicted, baseline, ceiling in zip(*results, ceilings, strict=True):
        first = None
        for encoder in params.encoders:
            predictions = read_results(predicted[encoder], needs=TESTED)
            baselines = read_results(baseline[encoder], needs=BASELINES)
            first = predictions if first is None else first
            with about(file=predicted[encoder]):
                check_unit(predictions, unit)
                check_same(first, predictions)
            with about(file=baseline[encoder]):
                check_unit(baselines, unit)
                scores.append(score_encoder(encoder, predictions, baselines, ceiling))
    caches = caches_by_section(files.features, params.encoders)
    benchmarks = caches_by_section(params.benchmarks, params.encoders)
    costs = {
        encoder: features_cost([one[encoder] for one in caches], [one[encoder] for one in benchmarks])
        for encoder in params.encoders
    }
    table = compare_encoders(pd.concat(scores, ignore_index=True), costs)
    write_table(table, snakemake.output.encoders)
    log.info("%d encoders, %d test sections", len(params.encoders), len(caches))
