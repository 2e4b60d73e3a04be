"""What the model has to beat: simple predictors on the same features, through scikit-learn."""

import logging

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ressat.held_back import leave_one_out
from ressat.metrics import pearson
from ressat.section_data import SectionData

logger = logging.getLogger("ressat")

HEST_COMPONENTS = 256
ALPHAS = np.logspace(1, 6, 11)


def mean_baseline(training: list[SectionData], features: np.ndarray) -> np.ndarray:
    """Predict the mean of the training spots for every spot, shape (spots, genes)."""
    mean = np.concatenate([data.targets for data in training]).mean(axis=0)
    return np.tile(mean, (len(features), 1))


def hest_ridge(training: list[SectionData], features: np.ndarray) -> np.ndarray:
    """Predict by HEST-Bench's protocol (Jaume et al. 2024).

    StandardScaler, PCA to 256 components, ridge with alpha = 100 / (components x genes) and no
    intercept, on centred targets.

    Parameters
    ----------
    training
        Sections to fit on.
    features
        Of the spots to predict, shape (spots, features).
    """
    x, y = _stack(training)
    components = min(HEST_COMPONENTS, *x.shape)
    alpha = 100 / (components * y.shape[1])
    model = make_pipeline(
        StandardScaler(),
        PCA(components, random_state=0),
        Ridge(alpha=alpha, fit_intercept=False, solver="cholesky"),
    )
    centre = y.mean(axis=0)
    return model.fit(x, y - centre).predict(features) + centre


def tuned_ridge(training: list[SectionData], features: np.ndarray, gap_um: float) -> np.ndarray:
    """Predict by ridge on standardised features, its alpha chosen inside the training sections.

    The alpha with the highest mean per-gene Pearson on held-back patients (else sections, else halves)
    is taken.

    Parameters
    ----------
    training
        Sections to fit on.
    features
        Of the spots to predict, shape (spots, features).
    gap_um
        Gap between the halves of a lone section.
    """
    scores = np.zeros(len(ALPHAS))
    for learnt, held_back, _ in leave_one_out(training, gap_um):
        x, y = _stack(learnt)
        for index, alpha in enumerate(ALPHAS):
            model = _ridge(alpha).fit(x, y)
            values = [pearson(data.targets, model.predict(data.features)) for data in held_back]
            scores[index] += np.nanmean(values) if np.isfinite(values).any() else 0.0
    alpha = ALPHAS[int(scores.argmax())]
    logger.info("ridge on %d features: alpha %g", features.shape[1], alpha)
    return _ridge(alpha).fit(*_stack(training)).predict(features)


def _ridge(alpha: float) -> object:
    return make_pipeline(StandardScaler(), Ridge(alpha=alpha, solver="cholesky"))


def _stack(sections: list[SectionData]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.concatenate([data.features for data in sections]).astype(np.float64),
        np.concatenate([data.targets for data in sections]).astype(np.float64),
    )
