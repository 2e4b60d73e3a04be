"""Encoders compared: the same test sections and genes, predicted from each encoder's features."""

from collections.abc import Mapping

import anndata
import numpy as np
import pandas as pd

from ressat.base.files import UNS
from ressat.base.layers import BASELINE, MODEL, N_COUNTS, OBSERVED, TUNED_RIDGE
from ressat.evaluation.depth import BOTH, depth_free
from ressat.evaluation.scores import CEILING, check_same
from ressat.evaluation.summary import patients_interval
from ressat.stats.metrics import pearson
from ressat.stats.partial import partial_pearson

# Baselines that are compared beside the model.
RIDGES = (TUNED_RIDGE, f"{TUNED_RIDGE}_attended")
ROW = ["protocol", "encoder", "network", "model", "layer"]
PLACE = ["protocol", "model", "layer", "fold", "section", "gene"]


def score_encoder(
    encoder: str, predictions: anndata.AnnData, baselines: anndata.AnnData, ceiling: pd.DataFrame
) -> pd.DataFrame:
    """Score a test section as predicted from one encoder's features.

    Parameters
    ----------
    encoder
        Its name.
    predictions, baselines
        Of the section, by the encoder's model and baselines; the former with the layer ``observed``.
    ceiling
        results/ceiling/{sample}.tsv.

    Raises
    ------
    InputError
        If they are not of the same spots and genes.

    Returns
    -------
    pandas.DataFrame
        A row per gene for the model's headline and each of `RIDGES`: names, Pearson's r and its depth-free
        twin, and the gene's ceilings.
    """
    check_same(predictions, baselines)
    record = predictions.uns[UNS]
    observed = predictions.layers[OBSERVED]
    depth = np.log(predictions.obs[N_COUNTS].to_numpy(float))
    shared = {
        "encoder": encoder,
        "network": record["encoder"],
        **{name: record[name] for name in ("protocol", "fold", "section", "patient")},
        "gene": predictions.var_names,
        **ceiling.set_index("gene")[CEILING].reindex(predictions.var_names).to_dict("list"),
    }
    layers = {(MODEL, record["headline"]): predictions.layers[record["headline"]]}
    layers |= {(BASELINE, name): baselines.layers[name] for name in RIDGES}
    tables = [
        pd.DataFrame(
            shared
            | {
                "model": model,
                "layer": layer,
                "pearson": pearson(observed, values),
                depth_free("pearson"): partial_pearson(observed, values, depth),
            }
        )
        for (model, layer), values in layers.items()
    ]
    return pd.concat(tables, ignore_index=True)


def compare_encoders(per_gene: pd.DataFrame, costs: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Compare encoders: sections within patients first, then patients over the study.

    Parameters
    ----------
    per_gene
        Rows of `score_encoder` of all encoders and test sections; the first row's encoder is the one that
        others are compared with.
    costs
        Columns of costs by encoder.

    Returns
    -------
    pandas.DataFrame
        encoders, described in docs/outputs.md: for each encoder and layer a row per patient, and one for the
        study.
    """
    first = per_gene["encoder"].iloc[0]
    reference = per_gene[per_gene["encoder"] == first].set_index(PLACE)
    table = per_gene.copy()
    for of in BOTH:
        r, ceiling = of("pearson"), of("ceiling")
        beside = table[PLACE].join(reference[r].rename("reference"), on=PLACE)["reference"]
        table[of("minus_first")] = table[r] - beside
        # Both sides of the share are means over the same genes.
        has_both = table[[r, ceiling]].notna().all(axis=1)
        table[of("reached")], table[of("reachable")] = (
            table[r].where(has_both),
            table[ceiling].where(has_both),
        )
        table[of("with_ceiling")] = has_both
    means = [of(name) for of in BOTH for name in ("pearson", "minus_first", "reached", "reachable")]
    sections = table.groupby([*ROW, "patient", "fold", "section"], sort=False)
    by_section = sections[means].mean()
    by_section["n_genes"] = sections["pearson"].count()
    for of in BOTH:
        by_section[of("n_with_ceiling")] = sections[of("with_ceiling")].sum()
    counts = ["n_genes", *(of("n_with_ceiling") for of in BOTH)]
    patients = by_section.groupby([*ROW, "patient"], sort=False)
    by_patient = patients[means].mean().join(patients[counts].min())
    by_patient.insert(0, "n_sections", patients["pearson"].count())
    by_patient = by_patient.reset_index()
    layers = by_patient.groupby(ROW, sort=False)
    study = layers[means].mean().join(layers[counts].min())
    study.insert(0, "n_sections", layers["n_sections"].sum())
    study.insert(0, "n_patients", layers["pearson"].count())
    for of in BOTH:
        intervals = layers[of("minus_first")].apply(patients_interval)
        study[of("minus_first_low")] = [low for low, _ in intervals]
        study[of("minus_first_high")] = [high for _, high in intervals]
    rows = pd.concat(
        [
            study.reset_index().assign(level="study", patient=""),
            by_patient.assign(level="patient", n_patients=1),
        ],
        ignore_index=True,
    )
    for of in BOTH:
        rows[of("share_of_ceiling")] = rows[of("reached")] / rows[of("reachable")]
    rows = rows.rename(columns={of("pearson"): of("mean_pearson") for of in BOTH})
    for name in next(iter(costs.values())):
        rows[name] = rows["encoder"].map({encoder: cost[name] for encoder, cost in costs.items()})
    return rows[COLUMNS]


COLUMNS = [
    *ROW, "level", "patient", "n_patients", "n_sections", "n_genes",
    *(of("mean_pearson") for of in BOTH),
    *(of(name) for of in BOTH for name in ("minus_first", "minus_first_low", "minus_first_high")),
    *(of(name) for of in BOTH for name in ("n_with_ceiling", "share_of_ceiling")),
    "tiles_per_s", "kb_per_tile",
]  # fmt: skip
