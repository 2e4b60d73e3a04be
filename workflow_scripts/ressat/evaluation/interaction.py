"""What spot interaction does in one section: how far it moves predictions, and which spots it joins.

The weights of A, softmax(Q K^T / sqrt(d)), say how much each spot attends to each other one.
"""

import logging
import math

import anndata
import numpy as np
import pandas as pd
from scipy.special import entr, softmax

from ressat.base.layers import ATTENDED, DIRECT, OBSERVED
from ressat.evaluation.spot_clusters import agreement, expression_clusters, interaction_clusters, varies

logger = logging.getLogger("ressat")

# Memory grows with the square of the spots, time with the cube. Of sections larger than a whole Visium
# array (6.5 mm, 4,992 spots), only a random draw is clustered.
MOST_SPOTS_CLUSTERED = 5000
BLOCK = 2**24  # weights worked on at a time: bounds the memory, changes no result


def describe_interaction(
    predictions: anndata.AnnData, clusters: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int | float | None]]:
    """Say what interaction does in a section, spot by spot, gene by gene and in summary.

    Parameters
    ----------
    predictions
        results/predictions/{fold}/{sample}.h5ad with the layer ``observed``. The order of its spots
        does not matter: they are processed in the order of their names.
    clusters
        How many to make.
    seed
        Of the draw of spots, and of both clusterings.

    Returns
    -------
    tuple
        Tables of the spots and of the genes, in the order of the predictions, and the summary; see
        docs/outputs.md. Spots that were not drawn have NaN.
    """
    names = predictions.obs_names
    order = np.argsort(names.to_numpy())
    direct, attended = (_in_z(predictions, layer)[order] for layer in (DIRECT, ATTENDED))
    sample = draw_spots(len(order), seed)
    weights, neighbours, own = attention(direct, sample)
    observed = predictions.layers[OBSERVED][order[sample]]
    by_interaction = interaction_clusters(weights, clusters, seed)
    by_expression = expression_clusters(observed, clusters, seed)

    columns = {
        "interaction_cluster": by_interaction,
        "expression_cluster": by_expression,
        "neighbours": neighbours,
        "own_weight": own,
    }
    spots = pd.DataFrame(columns, index=names[order[sample]]).reindex(names)
    summary = {
        "clusters": clusters,
        "interaction_clusters": _count(by_interaction),
        "expression_clusters": _count(by_expression),
        "adjusted_rand": agreement(by_interaction, by_expression),
        "spots": predictions.n_obs,
        "spots_clustered": len(sample),
        "genes": predictions.n_vars,
        "genes_observed": int(varies(observed).sum()),
        "median_neighbours": float(np.median(neighbours)),
    }
    genes = movement(direct, attended, predictions.var_names)
    return spots.rename_axis("spot").reset_index(), genes, summary


def draw_spots(count: int, seed: int) -> np.ndarray:
    """Return the indices of all spots, or of `MOST_SPOTS_CLUSTERED` drawn at random, in ascending order."""
    if count <= MOST_SPOTS_CLUSTERED:
        return np.arange(count)
    logger.info("%d of %d spots are drawn at random, and the others left out", MOST_SPOTS_CLUSTERED, count)
    return np.sort(np.random.default_rng(seed).choice(count, MOST_SPOTS_CLUSTERED, replace=False))


def attention(z: np.ndarray, sample: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how some spots attend to all spots of their section.

    Parameters
    ----------
    z
        Direct predictions in z units, shape (spots, d).
    sample
        Indices of those spots.

    Returns
    -------
    tuple of numpy.ndarray
        - shape (drawn, drawn): their rows of softmax(Q K^T / sqrt(d)), cut to their columns;
        - shape (drawn,): effective number of spots attended to, from 1 to the number of spots: the
          exponential of the entropy of the whole row (Hill 1973, Ecology 54);
        - shape (drawn,): a spot's weight for itself.
    """
    among = np.empty((len(sample), len(sample)))
    neighbours, own = np.empty((2, len(sample)))
    rows = max(1, BLOCK // len(z))
    for first in range(0, len(sample), rows):
        part = slice(first, first + rows)
        weights = softmax(z[sample[part]] @ z.T / math.sqrt(z.shape[1]), axis=1)
        among[part] = weights[:, sample]
        neighbours[part] = np.exp(entr(weights).sum(axis=1))
        own[part] = weights[np.arange(len(weights)), sample[part]]
    return among, neighbours, own


def movement(direct: np.ndarray, attended: np.ndarray, genes: pd.Index) -> pd.DataFrame:
    """Return how far interaction moves the predictions of each gene.

    Parameters
    ----------
    direct, attended
        In z units, shape (spots, genes).
    genes
        Their names.

    Returns
    -------
    pandas.DataFrame
        `gene`; `moved`, the root mean square of attended - direct over spots; `spread_direct` and
        `spread_attended`, standard deviations over spots; all in z units.
    """
    return pd.DataFrame(
        {
            "gene": genes,
            "moved": np.sqrt(((attended - direct) ** 2).mean(axis=0)),
            "spread_direct": direct.std(axis=0),
            "spread_attended": attended.std(axis=0),
        }
    )


def _in_z(predictions: anndata.AnnData, layer: str) -> np.ndarray:
    mean, sd = (predictions.var[f"training_{name}"].to_numpy() for name in ("mean", "sd"))
    return (predictions.layers[layer] - mean) / sd


def _count(labels: np.ndarray) -> int:
    return len(np.unique(labels[~np.isnan(labels)]))
