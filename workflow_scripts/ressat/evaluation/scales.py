"""How well each gene is predicted in one test section at scales coarser than the spot."""

import anndata
import numpy as np
import pandas as pd

from ressat.base.files import UNS
from ressat.base.layers import N_COUNTS, OBSERVED, TUNED_RIDGE
from ressat.evaluation.depth import DEPTH_FREE
from ressat.stats.metrics import pearson
from ressat.stats.neighbours import smoothed, spot_pitch
from ressat.stats.partial import partial_pearson
from ressat.stats.significance import CorrelationTest

# In spot pitches, the finest first.
SCALES = (2, 4)
# A scale is a Gaussian's full width at half maximum: what lies so far apart is just told apart.
STANDARD_DEVIATION = 1 / np.sqrt(8 * np.log(2))


def score_scales(predictions: anndata.AnnData, baselines: anndata.AnnData) -> pd.DataFrame:
    """Score the headline layer of a section at each of `SCALES`, gene by gene.

    Both sides, observed and predicted, are averaged over neighbouring spots with the weights of a Gaussian.
    So is the logarithm of the spots' total counts: the depth-free twin is the partial correlation of the
    averaged maps given the averaged depth. (Maps freed from depth spot by spot could still follow it once
    averaged.)

    Parameters
    ----------
    predictions, baselines
        As for `ressat.evaluation.scores.score_section`.

    Returns
    -------
    pandas.DataFrame
        A row per scale and gene: ``protocol``, ``fold``, ``section``, ``patient``, ``gene``, ``scale`` (spot
        pitches), ``scale_um``; ``pearson`` and ``tuned_ridge``, Pearson's r of the headline layer and of the
        tuned ridge; ``n_effective`` and ``p_value`` of the headline's test; and the twins of the last four.
        NaN where a section has a single spot, or a side is constant or unknown.
    """
    record, coords = predictions.uns[UNS], predictions.obsm["spatial"]
    pitch = spot_pitch(coords)
    headline = predictions.layers[record["headline"]]
    sides = [predictions.layers[OBSERVED], headline, baselines.layers[TUNED_RIDGE]]
    depth = np.log(predictions.obs[[N_COUNTS]].to_numpy(float))
    plain = CorrelationTest(coords)
    tables = []
    for scale in SCALES:
        # A single spot has no pitch, and no correlation at any scale.
        if pitch > 0:
            width = scale * STANDARD_DEVIATION
            observed, predicted, ridge, given = (smoothed(side, coords, width) for side in (*sides, depth))
        else:
            observed, predicted, ridge, given = (*sides, depth)
        given = given[:, 0]
        scores = {
            "pearson": pearson(observed, predicted),
            "tuned_ridge": pearson(observed, ridge),
            **_test(plain, observed, predicted),
        }
        twins = {
            "pearson": partial_pearson(observed, predicted, given),
            "tuned_ridge": partial_pearson(observed, ridge, given),
            **_test(CorrelationTest(coords, given), observed, predicted),
        }
        names = {name: record[name] for name in ("protocol", "fold", "section", "patient")}
        about = {"gene": predictions.var_names, "scale": scale, "scale_um": scale * pitch * record["mpp"]}
        twins = {f"{name}{DEPTH_FREE}": values for name, values in twins.items()}
        tables.append(pd.DataFrame(names | about | scores | twins))
    return pd.concat(tables, ignore_index=True)


def _test(test: CorrelationTest, observed: np.ndarray, predicted: np.ndarray) -> dict[str, np.ndarray]:
    p_value, effective = test(observed, predicted)
    return {"n_effective": effective, "p_value": p_value}
