"""What every scheme of evaluation has. Standard library only."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ressat.base.errors import InputError

if TYPE_CHECKING:
    from ressat.workflow.sheet import Section


class Scheme(ABC):
    """A scheme of evaluation.

    Attributes
    ----------
    name
        In settings and files.
    rotates
        Whether every section with counts is tested in its turn, whatever its role.
    across_patients
        Whether its scores say anything about patients that are not in the training sections.
    words
        How predictions are judged, for the report's methods.
    """

    name: str
    rotates: bool = True
    across_patients: bool = True
    words: str

    @abstractmethod
    def tested(self, labelled: "list[Section]", evaluation: Mapping) -> "dict[str, list[Section]]":
        """Return the test sections of each fold, by its name.

        Parameters
        ----------
        labelled
            All sections with counts.
        evaluation
            The group of settings of this name.

        Raises
        ------
        InputError
            If these sections cannot be divided this way.
        """

    def _require(self, number: int, unit: str, units: str, which: str) -> None:
        """Refuse fewer than two units, such as patients, to rotate over."""
        if number < 2:
            raise InputError(
                f"evaluation.scheme is {self.name}, and there is only {number} {unit} {which}",
                expected=f"at least 2 {units} to rotate over",
                action=f"add a {unit}, or set evaluation.scheme to another",
            )


def fold_names(names: "list[str]", units: str) -> dict[str, str]:
    """Return a fold's name, which is part of file names, for each patient or other unit that is left out.

    Raises
    ------
    InputError
        If two names differ only in characters that file names cannot have, or in case.
    """
    folds = {name: "without_" + re.sub(r"[^A-Za-z0-9_-]", "_", name) for name in names}
    lower = [fold.casefold() for fold in folds.values()]
    alike = [name for name in names if lower.count(folds[name].casefold()) > 1]
    if alike:
        raise InputError(
            f"{units} {' and '.join(alike)} cannot be told apart in file names",
            expected=f"{units} that differ in their letters, digits, _ or -",
            action="rename one of them",
        )
    return folds


def by_patient(labelled: "list[Section]") -> "dict[str, list[Section]]":
    """Return sections by patient, patients in the order of their names."""
    patients = sorted({section.patient for section in labelled})
    return {name: [section for section in labelled if section.patient == name] for name in patients}


def section_list(sections: "list[Section]") -> str:
    """Return the names of sections, for messages."""
    return ", ".join(section.sample for section in sections)
