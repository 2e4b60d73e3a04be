"""Folds: which sections a model is trained on and which it is tested on. Standard library only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ressat.base.errors import InputError, about
from ressat.base.names import alike, spelled_out
from ressat.base.roles import PREDICT, TRAIN
from ressat.workflow.scheme import section_list
from ressat.workflow.schemes.registry import SCHEMES
from ressat.workflow.sheet import Section

# Reserved names of folds: trained on every training section; read from a saved bundle.
FOLD_ALL, FOLD_BUNDLE = "all", "bundle"


@dataclass(frozen=True)
class Fold:
    """One model's sections.

    Attributes
    ----------
    name
        The fold's name; `FOLD_ALL` and `FOLD_BUNDLE` are reserved.
    train
        Sections the model learns from; empty for a saved bundle.
    test
        Labelled sections that are predicted and scored.
    predict
        Sections without counts that are predicted.
    """

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    predict: tuple[str, ...]

    @property
    def labelled(self) -> tuple[str, ...]:
        """All sections whose counts the fold uses."""
        return self.train + self.test

    @property
    def predicted(self) -> tuple[str, ...]:
        """All sections that the fold's model predicts."""
        return self.test + self.predict


def tests_the_model_of_all(folds: Mapping[str, Fold]) -> bool:
    """Tell whether a fold that is tested learns from the very sections of the fold `FOLD_ALL`."""
    trained = folds[FOLD_ALL].train if FOLD_ALL in folds else ()
    return any(fold.test and fold.train == trained for fold in folds.values())


def make_folds(
    sections: Iterable[Section], evaluation: Mapping, *, bundle: str | None, sheet: str
) -> dict[str, Fold]:
    """Derive a study's folds from its sheet and settings alone.

    Parameters
    ----------
    sections
        The sheet's rows.
    evaluation
        Settings: ``scheme``, a member of `SCHEMES`, and ``folds`` and ``within_patient`` if it reads them.
    bundle
        Path of a saved model that is used instead of training one.
    sheet
        The sheet's path, for messages.

    Returns
    -------
    dict of str, Fold
        The folds of the scheme and, if any section has role train, ``all``, which is trained on all of these
        and predicts the sections without counts; or ``bundle`` alone.

    Raises
    ------
    InputError
        If sheet and settings do not fit together, names of sections or patients differ in form alone, or a
        patient is on both sides of a fold.
    """
    sections = list(sections)
    labelled = [section for section in sections if section.role != PREDICT]
    training = [section for section in sections if section.role == TRAIN]
    predict = tuple(section.sample for section in sections if section.role == PREDICT)
    with about(file=sheet):
        _refuse_alike((section.sample for section in sections), "section")
        _refuse_alike((section.patient for section in sections), "patient")
        if bundle:
            if labelled:
                raise InputError(
                    f"model.use names the saved model {bundle}, but {section_list(labelled)} have counts",
                    expected="role predict for every section when a saved model is used",
                    action="remove model.use to train on them, or set their role to predict and leave out "
                    "counts",
                )
            return {FOLD_BUNDLE: Fold(FOLD_BUNDLE, (), (), predict)}
        scheme = SCHEMES.load(evaluation["scheme"])
        if not training and (predict or not scheme.rotates):
            raise InputError(
                "no section has role train",
                expected="a training section, or a saved model",
                action="set a role to train, or name a saved model under model.use in config.yaml",
            )
        tested = scheme.tested(labelled, evaluation)
    folds = {
        name: _fold(name, [section for section in labelled if section not in test], test)
        for name, test in tested.items()
        if test
    }
    if training:
        folds[FOLD_ALL] = _fold(FOLD_ALL, training, [], predict)
    return folds


def _fold(name: str, train: list[Section], test: list[Section], predict: tuple[str, ...] = ()) -> Fold:
    # Training sections by name, so that the order of the sheet's rows does not affect a model.
    train_names = tuple(sorted(section.sample for section in train))
    return Fold(name, train_names, tuple(section.sample for section in test), predict)


def _refuse_alike(names: Iterable[str], kind: str) -> None:
    """Refuse names that differ in form alone: they mean the same patient or section, and would leak."""
    for one, other in alike(names):
        raise InputError(
            f"{kind}s {spelled_out(one)} and {spelled_out(other)}",
            expected=f"one spelling for each {kind}: these differ in form alone (case, blanks, accents, "
            "dashes or invisible characters)",
            action="spell them the same, or make them differ in letters or digits",
        )
