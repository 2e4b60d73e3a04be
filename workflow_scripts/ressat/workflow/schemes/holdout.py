"""Test on the sections that the sheet sets aside."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ressat.base.errors import InputError
from ressat.base.roles import TEST, TRAIN
from ressat.workflow.scheme import Scheme, section_list

if TYPE_CHECKING:
    from ressat.workflow.sheet import Section


class Holdout(Scheme):
    """One fold, by role."""

    name = "holdout"
    rotates = False
    words = "on sections set aside as test sections"

    def tested(self, labelled: "list[Section]", evaluation: Mapping) -> "dict[str, list[Section]]":
        """Return the sections with role test; see `Scheme.tested`."""
        training = [section for section in labelled if section.role == TRAIN]
        test = [section for section in labelled if section.role == TEST]
        shared = sorted({one.patient for one in training} & {one.patient for one in test})
        if shared and not evaluation["within_patient"]:
            both = [section for section in [*training, *test] if section.patient in shared]
            raise InputError(
                f"patient {', '.join(shared)} has sections to train and to test on ({section_list(both)})",
                expected="a patient on one side only",
                action="change their roles, or set evaluation.within_patient: true, which labels every "
                "result as within-patient replicates",
            )
        return {self.name: test}


MEMBER = Holdout()
