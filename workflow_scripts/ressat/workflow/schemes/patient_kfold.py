"""Test on groups of patients in turn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ressat.base.errors import InputError
from ressat.workflow.scheme import Scheme, by_patient

if TYPE_CHECKING:
    from ressat.workflow.sheet import Section


class PatientKFold(Scheme):
    """As many folds as the setting ``evaluation.folds`` says, each of whole patients."""

    name = "patient_kfold"
    words = "by leaving out groups of patients in turn"

    def tested(self, labelled: "list[Section]", evaluation: Mapping) -> "dict[str, list[Section]]":
        """Return the sections of each group of patients; see `Scheme.tested`."""
        patients, number = by_patient(labelled), evaluation["folds"]
        self._require(len(patients), "patient", "patients", f"({', '.join(patients)})")
        if len(patients) < number:
            raise InputError(
                f"evaluation.folds is {number}, and there are {len(patients)} patients "
                f"({', '.join(patients)})",
                expected="at most as many folds as patients under patient_kfold",
                action=f"set evaluation.folds to {len(patients)} or fewer, or add patients",
            )
        # The patient with most sections first, to the fold with fewest so far: the folds come out even.
        groups: list[list[Section]] = [[] for _ in range(number)]
        for patient in sorted(patients, key=lambda name: (-len(patients[name]), name)):
            min(groups, key=len).extend(patients[patient])
        return {f"fold_{index}": group for index, group in enumerate(groups, start=1)}


MEMBER = PatientKFold()
