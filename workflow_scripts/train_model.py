"""train_model: train G with the dual loss on a fold's training sections.

Input
    features and expression of the training sections, genes
Output
    model: the bundle; history: both loss terms, step by step
Params
    patients, candidates (settings to choose from), training (settings of the optimiser), seed
"""

import torch

from ressat.base import keys
from ressat.base.joblog import job_log
from ressat.base.tables import read_table, write_table
from ressat.model.bundle import AGREEMENT, Bundle, settings_hash
from ressat.model.network import HeadSettings
from ressat.model.section_data import load_sections
from ressat.model.training import TrainSettings
from ressat.model.tuning import Candidate, train

fold, params = snakemake.wildcards.fold, snakemake.params

with job_log(snakemake.log[0], f"train_model {fold}"):
    torch.set_num_threads(snakemake.threads)
    panel = read_table(snakemake.input.genes)
    genes = panel["gene"].tolist()
    sections, caches = load_sections(
        snakemake.input.features, snakemake.input.expression, params.patients, keys.LAYERS, genes
    )
    made = caches[0].attrs
    requires = {name: made[name] for name in AGREEMENT}
    candidates = [
        Candidate(tuple(layers), context, HeadSettings(**head)) for layers, context, head in params.candidates
    ]
    trained, trials, history, held_back = train(
        sections, made["tile_um"], candidates, TrainSettings(**params.training, seed=params.seed)
    )
    tried = [
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
    bundle = Bundle(
        trained,
        trials[0].candidate.head,
        genes,
        {name: panel[name].tolist() for name in keys.PANELS.values()},
        requires=requires,
        provenance={
            "fold": fold,
            "sections": [data.section for data in sections],
            "patients": dict(params.patients),
            "slides": {cache.section: cache.attrs["slide_fingerprint"] for cache in caches},
            "held_back_in_turn": held_back,
            "chosen": tried[0],
            "tried": tried,
            "encoder": made["encoder"],
            "seed": params.seed,
            "config_hash": settings_hash(
                {**requires, "candidates": params.candidates, **params.training, "seed": params.seed}
            ),
        },
    )
    for cache, file in zip(caches, snakemake.input.features, strict=True):
        bundle.check(cache.attrs, file=file, section=cache.section)
    bundle.write(snakemake.output.model)
    write_table(history, snakemake.output.history)
