"""train_model: train G with the dual loss on a fold's training sections.

Input
    features and expression of the training sections, genes
Output
    model: the bundle; history: both loss terms per epoch
Params
    patients, layers, head (shape of G), training, seed
"""

import torch

from ressat import keys
from ressat.bundle import AGREEMENT, Bundle, settings_hash
from ressat.joblog import job_log
from ressat.model import HeadSettings
from ressat.section_data import load_sections
from ressat.tables import read_table, write_table
from ressat.training import TrainSettings, train

fold, params = snakemake.wildcards.fold, snakemake.params

with job_log(snakemake.log[0], f"train_model {fold}") as log:
    torch.set_num_threads(snakemake.threads)
    panel = read_table(snakemake.input.genes)
    genes = panel["gene"].tolist()
    sections, caches = load_sections(
        snakemake.input.features, snakemake.input.expression, params.patients, params.layers, genes
    )
    made = caches[0].attrs
    requires = {name: made[name] for name in AGREEMENT}
    settings = TrainSettings(**params.training, seed=params.seed)
    head = HeadSettings(**params.head)
    trained, history, held_back = train(sections, made["tile_um"], head, settings)

    bundle = Bundle(
        trained,
        head,
        genes,
        {name: panel[name].tolist() for name in keys.PANELS.values()},
        list(params.layers),
        requires=requires,
        provenance={
            "fold": fold,
            "sections": [data.section for data in sections],
            "patients": dict(params.patients),
            "slides": {cache.section: cache.attrs["slide_fingerprint"] for cache in caches},
            "held_back_to_stop": held_back,
            "encoder": made["encoder"],
            "seed": params.seed,
            "config_hash": settings_hash(
                {**requires, "layers": params.layers, **params.head, **params.training, "seed": params.seed}
            ),
        },
    )
    for cache, file in zip(caches, snakemake.input.features, strict=True):
        bundle.check(cache.attrs, file=file, section=cache.section)
    bundle.write(snakemake.output.model)
    write_table(history, snakemake.output.history)
