"""What is left of a study without the sections and folds that failed. Standard library only."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ressat.base.roles import PREDICT, TEST, TRAIN
from ressat.workflow.failures import ENCODER, Failure
from ressat.workflow.folds import Fold
from ressat.workflow.study import Study

# Its failure takes the section's scores, and nothing else.
SCORED_ONLY = "estimate_ceiling"
# What no prediction and no score needs: the page is made without.
NOVELTY = frozenset({"fit_novelty", "measure_novelty"})
SIGNATURES = frozenset({"check_signatures", "score_signatures", "evaluate_signatures"})
BESIDE = NOVELTY | SIGNATURES | {"share_model"}
# Options by which a command would make again what is there.
FORCING = {"--forceall", "-F", "--force", "-f"}
# So many folds that stop for one reason are named; the others are counted.
MOST_NAMED = 5


def without(study: Study, failures: Iterable[Failure]) -> Study:
    """Return a study without what failed.

    Parameters
    ----------
    study
        The study of sheet and settings.
    failures
        Jobs that failed.

    Returns
    -------
    Study
        With the folds that have lost no training section, as they were but for the test and predict sections
        that failed; and with the sections of these folds. Without failures the study itself.
    """
    failures = [failure for failure in failures if failure.rule not in BESIDE]
    if not failures:
        return study
    folds = [_fold_without(fold, failures) for fold in study.folds.values()]
    left = {fold.name: fold for fold in folds if fold.predicted}
    used = {name for fold in left.values() for name in (*fold.train, *fold.predicted)}
    return replace(
        study,
        sections={name: section for name, section in study.sections.items() if name in used},
        counts={name: source for name, source in study.counts.items() if name in used},
        converted=frozenset(study.converted & used),
        folds=left,
    )


def missing_rows(study: Study, left: Study, failures: Iterable[Failure]) -> list[dict[str, str]]:
    """List what a study without failures is missing.

    Returns
    -------
    list of dict
        ``fold``, ``section``, ``patient``, ``side``, ``reason``, ``log``: a row for each missing prediction,
        and for each training section that failed, in every fold.
    """
    failures = [failure for failure in failures if failure.rule not in BESIDE]
    rows = []
    for fold in study.folds.values():
        there = set(left.folds[fold.name].predicted) if fold.name in left.folds else set()
        sides = dict.fromkeys(fold.train, TRAIN) | dict.fromkeys(fold.test, TEST)
        for name in (*fold.train, *fold.predicted):
            failure = _of_section(fold, name, failures)
            side = sides.get(name, PREDICT)
            if name in there or (side == TRAIN and not failure):
                continue
            if failure:
                reason = failure.sentence
            else:
                failure = _of_fold(fold, failures)
                reason = f"the fold has no model or no scores: {failure.title} failed ({failure.sentence})"
            rows.append(
                {
                    "fold": fold.name,
                    "section": name,
                    "patient": study.sections[name].patient,
                    "side": side,
                    "reason": reason,
                    "log": failure.log,
                }
            )
    return rows


def places_of(study: Study, script: str, wildcards: Mapping[str, str]) -> dict[str, str]:
    """Return a job's wildcards, without the encoder of features that the study's own model reads.

    Such a job is missed like one about the section alone; others about an encoder serve the comparison.
    """
    encoder = wildcards.get(ENCODER)
    is_read = script == "extract_features" and encoder in study.encoders_read
    return {name: value for name, value in wildcards.items() if not (is_read and name == ENCODER)}


def failures_text(study: Study, failures: Sequence[Failure], *, target: str, command: Sequence[str]) -> str:
    """Return the list with which a run ends that failed.

    Parameters
    ----------
    study
        The whole study.
    failures
        What failed in this run.
    target
        Name of the target that evaluates and reports what there is.
    command
        The words of this run's command after ``snakemake``, without targets.
    """
    sections = [name for name in study.sections if any(failure.sample == name for failure in failures)]
    lines = [f"Failed: {_number(failures, 'job')}"]
    if sections:
        lines[0] += f", of {_number(sections, 'section')} ({', '.join(sections)})"
    for failure in failures:
        lines += [f"- {failure.title}: {failure.sentence}", f"  log: {failure.log}"]
    left = without(study, failures)
    stopped: dict[str, list[str]] = {}
    for name, fold in study.folds.items():
        failure = _of_fold(fold, [one for one in failures if one.rule not in BESIDE])
        if failure:
            reason = f"needs section {failure.sample}" if failure.sample else f"{failure.rule} failed"
            stopped.setdefault(reason, []).append(name)
    for reason, names in stopped.items():
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        lines.append(f"Without a model or scores: {', '.join(names[:MOST_NAMED])}{more} ({reason})")
    if left.predicted and (left.predicted != study.predicted or any(one.rule in BESIDE for one in failures)):
        words = [word for word in command if word not in FORCING]
        lines.append(f"Without them: {shlex.join(['snakemake', target, *words])}")
        lines.append("  evaluates and reports the others, below results/available.")
    if len(study.encoders) > 1 and any(_of_comparison(study, failure) for failure in failures):
        lines.append("To leave an encoder out, remove it from features.encoders: nothing else runs again.")
    if sections:
        lines.append(
            f"To leave a section out for good, write no in the column include of {study.config['samples']}."
        )
    return "\n".join(lines) + "\n"


def _of_comparison(study: Study, failure: Failure) -> bool:
    """Whether a failure is that of an encoder that the study's model does not read."""
    _, _, place = failure.rule.partition(" ")
    return place.split("/")[0] in set(study.encoders) - set(study.encoders_read)


def _number(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}{'s' * (len(things) != 1)}"


def _fold_without(fold: Fold, failures: Iterable[Failure]) -> Fold:
    if _of_fold(fold, failures):
        return replace(fold, train=(), test=(), predict=())
    return replace(
        fold,
        test=tuple(name for name in fold.test if not _of_section(fold, name, failures)),
        predict=tuple(name for name in fold.predict if not _of_section(fold, name, failures)),
    )


def _of_section(fold: Fold, name: str, failures: Iterable[Failure]) -> Failure | None:
    """The failure that takes a section from a fold."""
    return next(
        (
            failure
            for failure in failures
            if failure.sample == name
            and failure.fold in (None, fold.name)
            and (failure.rule != SCORED_ONLY or name in fold.test)
        ),
        None,
    )


def _of_fold(fold: Fold, failures: Iterable[Failure]) -> Failure | None:
    """The failure that stops a whole fold: its own, or that of a section that it learns from."""
    return next(
        (
            failure
            for failure in failures
            if (failure.sample is None and failure.fold == fold.name)
            or (failure.sample in fold.train and failure.fold is None and failure.rule != SCORED_ONLY)
        ),
        None,
    )
