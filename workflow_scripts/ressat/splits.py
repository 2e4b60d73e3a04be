"""Folds: which sections a model learns from and which it is tried on. Standard library only."""

from collections.abc import Iterable
from dataclasses import dataclass

from ressat import keys
from ressat.errors import InputError
from ressat.sheet import Section


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
    def predicted(self) -> tuple[str, ...]:
        """All sections that the fold's model predicts."""
        return self.test + self.predict


def make_folds(
    sections: Iterable[Section], *, within_patient: bool, bundle: str | None, sheet: str
) -> dict[str, Fold]:
    """Derive a study's folds from its sheet and settings, by role.

    Parameters
    ----------
    sections
        The sheet's rows.
    within_patient
        Whether a patient may stand on both sides.
    bundle
        Path of a saved model that is used instead of training one.
    sheet
        The sheet's path, for messages.

    Returns
    -------
    dict of str, Fold
        ``holdout`` where there are test sections, and ``all``, which learns from every training
        section and predicts those without counts; or ``bundle`` alone.

    Raises
    ------
    InputError
        If roles and settings do not make a study, or a patient is on both sides.
    """
    sections = list(sections)
    by_role = {
        role: [section for section in sections if section.role == role]
        for role in (keys.TRAIN, keys.TEST, keys.PREDICT)
    }
    train, test, predict = (tuple(s.sample for s in by_role[role]) for role in by_role)
    if bundle:
        if train or test:
            raise InputError(
                f"model.use names the saved model {bundle}, but {', '.join(train + test)} have counts",
                expected="role predict for every section when a saved model is used",
                action="remove model.use to train on them, or set their role to predict and leave out counts",
                file=sheet,
            )
        return {keys.FOLD_BUNDLE: Fold(keys.FOLD_BUNDLE, (), (), predict)}
    if not train:
        raise InputError(
            "no section has role train",
            expected="a section to learn from, or a saved model",
            action="set a role to train, or name a saved model under model.use in config.yaml",
            file=sheet,
        )
    shared = sorted({s.patient for s in by_role[keys.TRAIN]} & {s.patient for s in by_role[keys.TEST]})
    if shared and not within_patient:
        both = [s.sample for s in sections if s.patient in shared and s.role != keys.PREDICT]
        raise InputError(
            f"patient {', '.join(shared)} has sections to train and to test on ({', '.join(both)})",
            expected="a patient on one side only",
            action="change their roles, or set evaluation.within_patient: true, which labels every result "
            "as within-patient replicates",
            file=sheet,
        )
    # By name, so that the order of the sheet's rows does not show in a model.
    train = tuple(sorted(train))
    folds = {}
    if test:
        folds["holdout"] = Fold("holdout", train, test, ())
    folds[keys.FOLD_ALL] = Fold(keys.FOLD_ALL, train, (), predict)
    return folds
