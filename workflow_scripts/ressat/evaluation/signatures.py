"""Scores of gene sets: how well a set's mean expression over a section is predicted.

A spot's score is the mean over the set's genes of their z values, with the mean and standard deviation of the
training spots for measured and predicted values alike.
"""

from collections.abc import Mapping, Sequence

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from ressat.base.files import UNS
from ressat.base.layers import N_COUNTS, OBSERVED, TUNED_RIDGE
from ressat.counts.expression_unit import ExpressionUnit
from ressat.counts.gene_sets import FEWEST_GENES
from ressat.evaluation.ceiling import FEWEST_COUNTS, FEWEST_SPOTS, ceilings
from ressat.evaluation.depth import depth_free
from ressat.evaluation.score_halves import score_half_correlations
from ressat.stats.metrics import pearson
from ressat.stats.partial import partial_pearson
from ressat.stats.significance import benjamini_hochberg, correlation_p_values

SIGNATURES = [
    "protocol", "fold", "section", "patient", "signature", "n_spots", "n_listed", "n_genes",
    "pearson", "pearson_depth_free", "tuned_ridge", "tuned_ridge_depth_free",
    "n_effective", "p_value", "fdr", "n_effective_depth_free", "p_value_depth_free", "fdr_depth_free",
    "ceiling", "ceiling_low", "ceiling_depth_free", "ceiling_low_depth_free", "genes",
]  # fmt: skip
# Times that the counts are halved for the ceiling, as for genes.
THINNINGS = 20


def members(
    sets: Mapping[str, Sequence[str]], genes: pd.Index, measured: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the places of each set's genes among those that are predicted, and measured where anything was.

    Parameters
    ----------
    sets
        Genes by the name of the set.
    genes
        The predicted genes.
    measured
        Whether each is measured in the section, shape (genes,).
    """
    places = {gene: place for place, gene in enumerate(genes) if measured[place]}
    return {
        name: np.array(sorted(places[gene] for gene in listed if gene in places), dtype=int)
        for name, listed in sets.items()
    }


def weights_of(places: Mapping[str, np.ndarray], sd: np.ndarray) -> np.ndarray:
    """Return what each gene counts in each set's score, shape (genes, sets); 0 in sets with too few genes."""
    weights = np.zeros((len(sd), len(places)))
    for column, of_set in enumerate(places.values()):
        if len(of_set) >= FEWEST_GENES:
            weights[of_set, column] = 1 / sd[of_set] / len(of_set)
    return weights


def signature_scores(values: np.ndarray, mean: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the sets' scores in z units of the training spots.

    Parameters
    ----------
    values
        Expression, shape (spots, genes); genes that are not measured are NaN, and in no set.
    mean
        Of the genes in training, shape (genes,).
    weights
        See `weights_of`.

    Returns
    -------
    numpy.ndarray
        Shape (spots, sets); NaN for sets with too few genes.
    """
    used = weights.any(axis=1)
    scores = (values[:, used].astype(float) - mean[used]) @ weights[used]
    scores[:, ~weights.any(axis=0)] = np.nan
    return scores


def evaluate_signatures(
    predictions: anndata.AnnData,
    baselines: anndata.AnnData,
    counts: anndata.AnnData,
    sets: Mapping[str, Sequence[str]],
    seed: int,
    unit: ExpressionUnit,
) -> pd.DataFrame:
    """Compare the predicted scores of gene sets with the measured ones in one test section.

    Parameters
    ----------
    predictions, baselines
        As `ressat.evaluation.scores.score_section` takes them.
    counts
        The section's raw counts, results/expression/{sample}.h5ad, of the same spots.
    sets
        Genes by the name of the set.
    seed
        Of the thinnings for the ceilings.
    unit
        Of expression.

    Returns
    -------
    pandas.DataFrame
        The columns `SIGNATURES`, a row per set, described in docs/outputs.md.
    """
    record = predictions.uns[UNS]
    observed = predictions.layers[OBSERVED]
    genes, mean, sd = (
        predictions.var_names,
        *(predictions.var[name].to_numpy(float) for name in ("training_mean", "training_sd")),
    )
    places = members(sets, genes, ~np.isnan(observed).any(axis=0))
    weights = weights_of(places, sd)
    truth, predicted, ridge = (
        signature_scores(values, mean, weights)
        for values in (observed, predictions.X, baselines.layers[TUNED_RIDGE])
    )
    depth = np.log(predictions.obs[N_COUNTS].to_numpy(float))
    coords = predictions.obsm["spatial"]
    table = {
        "protocol": record["protocol"],
        "fold": record["fold"],
        "section": record["section"],
        "patient": record["patient"],
        "signature": list(sets),
        "n_spots": predictions.n_obs,
        "n_listed": [len(listed) for listed in sets.values()],
        "n_genes": [len(of_set) for of_set in places.values()],
        "pearson": pearson(truth, predicted),
        "pearson_depth_free": partial_pearson(truth, predicted, depth),
        "tuned_ridge": pearson(truth, ridge),
        "tuned_ridge_depth_free": partial_pearson(truth, ridge, depth),
        "genes": [",".join(genes[of_set]) for of_set in places.values()],
    }
    for of, given in ((str, None), (depth_free, depth)):
        p_value, effective = correlation_p_values(truth, predicted, coords, given)
        table |= {of("n_effective"): effective, of("p_value"): p_value}
        table[of("fdr")] = benjamini_hochberg(p_value)
    table |= signature_ceilings(counts, genes, weights, seed, unit)
    return pd.DataFrame(table).reindex(columns=SIGNATURES)


def signature_ceilings(
    counts: anndata.AnnData, genes: pd.Index, weights: np.ndarray, seed: int, unit: ExpressionUnit
) -> dict[str, np.ndarray]:
    """Return the noise ceilings of scores, and the lower ends of their intervals, plain and depth-free.

    The same thinnings as those of genes (`ressat.evaluation.ceiling.noise_ceiling`): of each half, the scores
    of the sets are computed and correlated.
    """
    # Of files with thousands of sets, few have enough genes on a panel.
    scored = weights.any(axis=0)
    weights = weights[:, scored]
    of_all = np.zeros((counts.n_vars, weights.shape[1]))
    used = weights.any(axis=1)
    of_all[counts.var_names.get_indexer(genes[used])] = weights[used]
    columns = sparse.csc_matrix(counts.X)
    columns.eliminate_zeros()
    in_set = (of_all > 0).astype(float)
    of_sets = np.asarray(columns @ in_set)
    enough = (of_sets.sum(axis=0) >= FEWEST_COUNTS) & ((of_sets > 0).sum(axis=0) >= FEWEST_SPOTS)
    halves = score_half_correlations(columns, of_all, np.random.default_rng(seed), THINNINGS, unit)
    of_scored = {
        of(name): values
        for of, half in zip((str, depth_free), halves, strict=True)
        for name, values in ceilings(half, np.ones(len(enough), dtype=bool), enough).items()
        if name in ("ceiling", "ceiling_low")
    }
    table = {name: np.full(len(scored), np.nan) for name in of_scored}
    for name, values in of_scored.items():
        table[name][scored] = values
    return table
