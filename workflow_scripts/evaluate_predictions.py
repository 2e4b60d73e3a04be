"""evaluate_predictions: score every test section, gene by gene, against what was measured, never smoothed.

Only `scales` has scores of Gaussian means, each beside its scale.

Input
    predictions, baselines and ceilings of every fold and test section, in the same order; folds, the checked
    sections of every fold
Output
    per_gene, per_section, summary, usable_genes, scales: tables
Params
    headline, panel_size, min_ceiling, unit (of expression)
"""

import pandas as pd

from ressat.base.errors import about
from ressat.base.files import UNS
from ressat.base.joblog import job_log
from ressat.base.layers import OBSERVED
from ressat.base.results_h5ad import BASELINES, TESTED, read_results
from ressat.base.tables import read_table, write_table
from ressat.checks.text_columns import FOLD_SECTIONS
from ressat.counts.expression_unit import ExpressionUnit
from ressat.evaluation.finest_scale import usable_scales, with_finest_scale
from ressat.evaluation.pooling import PooledPearson
from ressat.evaluation.scales import score_scales
from ressat.evaluation.scores import check_unit, score_section, scored_layers
from ressat.evaluation.summary import summarise_patients, summarise_sections
from ressat.evaluation.text_columns import CEILING
from ressat.evaluation.usable_genes import usable_genes

files, params = snakemake.input, snakemake.params

with job_log(snakemake.log[0], "evaluate_predictions") as log:
    folds = {
        fold: read_table(file, FOLD_SECTIONS) for fold, file in zip(params.folds, files.folds, strict=True)
    }

    unit = ExpressionUnit(**params.unit)
    scores, scale_scores, pooled = [], [], PooledPearson()
    for predicted, baseline, ceiling in zip(files.predictions, files.baselines, files.ceilings, strict=True):
        predictions = read_results(predicted, needs=TESTED)
        baselines = read_results(baseline, needs=BASELINES)
        for results, file in ((predictions, predicted), (baselines, baseline)):
            with about(file=file):
                check_unit(results, unit.words)
        with about(file=baseline):
            scores.append(
                score_section(predictions, baselines, read_table(ceiling, CEILING), params.panel_size)
            )
        scale_scores.append(score_scales(predictions, baselines))
        protocol, observed = predictions.uns[UNS]["protocol"], predictions.layers[OBSERVED]
        for (model, layer), values in scored_layers(predictions, baselines).items():
            pooled.add((protocol, model, layer), predictions.var_names, observed, values)
        log.info("%s: %d spots", predictions.uns[UNS]["section"], predictions.n_obs)

    per_gene = pd.concat(scores, ignore_index=True)
    scales = usable_scales(pd.concat(scale_scores, ignore_index=True))
    per_section = summarise_sections(per_gene, folds, unit)
    tables = {
        "per_gene": per_gene,
        "per_section": per_section,
        "summary": summarise_patients(per_section, pooled.means()),
        "usable_genes": with_finest_scale(
            usable_genes(per_gene, params.headline, params.min_ceiling), scales
        ),
        "scales": scales,
    }
    for name, table in tables.items():
        write_table(table, snakemake.output[name])
        log.info("%s: %d rows", name, len(table))
