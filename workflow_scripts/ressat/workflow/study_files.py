"""The files of a study's sections: whether they are there, and what has to be done with them."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from ressat.base.errors import InputError
from ressat.slides.formats import needs_conversion
from ressat.workflow.expression_source import expression_files, require_files
from ressat.workflow.sheet import Section

# Format and files of a section's counts.
Counts = tuple[str, dict[str, Path | list[Path]]]


def find_files(
    sections: Mapping[str, Section], simulated: Collection[str]
) -> tuple[frozenset[str], dict[str, Counts]]:
    """Look for the files of all sections.

    Parameters
    ----------
    sections
        The sheet's rows by sample.
    simulated
        Sections whose files are drawn by the workflow, and need not be there yet.

    Returns
    -------
    tuple of frozenset, dict
        The sections whose slide has to be rewritten before OpenSlide can read it; and format and files of
        the counts of each labelled section.

    Raises
    ------
    InputError
        If files of one section are missing, or counts of no known kind.
    ExceptionGroup
        Of such errors, one per section, if this is so of several.
    """
    converted: set[str] = set()
    counts: dict[str, Counts] = {}
    problems: list[InputError] = []
    for name, section in sections.items():
        try:
            if name not in simulated:
                named = {"slide": section.slide, "expression": section.expression}
                require_files(section, {kind: path for kind, path in named.items() if path})
            if section.expression is not None:
                counts[name] = expression_files(section)
            if name not in simulated:
                require_files(section, counts[name][1] if name in counts else {})
                # What is no slide is refused by the check of its section, which keeps no other waiting.
                with suppress(InputError):
                    if needs_conversion(section.slide):
                        converted.add(name)
        except InputError as error:
            problems.append(error.about(name, section.slide))
    if len(problems) > 1:
        raise ExceptionGroup(f"{len(problems)} sections", problems)
    if problems:
        raise problems[0]
    return frozenset(converted), counts
