"""Test on each section in turn; the patient's other sections are training sections."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ressat.workflow.scheme import Scheme

if TYPE_CHECKING:
    from ressat.workflow.sheet import Section


class LeaveOneSectionOut(Scheme):
    """A fold for each section."""

    name = "leave_one_section_out"
    across_patients = False
    words = "by leaving out each section in turn"

    def tested(self, labelled: "list[Section]", evaluation: Mapping) -> "dict[str, list[Section]]":
        """Return each section alone; see `Scheme.tested`."""
        self._require(len(labelled), "section", "sections", "with counts")
        return {f"without_{section.sample}": [section] for section in labelled}


MEMBER = LeaveOneSectionOut()
