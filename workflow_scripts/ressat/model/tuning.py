"""Choosing how G is trained, inside the training sections: no test section is ever looked at."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from ressat.model.inputs import InputSettings
from ressat.model.kernel_ridge import KernelRidge
from ressat.model.mixture import (
    ATTENDED_SHARES,
    MARGIN,
    Mixture,
    MixtureSettings,
    choose_mixture,
    choose_share,
)
from ressat.model.network import HeadSettings, spot_interaction
from ressat.model.pieces import Piece, pieces, turns
from ressat.model.section_data import SectionData, typical_pitch
from ressat.model.trained_model import TrainedHead, TrainedModel
from ressat.model.training import Run, TrainSettings
from ressat.stats.metrics import mixed_scores

logger = logging.getLogger("ressat")

# Steps between looks at the held-back spots.
CHECK_EVERY = 20
# Members of the models that are compared; more would change the scores, but hardly their order.
COMPARED_MEMBERS = 3
# Fewer steps leave the heads half-trained, whatever the few held-back spots of a small study say.
MIN_STEPS = 100
COLUMNS = ["step", "learnt_direct", "learnt_attended", "held_back_direct", "held_back_attended"]


@dataclass(frozen=True)
class Candidate:
    """Settings to try.

    Attributes
    ----------
    layers
        Feature layers that G reads.
    context
        Standard deviation of the Gaussian mean of neighbours, in spot pitches of the training sections.
    head
        Shape and regularisation of G.
    """

    layers: tuple[str, ...]
    context: float
    head: HeadSettings

    @classmethod
    def of(cls, settings: Mapping) -> "Candidate":
        """Return a candidate from settings, of which ``head`` is a mapping of its own."""
        return cls(tuple(settings["layers"]), settings["context"], HeadSettings(**settings["head"]))


@dataclass(frozen=True)
class Trial:
    """How a candidate did on held-back training spots.

    Attributes
    ----------
    candidate
        What was tried.
    steps
        The chosen number of training steps.
    attended_share
        Weight of the attended prediction in the combined one, as chosen.
    pearson
        Correlation of the combined layer of the head, averaged over genes, held-back sections and pieces.
    history
        Columns `COLUMNS` and ``held_back_pearson``, that of an even mean of direct and attended.
    heads
        The head of each piece's turn after the chosen number of steps.
    """

    candidate: Candidate
    steps: int
    attended_share: float
    pearson: float
    history: pd.DataFrame
    heads: list[TrainedHead]


def train(
    sections: list[SectionData],
    tile_um: float,
    candidates: Sequence[Candidate],
    settings: TrainSettings,
    mixtures: MixtureSettings,
) -> tuple[TrainedModel, Mixture, list[Trial], pd.DataFrame, list[str]]:
    """Choose how to put G together on held-back training spots, then fit it on all of them.

    Every piece of the training sections is held back in its turn, see `ressat.model.pieces.pieces`. First a
    candidate for the head and its number of steps are chosen: the fewest steps that come within `MARGIN` of
    the best mean Pearson of an even mean of direct and attended. Then head and kernel are put together, see
    `ressat.model.mixture.choose_mixture`.

    Parameters
    ----------
    sections
        The fold's training sections, with the features of all layers.
    tile_um
        Edge of a tile: the gap between the halves of a lone section.
    candidates
        To choose from; a later one must be better by `MARGIN` than those before it.
    settings
        Of training.
    mixtures
        What G may be put together from.

    Returns
    -------
    tuple of TrainedModel, Mixture, list of Trial, pandas.DataFrame, list of str
        The model; how it is put together; the trials, the chosen one first; the history of the chosen
        trial (``selection``) and of the training on all sections (``final``); and the pieces that were held
        back in turn, in words.
    """
    parts = pieces(sections, tile_um)
    logger.info("choosing the number of steps on %s in turn", "; ".join(part.name for part in parts))
    pitch_um = typical_pitch(sections)
    trials = [_try(parts, candidate, pitch_um, settings) for candidate in candidates]
    best = trials[0]
    for trial in trials[1:]:
        if trial.pearson > best.pearson + MARGIN:
            best = trial
    mixture = choose_mixture(parts, best.heads, mixtures, settings.seed)
    inputs = _inputs(best.candidate, pitch_um)
    run = Run(sections, inputs, best.candidate.head, settings)
    final = _advance_to(run, best.steps)
    ridge = KernelRidge(sections, inputs, settings.seed) if mixture.kernel_share else None
    history = pd.concat([best.history.assign(stage="selection"), final.assign(stage="final")])
    trials.sort(key=lambda trial: trial is not best)
    return mixture.model(run.finish(), ridge), mixture, trials, history, [part.name for part in parts]


def _advance_to(run: Run, steps: int) -> pd.DataFrame:
    """Train for a number of steps, and return the history."""
    rows = []
    while run.steps < steps:
        losses = run.advance(min(CHECK_EVERY, steps - run.steps))
        rows.append([run.steps, *losses, np.nan, np.nan])
    return pd.DataFrame(rows, columns=COLUMNS)


def _inputs(candidate: Candidate, pitch_um: float) -> InputSettings:
    return InputSettings(candidate.layers, candidate.context * pitch_um)


def _try(parts: list[Piece], candidate: Candidate, pitch_um: float, settings: TrainSettings) -> Trial:
    """For each piece, train on the others, side by side, until the mean score stops improving."""
    head = replace(candidate.head, members=min(candidate.head.members, COMPARED_MEMBERS))
    runs = []
    for learning, held_back in turns(parts):
        run = Run(learning, _inputs(candidate, pitch_um), head, settings)
        runs.append((run, [_Watched(run, data) for data in held_back]))
    history, scores, states, best = [], [], {}, (-np.inf, 0)
    while runs[0][0].steps < settings.max_steps:
        losses, by_share = [], []
        for run, watched in runs:
            learning = run.advance(min(CHECK_EVERY, settings.max_steps - run.steps))
            looks = [section.look(run) for section in watched]
            losses.append([*learning, *np.mean([terms for terms, _ in looks], axis=0)])
            run.refuse_divergence(losses[-1])
            by_share.append(np.mean([values for _, values in looks], axis=0))
        scores.append(np.mean(by_share, axis=0))
        steps = runs[0][0].steps
        history.append([steps, *np.mean(losses, axis=0), scores[-1][0]])
        best = max(best, (scores[-1][0], steps), key=lambda pair: pair[0])
        states[len(scores) - 1] = [run.state() for run, _ in runs]
        # No more are kept than those of the checks that may yet be chosen.
        enough = [row for row in states if history[row][0] >= MIN_STEPS] or [len(scores) - 1]
        top = max(scores[row][0] for row in enough)
        states = {row: states[row] for row in enough if scores[row][0] >= top - MARGIN}
        if steps - best[1] >= settings.patience:
            break
    table = pd.DataFrame(history, columns=[*COLUMNS, "held_back_pearson"])
    row = _choose_row(table)
    share = choose_share(scores[row])
    steps = int(table["step"][row])
    heads = [run.finish(state, steps) for (run, _), state in zip(runs, states[row], strict=True)]
    trial = Trial(candidate, steps, ATTENDED_SHARES[share], float(scores[row][share]), table, heads)
    logger.info(
        "%s with context %g: held-back Pearson %.4f after %d steps, attended share %g",
        " and ".join(candidate.layers), candidate.context, trial.pearson, trial.steps, trial.attended_share,
    )  # fmt: skip
    return trial


def _choose_row(history: pd.DataFrame) -> int:
    """Row of the first check after enough steps that comes within the margin of the best of these."""
    enough = history.index[history["step"] >= min(MIN_STEPS, history["step"].max())]
    values = history.loc[enough, "held_back_pearson"]
    return int(enough[(values >= values.max() - MARGIN).argmax()])


class _Watched:
    """A held-back section as a run's model reads it."""

    def __init__(self, run: Run, data: SectionData) -> None:
        self.targets = data.targets
        self.read = run.reader(data)
        self.z = torch.tensor(run.targets.scale(data.targets), dtype=torch.float32, device=run.device)

    def look(self, run: Run) -> tuple[list[float], np.ndarray]:
        """Return both loss terms, and mean Pearson by share of the attended prediction."""
        direct = run.direct(self.read)
        attended = spot_interaction(direct)
        terms = [torch.nn.functional.mse_loss(layer, self.z).item() for layer in (direct, attended)]
        layers = direct.cpu().numpy(), attended.cpu().numpy()
        return terms, mixed_scores(self.targets, *layers, ATTENDED_SHARES)
