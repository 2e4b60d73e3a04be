"""Test on each patient in turn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ressat.workflow.scheme import Scheme, by_patient, fold_names

if TYPE_CHECKING:
    from ressat.workflow.sheet import Section


class LeaveOnePatientOut(Scheme):
    """A fold for each patient."""

    name = "leave_one_patient_out"
    words = "by leaving out each patient in turn"

    def tested(self, labelled: "list[Section]", evaluation: Mapping) -> "dict[str, list[Section]]":
        """Return the sections of each patient; see `Scheme.tested`."""
        patients = by_patient(labelled)
        self._require(len(patients), "patient", "patients", f"({', '.join(patients)})")
        names = fold_names(list(patients), "patients")
        return {names[patient]: sections for patient, sections in patients.items()}


MEMBER = LeaveOnePatientOut()
