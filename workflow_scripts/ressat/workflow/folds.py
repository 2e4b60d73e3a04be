"""Folds: which sections a model learns from and which it is tried on. Standard library only."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ressat.base import keys
from ressat.base.errors import InputError
from ressat.workflow.sheet import Section


@dataclass(frozen=True)
class Fold:
    """One model's sections.

    Attributes
    ----------
    name
        The fold's name; `keys.FOLD_ALL` and `keys.FOLD_BUNDLE` are reserved.
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


def make_folds(
    sections: Iterable[Section], evaluation: Mapping, *, bundle: str | None, sheet: str
) -> dict[str, Fold]:
    """Derive a study's folds from its sheet and settings, by nothing else.

    Parameters
    ----------
    sections
        The sheet's rows.
    evaluation
        Settings: ``scheme``, ``folds`` (of patient_kfold), ``within_patient`` (whether a patient may
        stand on both sides of the holdout).
    bundle
        Path of a saved model that is used instead of training one.
    sheet
        The sheet's path, for messages.

    Returns
    -------
    dict of str, Fold
        The folds of the scheme, and ``all``, which learns from every section with role train, where there
        is one, and predicts those without counts; or ``bundle`` alone. The scheme ``holdout`` goes by
        role; the others let every section with counts take its turn.

    Raises
    ------
    InputError
        If sheet and settings do not make a study, or a patient is on both sides.
    """
    sections = list(sections)
    labelled = [section for section in sections if section.role != keys.PREDICT]
    training = [section for section in sections if section.role == keys.TRAIN]
    predict = tuple(section.sample for section in sections if section.role == keys.PREDICT)
    if bundle:
        if labelled:
            raise InputError(
                f"model.use names the saved model {bundle}, but {_names(labelled)} have counts",
                expected="role predict for every section when a saved model is used",
                action="remove model.use to train on them, or set their role to predict and leave out counts",
                file=sheet,
            )
        return {keys.FOLD_BUNDLE: Fold(keys.FOLD_BUNDLE, (), (), predict)}
    scheme = evaluation["scheme"]
    if not training and (predict or scheme == keys.HOLDOUT):
        raise InputError(
            "no section has role train",
            expected="a section to learn from, or a saved model",
            action="set a role to train, or name a saved model under model.use in config.yaml",
            file=sheet,
        )
    _refuse_alike_patients(labelled, sheet)
    if scheme == keys.HOLDOUT:
        tested = {keys.HOLDOUT: [section for section in labelled if section.role == keys.TEST]}
        _refuse_shared_patients(training, tested[keys.HOLDOUT], evaluation["within_patient"], sheet)
    else:
        tested = _rotations(labelled, scheme, evaluation["folds"], sheet)
    folds = {
        name: _fold(name, [section for section in labelled if section not in test], test)
        for name, test in tested.items()
        if test
    }
    if training:
        folds[keys.FOLD_ALL] = _fold(keys.FOLD_ALL, training, [], predict)
    return folds


def _fold(name: str, train: list[Section], test: list[Section], predict: tuple[str, ...] = ()) -> Fold:
    # Training sections by name, so that the order of the sheet's rows does not show in a model.
    train_names = tuple(sorted(section.sample for section in train))
    return Fold(name, train_names, tuple(section.sample for section in test), predict)


def _rotations(labelled: list[Section], scheme: str, number: int, sheet: str) -> dict[str, list[Section]]:
    """Test sections by fold, where every labelled section is tested once."""
    patients = sorted({section.patient for section in labelled})
    if scheme == keys.LEAVE_ONE_SECTION_OUT:
        _require(len(labelled), 2, "section", "with counts", scheme, sheet)
        return {f"without_{section.sample}": [section] for section in labelled}
    _require(len(patients), 2, "patient", f"({', '.join(patients)})", scheme, sheet)
    by_patient = {name: [section for section in labelled if section.patient == name] for name in patients}
    if scheme == keys.LEAVE_ONE_PATIENT_OUT:
        names = {patient: "without_" + re.sub(r"[^A-Za-z0-9_-]", "_", patient) for patient in patients}
        lower = [name.casefold() for name in names.values()]
        alike = [patient for patient in patients if lower.count(names[patient].casefold()) > 1]
        if alike:
            raise InputError(
                f"patients {' and '.join(alike)} cannot be told apart in file names",
                expected="patients that differ in their letters, digits, _ or -",
                action="rename one of them",
                file=sheet,
            )
        return {names[patient]: tested for patient, tested in by_patient.items()}
    if len(patients) < number:
        raise InputError(
            f"evaluation.folds is {number}, and there are {len(patients)} patients ({', '.join(patients)})",
            expected="at most as many folds as patients under patient_kfold",
            action=f"set evaluation.folds to {len(patients)} or fewer, or add patients",
            file=sheet,
        )
    # The patient with most sections first, to the fold with fewest so far: the folds come out even.
    groups: list[list[Section]] = [[] for _ in range(number)]
    for patient in sorted(patients, key=lambda name: (-len(by_patient[name]), name)):
        min(groups, key=len).extend(by_patient[patient])
    return {f"fold_{index}": group for index, group in enumerate(groups, start=1)}


def _refuse_alike_patients(labelled: list[Section], sheet: str) -> None:
    """Refuse patients whose names differ in case or blanks alone: they are one, and would leak."""
    seen: dict[str, str] = {}
    for patient in sorted({section.patient for section in labelled}):
        other = seen.setdefault("".join(patient.casefold().split()), patient)
        if other != patient:
            raise InputError(
                f"patients {other} and {patient}",
                expected="one spelling for each patient",
                action="write them alike, or tell them apart by more than case and blanks",
                file=sheet,
            )


def _require(found: int, least: int, unit: str, which: str, scheme: str, sheet: str) -> None:
    if found < least:
        raise InputError(
            f"evaluation.scheme is {scheme}, and there is only {found} {unit} {which}",
            expected=f"at least {least} {unit}s to rotate over",
            action=f"add a {unit}, or set evaluation.scheme to another",
            file=sheet,
        )


def _refuse_shared_patients(
    train: list[Section], test: list[Section], within_patient: bool, sheet: str
) -> None:
    shared = sorted({section.patient for section in train} & {section.patient for section in test})
    if shared and not within_patient:
        both = [section for section in [*train, *test] if section.patient in shared]
        raise InputError(
            f"patient {', '.join(shared)} has sections to train and to test on ({_names(both)})",
            expected="a patient on one side only",
            action="change their roles, or set evaluation.within_patient: true, which labels every result "
            "as within-patient replicates",
            file=sheet,
        )


def _names(sections: list[Section]) -> str:
    return ", ".join(section.sample for section in sections)
