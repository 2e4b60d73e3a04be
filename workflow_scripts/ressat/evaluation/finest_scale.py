"""The finest scale at which a gene can be used: the spot, or a coarser one."""

import numpy as np
import pandas as pd

from ressat.evaluation.depth import BOTH
from ressat.evaluation.summary import MAX_FDR
from ressat.evaluation.usable_genes import partial_conjunction
from ressat.stats.significance import benjamini_hochberg

# The scale of the spot itself, at which `ressat.evaluation.usable_genes` says what is usable.
SPOT = 0
# Below this, a gene's test at a scale, not corrected over genes, lets it through to the next finer one.
GATE = 0.05
MEANS = ["n_effective", "pearson", "tuned_ridge"]


def usable_scales(scores: pd.DataFrame) -> pd.DataFrame:
    """Test every gene at every scale over patients, from coarse to fine, and compare it with the tuned ridge.

    At each scale, the null hypothesis is that the gene is predicted (r > 0) in fewer than half of the
    patients, plainly or given depth: p is the larger of the partial conjunctions of both tests, see
    `ressat.evaluation.usable_genes.usable_genes`. Each gene is tested in a fixed sequence from coarse to fine
    (Maurer, Hothorn & Lehmacher 1995): it reaches a scale if p was below `GATE` at all coarser ones, and
    counts with p = 1 there otherwise. Raised or not, such a p is valid for the scale's own null hypothesis.
    So Benjamini-Hochberg over all genes controls the false discovery rate at every scale, and with it the
    mean over scales (Benjamini & Bogomolov 2014, J R Stat Soc B 76), on the terms on which it does so at the
    spot.

    Parameters
    ----------
    scores
        Rows of `ressat.evaluation.scales.score_scales` of all test sections.

    Returns
    -------
    pandas.DataFrame
        scales, described in docs/outputs.md: a row per protocol, gene and scale, finer scales first.
    """
    tables = []
    for protocol, rows in scores.groupby("protocol", sort=False):
        genes = pd.Index(rows["gene"].unique(), name="gene")
        reached, of_protocol = np.ones(len(genes), dtype=bool), []
        for scale, group in sorted(rows.groupby("scale"), reverse=True):
            table = _over_patients(group, genes)
            p = np.maximum(*(table[of("p_value")].to_numpy() for of in BOTH))
            table["tested"] = reached
            table["fdr"] = benjamini_hochberg(np.where(reached, p, 1.0))
            reached = reached & (p < GATE)
            table["predicted"] = table["fdr"] < MAX_FDR
            table["beats_tuned_ridge"] = np.logical_and(*(table[of("minus_tuned_ridge")] > 0 for of in BOTH))
            table["usable"] = table["predicted"] & table["beats_tuned_ridge"]
            table = table.reset_index()
            table.insert(0, "protocol", protocol)
            table.insert(2, "scale", scale)
            of_protocol.insert(0, table)
        tables += of_protocol
    return pd.concat(tables, ignore_index=True)


def with_finest_scale(usable_genes: pd.DataFrame, scales: pd.DataFrame) -> pd.DataFrame:
    """Add the finest scale at which each gene is usable.

    Parameters
    ----------
    usable_genes
        As `ressat.evaluation.usable_genes.usable_genes` gives it.
    scales
        As `usable_scales` gives it.

    Returns
    -------
    pandas.DataFrame
        usable_genes with ``finest_scale`` before the last column, in spot pitches: 0 where the gene is usable
        at the spot, whatever the coarser scales say; NaN where it is usable at none.
    """
    place = ["protocol", "gene"]
    finest = scales[scales["usable"]].groupby(place)["scale"].min().astype(float)
    coarser = usable_genes[place].join(finest, on=place)["scale"]
    result = usable_genes.copy()
    result.insert(result.shape[1] - 1, "finest_scale", coarser.mask(result["usable"], SPOT))
    return result


def _over_patients(rows: pd.DataFrame, genes: pd.Index) -> pd.DataFrame:
    """Means and tests of one scale, over the sections of a patient and then over patients."""
    patients = rows["patient"].unique()
    defined = rows.dropna(subset="pearson")
    table = pd.DataFrame(
        {
            "scale_um_lowest": rows["scale_um"].min(),
            "scale_um_highest": rows["scale_um"].max(),
            "n_sections_defined": defined.groupby("gene").size().reindex(genes, fill_value=0),
        },
        index=genes,
    )
    for of in BOTH:
        means = [of(name) for name in MEANS]
        by_patient = rows.dropna(subset=of("pearson")).groupby(["gene", "patient"])[means].mean()
        table = table.join(by_patient.groupby("gene").mean())
        table[of("minus_tuned_ridge")] = table[of("pearson")] - table[of("tuned_ridge")]
        tests = rows.pivot(index=["patient", "section"], columns="gene", values=of("p_value"))[genes]
        of_patients = [partial_conjunction(tests.loc[[name]].to_numpy()) for name in patients]
        table[of("p_value")] = partial_conjunction(np.stack(of_patients))
    return table
