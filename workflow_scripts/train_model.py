"""train_model: train G with the dual loss on a fold's training sections.

Input
    features and expression of the training sections, genes
Output
    model: the bundle; history: both loss terms per epoch
Params
    patients, layers, head (shape of G), training, seed, config_hash
"""

import pandas as pd
import torch

from ressat.bundle import AGREEMENT, Bundle
from ressat.files import replacing
from ressat.joblog import job_log
from ressat.model import HeadSettings
from ressat.section_data import load_sections
from ressat.training import TrainSettings, train

fold, params = snakemake.wildcards.fold, snakemake.params

with job_log(snakemake.log[0], f"train_model {fold}") as log:
    torch.set_num_threads(snakemake.threads)
    genes = pd.read_csv(snakemake.input.genes, sep="\t", keep_default_na=False)["gene"].tolist()
    sections, caches = load_sections(
        snakemake.input.features, snakemake.input.expression, params.patients, params.layers, genes
    )
    made = caches[0].attrs
    settings = TrainSettings(**params.training, seed=params.seed)
    head = HeadSettings(**params.head)
    trained, history, held_back = train(sections, made["tile_um"], head, settings)

    bundle = Bundle(
        trained,
        head,
        genes,
        list(params.layers),
        requires={name: made[name] for name in AGREEMENT},
        provenance={
            "fold": fold,
            "sections": [data.section for data in sections],
            "patients": dict(params.patients),
            "slides": {cache.section: cache.attrs["slide_fingerprint"] for cache in caches},
            "held_back_to_stop": held_back,
            "encoder": made["encoder"],
            "seed": params.seed,
            "config_hash": params.config_hash,
        },
    )
    bundle.write(snakemake.output.model)
    with replacing(snakemake.output.history) as temporary:
        history.to_csv(temporary, sep="\t", index=False, float_format="%.6g")
