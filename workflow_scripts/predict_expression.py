"""predict_expression: predict one section with one fold's model.

Input
    features by encoder, tiles, model, and expression for a section that is tested
Output
    h5ad: predictions as AnnData; parquet: the headline layer as a table
Params
    encoders (of the features), headline, protocol, patient, carries (whether what the model knows of its
    genes is told)
"""

import numpy as np
import pandas as pd

from ressat.base.errors import about
from ressat.base.files import sha256
from ressat.base.joblog import job_log
from ressat.features.cache import MADE_ELSEWHERE
from ressat.features.joint import caches_by_section, read_features
from ressat.model.bundle import Bundle
from ressat.model.prediction import predict, to_anndata, write_predictions
from ressat.model.reliability import UNKNOWN
from ressat.model.section_data import observed_expression
from ressat.tiles.table import Tiles

section, params = snakemake.wildcards.sample, snakemake.params

with job_log(snakemake.log[0], f"predict_expression {'/'.join(snakemake.wildcards)}") as log:
    bundle = Bundle.read(snakemake.input.model)
    with about(section=section):
        (caches,) = caches_by_section(snakemake.input.features, params.encoders)
        with about(file=snakemake.input.model):
            features = read_features(caches, bundle.trained.head.inputs.layers)
        with about(file=snakemake.input.features[0]):
            bundle.check(features.attrs)
        targets = bundle.trained.head.targets
        predicted = predict(bundle, features.values, features.coords * features.attrs["mpp"])
        layers = {name: targets.unscale(z) for name, z in predicted.items()}

        observed = None
        if snakemake.input.get("expression"):
            observed = observed_expression(snakemake.input.expression, bundle.genes, features, bundle.unit)
            missing = int(np.isnan(observed.values).all(axis=0).sum())
            if missing:
                log.warning(
                    "%d of %d genes have no counts here and cannot be scored", missing, len(bundle.genes)
                )
        known = bundle.reliability if params.carries else None
        genes = pd.DataFrame(
            {
                "training_mean": targets.mean,
                "training_sd": targets.sd,
                **bundle.ranks,
                **(known.genes if known else {}),
            },
            index=pd.Index(bundle.genes, name="gene"),
        )
        provenance = {
            "fold": snakemake.wildcards.fold,
            "section": section,
            "patient": params.patient,
            "protocol": params.protocol,
            "model_sha256": sha256(snakemake.input.model),
            "config_hash": bundle.provenance["config_hash"],
            "trained_on": bundle.provenance["sections"],
            "chosen": bundle.provenance["chosen"] | {"kernel_share": bundle.trained.kernel_share},
            "encoder": bundle.provenance["encoder"],
            "weights_sha256": bundle.requires["weights_sha256"],
            "mpp": features.attrs["mpp"],
            "stain": features.attrs["stain"],
            "stain_fallback": features.attrs["stain_fallback"],
            # The software, where it was not this one.
            "made_elsewhere": features.attrs.get(MADE_ELSEWHERE, ""),
        }
        if params.carries:
            provenance["reliability"] = known.summary if known else {"source": UNKNOWN}
        tiles = Tiles.read(snakemake.input.tiles)
        with about(file=snakemake.input.model):
            adata = to_anndata(
                layers,
                headline=params.headline,
                genes=genes,
                features=features,
                tiles=tiles,
                observed=observed,
                unit=bundle.unit.words,
                provenance=provenance,
            )
        write_predictions(adata, snakemake.output.h5ad, snakemake.output.parquet)
        log.info("%d spots, %d genes", adata.n_obs, adata.n_vars)
