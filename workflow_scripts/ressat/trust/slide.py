"""What novelty says of a whole section, and whether it tells how wrong predictions are there."""

from collections.abc import Mapping

import anndata
import numpy as np
from scipy.stats import rankdata

from ressat.base.layers import OBSERVED
from ressat.stats.metrics import spearman
from ressat.stats.significance import correlation_p_values
from ressat.trust.fit import BELOW
from ressat.trust.novelty import largest

# Verdicts on a section.
FAMILIAR, PARTLY, NOVEL = "familiar", "partly novel", "novel"
# Share of tiles above 1 that is no sign of novelty: twice what is expected.
UNREMARKABLE = 2 * (1 - BELOW)
# The fewest spots over which a rank correlation is computed.
FEWEST_SPOTS = 20


def describe(parts: Mapping[str, np.ndarray], held_out: Mapping[str, float]) -> dict:
    """Summarise the novelty of a section's tiles.

    Parameters
    ----------
    parts
        Of novelty, shape (tiles,) each.
    held_out
        Shares above 1 of the training sections that were held out.

    Returns
    -------
    dict
        ``tiles``; ``median`` of novelty; ``share_above`` 1, and ``share_above_by_part``, None where a part is
        not measured; ``expected``, and the ``highest_held_out`` share; and the ``verdict``: `NOVEL` if more
        than half of the tiles are above 1, `PARTLY` if more are than `UNREMARKABLE` and than in any training
        section that was held out, else `FAMILIAR`.
    """
    novelty = largest(parts)
    share = float((novelty > 1).mean())
    highest = max(held_out.values())
    verdict = NOVEL if share > 0.5 else PARTLY if share > max(UNREMARKABLE, highest) else FAMILIAR
    return {
        "tiles": len(novelty),
        "median": float(np.median(novelty)),
        "share_above": share,
        "share_above_by_part": {
            part: None if np.isnan(values).any() else float((values > 1).mean())
            for part, values in parts.items()
        },
        "expected": round(1 - BELOW, 6),
        "highest_held_out": highest,
        "verdict": verdict,
    }


def squared_errors(predictions: anndata.AnnData) -> np.ndarray:
    """Return each spot's squared error of the headline layer, its mean over genes, in z units.

    Parameters
    ----------
    predictions
        Of a section; z units are those of the training spots.

    Returns
    -------
    numpy.ndarray
        float64, shape (spots,); genes that were not measured are left out. nan without counts.
    """
    if OBSERVED not in predictions.layers:
        return np.full(predictions.n_obs, np.nan)
    observed = np.asarray(predictions.layers[OBSERVED], dtype=np.float64)
    measured = ~np.isnan(observed).all(axis=0)
    sd = predictions.var["training_sd"].to_numpy()[measured]
    return (((observed - predictions.X)[:, measured] / sd) ** 2).mean(axis=1)


def relation_to_error(novelty: np.ndarray, errors: np.ndarray, coords: np.ndarray) -> dict:
    """Say how far novelty tells which spots of a section are predicted worse.

    Parameters
    ----------
    novelty, errors
        Shape (spots,).
    coords
        Centres, shape (spots, 2).

    Returns
    -------
    dict
        ``mean_squared_error``; ``error_correlation``, Spearman's rho of novelty and error; and
        ``error_p_value``, of rho > 0, allowing for the autocorrelation of both maps
        (`ressat.stats.significance.correlation_p_values` of the ranks). None where undefined.
    """
    if np.isnan(errors).any():
        return dict.fromkeys(("mean_squared_error", "error_correlation", "error_p_value"))
    columns = novelty[:, None], errors[:, None]
    rho = spearman(*columns)[0] if len(novelty) >= FEWEST_SPOTS else np.nan
    p = np.nan
    if np.isfinite(rho):
        p = correlation_p_values(*(rankdata(column, axis=0) for column in columns), coords)[0][0]
    return {
        "mean_squared_error": float(errors.mean()),
        "error_correlation": float(rho) if np.isfinite(rho) else None,
        "error_p_value": float(p) if np.isfinite(p) else None,
    }
