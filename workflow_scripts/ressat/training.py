"""Training G with the dual loss, and knowing when to stop without looking at a test section."""

import logging
import os
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from ressat.held_back import pieces, splits
from ressat.model import Head, HeadSettings, dual_loss
from ressat.section_data import DEAD_FEATURES_BELOW, Scaler, SectionData

logger = logging.getLogger("ressat")


@dataclass(frozen=True)
class TrainSettings:
    """How G is trained.

    Attributes
    ----------
    learning_rate, weight_decay
        Of AdamW.
    max_epochs
        Upper bound; an epoch is one step per section.
    patience
        Epochs without improvement on the held-back spots after which the choice is made.
    seed
        Of weights, dropout, the order of sections and the choice of what is held back.
    """

    learning_rate: float
    weight_decay: float
    max_epochs: int
    patience: int
    seed: int


@dataclass(frozen=True)
class TrainedHead:
    """G with the scalers that belong to it."""

    head: Head
    features: Scaler
    targets: Scaler
    epochs: int


def train(
    sections: list[SectionData], tile_um: float, head: HeadSettings, settings: TrainSettings
) -> tuple[TrainedHead, pd.DataFrame, str]:
    """Choose the number of epochs on held-back training spots, then train on all of them.

    Parameters
    ----------
    sections
        The fold's training sections.
    tile_um
        Edge of a tile: the gap between what is learnt from and what is held back in a lone section.
    head, settings
        Of the model and its training.

    Returns
    -------
    tuple of TrainedHead, pandas.DataFrame, str
        The model; its history, with a row per epoch of both stages (``selection``, ``final``) and
        both loss terms in z units, on the spots learnt from and on those held back; and in words
        what was held back.
    """
    parts = pieces(sections, tile_um)
    learnt, held_back = next(splits(parts))
    description = parts[0].name
    logger.info("choosing the number of epochs on %s", description)
    _, selection = _fit(learnt, held_back, head, settings)
    epochs = int(selection.loc[_total(selection, "held_back").idxmin(), "epoch"])
    logger.info("training on all %d sections for %d epochs", len(sections), epochs)
    trained, final = _fit(sections, [], head, replace(settings, max_epochs=epochs))
    return trained, pd.concat([selection.assign(stage="selection"), final.assign(stage="final")]), description


def _fit(
    sections: list[SectionData], held_back: list[SectionData], head: HeadSettings, settings: TrainSettings
) -> tuple[TrainedHead, pd.DataFrame]:
    """Train on whole sections, one step each, until the held-back spots stop improving."""
    torch.manual_seed(settings.seed)
    # Without this setting cuBLAS has no deterministic matrix product; it is read when CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    features = Scaler.fit([data.features for data in sections], DEAD_FEATURES_BELOW)
    targets = Scaler.fit([data.targets for data in sections])

    def tensors(data: SectionData) -> tuple[torch.Tensor, torch.Tensor]:
        pair = features.scale(data.features), targets.scale(data.targets)
        return tuple(torch.tensor(table, dtype=torch.float32, device=device) for table in pair)

    learnt, watched = [tensors(data) for data in sections], [tensors(data) for data in held_back]
    model = Head(learnt[0][0].shape[1], learnt[0][1].shape[1], head).to(device)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    order = np.random.default_rng(settings.seed)
    history, best, best_epoch = [], np.inf, 0
    for epoch in range(1, settings.max_epochs + 1):
        model.train()
        losses = []
        for index in order.permutation(len(learnt)):
            x, y = learnt[index]
            direct, attended = dual_loss(y, model(x))
            optimiser.zero_grad()
            (direct + attended).backward()
            optimiser.step()
            losses.append((direct.item(), attended.item()))
        watching = _evaluate(model, watched)
        history.append((epoch, *np.mean(losses, axis=0), *watching))
        if watched and sum(watching) < best:
            best, best_epoch = sum(watching), epoch
        if watched and epoch - best_epoch >= settings.patience:
            break
    columns = ["epoch", "learnt_direct", "learnt_attended", "held_back_direct", "held_back_attended"]
    return TrainedHead(model.cpu().eval(), features, targets, epoch), pd.DataFrame(history, columns=columns)


def _evaluate(model: Head, sections: list[tuple[torch.Tensor, torch.Tensor]]) -> tuple[float, float]:
    """Both loss terms, mean over sections; NaN without any."""
    if not sections:
        return float("nan"), float("nan")
    model.eval()
    with torch.inference_mode():
        losses = [[term.item() for term in dual_loss(y, model(x))] for x, y in sections]
    return tuple(np.mean(losses, axis=0).tolist())


def _total(history: pd.DataFrame, spots: str) -> pd.Series:
    return history[f"{spots}_direct"] + history[f"{spots}_attended"]
