"""train_model: train G with the dual loss on a fold's training sections.

Input
    features of the training sections, by encoder; their expression; genes
Output
    model: the bundle; history: both loss terms, step by step
Params
    encoders (whose features are read), patients, unit (of expression), candidates and mixture (settings to
    choose from), training (settings of the optimiser), seed
"""

import torch

from ressat.base.errors import about
from ressat.base.joblog import job_log
from ressat.base.tables import write_table
from ressat.counts.expression_unit import LOG1P_CP10K, ExpressionUnit
from ressat.evaluation.panels import PANELS
from ressat.features.joint import caches_by_section, read_attributes
from ressat.model.bundle import AGREEMENT, Bundle, settings_hash
from ressat.model.mixture import MixtureSettings
from ressat.model.panel_file import read_panel
from ressat.model.reliability import held_back_reliability
from ressat.model.section_data import load_sections
from ressat.model.training import TrainSettings
from ressat.model.tuning import Candidate, train

fold, params = snakemake.wildcards.fold, snakemake.params

with job_log(snakemake.log[0], f"train_model {'/'.join(snakemake.wildcards)}"):
    torch.set_num_threads(snakemake.threads)
    panel = read_panel(snakemake.input.genes)
    genes = panel["gene"].tolist()
    unit = ExpressionUnit(**params.unit)
    caches = caches_by_section(snakemake.input.features, params.encoders)
    sections, features = load_sections(caches, snakemake.input.expression, params.patients, genes, unit)
    tile_um = features[0].attrs["tile_um"]
    candidates = [Candidate.of(settings) for settings in params.candidates]
    trained, mixture, trials, history, held_back = train(
        sections,
        tile_um,
        candidates,
        TrainSettings(**params.training, seed=params.seed),
        MixtureSettings(**params.mixture),
    )
    trials_record = [
        {
            "layers": list(trial.candidate.layers),
            "context": trial.candidate.context,
            **vars(trial.candidate.head),
            "steps": trial.steps,
            "attended_share": trial.attended_share,
            "held_back_pearson": trial.pearson,
        }
        for trial in trials
    ]
    # Of the encoders that are read in the end.
    by_section = [read_attributes(of_section, trained.head.inputs.layers) for of_section in caches]
    requires = {name: by_section[0][name] for name in AGREEMENT}
    bundle = Bundle(
        trained,
        trials[0].candidate.head,
        genes,
        {name: panel[name].tolist() for name in PANELS.values()},
        requires=requires,
        provenance={
            "fold": fold,
            "sections": [data.section for data in sections],
            "patients": dict(params.patients),
            "slides": {read.section: read.attrs["slide_fingerprint"] for read in features},
            "held_back_in_turn": held_back,
            # Scores are those of the head alone in what was tried, and of the whole in what was chosen.
            "chosen": trials_record[0]
            | {"attended_share": mixture.attended_share, "held_back_pearson": mixture.pearson},
            "tried": trials_record,
            "encoder": by_section[0]["encoder"],
            "seed": params.seed,
            "config_hash": settings_hash(
                # The values alone, so that the same settings keep their hash.
                {
                    **requires,
                    "candidates": [list(settings.values()) for settings in params.candidates],
                    **params.training,
                    **params.mixture,
                    "seed": params.seed,
                    **({} if unit == LOG1P_CP10K else {"unit": params.unit}),
                }
            ),
        },
        unit=unit,
        reliability=held_back_reliability(mixture.by_gene, held_back),
    )
    for data, attrs in zip(sections, by_section, strict=True):
        with about(section=data.section):
            bundle.check(attrs)
    bundle.write(snakemake.output.model)
    write_table(history, snakemake.output.history)
