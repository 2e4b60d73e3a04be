"""How well each gene is predicted in one test section, against raw log-normalised truth."""

import anndata
import numpy as np
import pandas as pd

from ressat.base.errors import InputError, about
from ressat.base.files import UNS
from ressat.base.layers import BASELINE, MODEL, N_COUNTS, OBSERVED, OBSERVED_DEPTH, ORACLE, TUNED_RIDGE
from ressat.base.own_file import damaged
from ressat.evaluation.depth import depth_free
from ressat.evaluation.panels import PANELS
from ressat.stats.autocorrelation import morans_i
from ressat.stats.metrics import pearson, r_squared, rmse, spearman
from ressat.stats.partial import partial_pearson, partial_spearman
from ressat.stats.significance import benjamini_hochberg, correlation_p_values

PER_GENE = [
    "protocol", "fold", "section", "patient", "gene", "model", "layer", "n_spots", "observed_mean",
    "pearson", "pearson_depth_free", "spearman", "spearman_depth_free", "rmse", "r2", "offset",
    "moran_observed", "moran_predicted",
    "n_effective", "p_value", "fdr", "n_effective_depth_free", "p_value_depth_free", "fdr_depth_free",
    "ceiling", "ceiling_low", "ceiling_depth_free", "ceiling_low_depth_free", "hvg", "heg", "svg",
]  # fmt: skip
# Columns of the section's ceilings that go with its scores.
CEILING = ["ceiling", "ceiling_low", depth_free("ceiling"), depth_free("ceiling_low")]
TESTS = ["n_effective", "p_value", "fdr"]


def score_section(
    predictions: anndata.AnnData, baselines: anndata.AnnData, ceiling: pd.DataFrame, panel_size: int
) -> pd.DataFrame:
    """Score every layer of a section's predictions, and every baseline, gene by gene.

    Every correlation has a twin, the partial correlation given the logarithm of the spots' total counts.
    As an oracle, one map of that logarithm is scored for every gene too.

    Parameters
    ----------
    predictions
        results/predictions/{fold}/{sample}.h5ad with the layer ``observed``, and ``n_counts`` in obs.
    baselines
        results/baselines/{fold}/{sample}.h5ad: the same spots and genes.
    ceiling
        results/ceiling/{sample}.tsv.
    panel_size
        Number of genes in each panel: the first by training rank.

    Returns
    -------
    pandas.DataFrame
        The columns `PER_GENE`, described in docs/outputs.md. Significance is tested for the headline
        layer and the tuned ridge.

    Raises
    ------
    InputError
        If predictions and baselines are not of the same spots and genes.
    """
    record = predictions.uns[UNS]
    check_same(predictions, baselines)
    observed = predictions.layers[OBSERVED]
    coords = predictions.obsm["spatial"]
    depth = np.log(predictions.obs[N_COUNTS].to_numpy(float))
    shared = {
        "protocol": record["protocol"],
        "fold": record["fold"],
        "section": record["section"],
        "patient": record["patient"],
        "gene": predictions.var_names,
        "n_spots": predictions.n_obs,
        "observed_mean": observed.mean(axis=0),
        "moran_observed": morans_i(observed, coords),
        **ceiling.set_index("gene")[CEILING].reindex(predictions.var_names).to_dict("list"),
        **{panel: predictions.var[rank].to_numpy() <= panel_size for panel, rank in PANELS.items()},
    }
    tested = {(MODEL, record["headline"]), (BASELINE, TUNED_RIDGE)}
    tables = []
    layers = scored_layers(predictions, baselines)
    layers[ORACLE, OBSERVED_DEPTH] = np.tile(depth[:, None], predictions.n_vars)
    for (model, layer), predicted in layers.items():
        scores = {
            "model": model,
            "layer": layer,
            "pearson": pearson(observed, predicted),
            "pearson_depth_free": partial_pearson(observed, predicted, depth),
            "spearman": spearman(observed, predicted),
            "spearman_depth_free": partial_spearman(observed, predicted, depth),
            "moran_predicted": morans_i(predicted, coords),
        }
        if model != ORACLE:  # a depth is no expression
            scores |= {
                "rmse": rmse(observed, predicted),
                "r2": r_squared(observed, predicted),
                "offset": predicted.mean(axis=0, dtype=float) - observed.mean(axis=0, dtype=float),
            }
        if (model, layer) in tested:
            scores |= _tests(observed, predicted, coords, None)
            twins = _tests(observed, predicted, coords, depth)
            scores |= {depth_free(name): values for name, values in twins.items()}
        tables.append(pd.DataFrame(shared | scores).reindex(columns=PER_GENE))
    return pd.concat(tables, ignore_index=True)


def check_same(predictions: anndata.AnnData, other: anndata.AnnData) -> None:
    """Refuse results that are not of the same section, fold, spots and genes as a section's predictions.

    Raises
    ------
    InputError
        Naming the section.
    """
    record, of_other = predictions.uns[UNS], other.uns.get(UNS, {})
    same_place = all(of_other.get(name, record[name]) == record[name] for name in ("section", "fold"))
    same_axes = all(
        getattr(predictions, axis).equals(getattr(other, axis)) for axis in ("obs_names", "var_names")
    )
    if not (same_place and same_axes):
        with about(section=record["section"]):
            raise damaged("its spots or genes are not those of the section's predictions")


def check_unit(results: anndata.AnnData, unit: str) -> None:
    """Refuse predictions whose unit of expression is not the study's.

    Raises
    ------
    InputError
        Naming both.
    """
    recorded = results.uns[UNS].get("unit")
    if recorded != unit:
        raise InputError(
            f"its unit of expression is {recorded}, and the study's is {unit}",
            expected="one unit in all that is scored together",
            action="remove it and run again",
        )


def _tests(
    observed: np.ndarray, predicted: np.ndarray, coords: np.ndarray, given: np.ndarray | None
) -> dict[str, np.ndarray]:
    p_value, effective = correlation_p_values(observed, predicted, coords, given)
    return dict(zip(TESTS, (effective, p_value, benjamini_hochberg(p_value)), strict=True))


def scored_layers(
    predictions: anndata.AnnData, baselines: anndata.AnnData
) -> dict[tuple[str, str], np.ndarray]:
    """Return what is scored, by model and layer: all but the truth."""
    layers = {(MODEL, name): values for name, values in predictions.layers.items() if name != OBSERVED}
    return layers | {(BASELINE, name): values for name, values in baselines.layers.items()}
