"""The files of a study's sections: whether they exist, and what has to be done with them."""

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ressat.base.errors import InputError, about
from ressat.base.lfs_pointer import refuse_pointer
from ressat.base.names import alike_path_hint
from ressat.base.path_kind import dead_link, refuse_special
from ressat.counts.format import CountsSource
from ressat.counts.formats.registry import FORMATS
from ressat.slides.formats import needs_conversion
from ressat.slides.slide_folder import refuse_folder, require_companions
from ressat.workflow.counts_source import counts_source
from ressat.workflow.features_elsewhere import refuse_no_hdf5
from ressat.workflow.sheet import Section


def find_files(
    sections: Mapping[str, Section], simulated: Collection[str]
) -> tuple[frozenset[str], dict[str, CountsSource]]:
    """Look for the files of all sections.

    Parameters
    ----------
    sections
        The sheet's rows by sample.
    simulated
        Sections whose files the workflow simulates, and which need not exist yet.

    Returns
    -------
    tuple of frozenset, dict
        The sections whose slide has to be rewritten before OpenSlide can read it; and where the
        counts of each labelled section are.

    Raises
    ------
    InputError
        If files of one section are missing, or the format of its counts is unknown.
    ExceptionGroup
        Of such errors, one per section, if several sections have one.
    """
    converted: set[str] = set()
    counts: dict[str, CountsSource] = {}
    problems: list[InputError] = []
    for name, section in sections.items():
        try:
            with about(section=name):
                if name not in simulated:
                    paths = {"slide": section.slide, "expression": section.expression}
                    _require({kind: path for kind, path in paths.items() if path})
                    refuse_folder(section.slide)
                    require_companions(section.slide)
                made_elsewhere = {"features": section.features, "patches": section.patches}
                _require({kind: path for kind, path in made_elsewhere.items() if path})
                for path in filter(None, made_elsewhere.values()):
                    refuse_no_hdf5(path)
                if section.expression is not None:
                    with about(file=section.expression):
                        counts[name] = counts_source(section.expression, section.counts_options)
                if name not in simulated and name in counts:
                    _require_counts(section.expression, counts[name])
        except InputError as error:
            problems.append(error)
            continue
        # The check of this section refuses a file that is not a slide, without holding up other sections.
        with suppress(InputError):
            if name not in simulated and needs_conversion(section.slide):
                converted.add(name)
    if len(problems) > 1:
        raise ExceptionGroup(f"{len(problems)} sections", problems)
    if problems:
        raise problems[0]
    return frozenset(converted), counts


def _require_counts(path: Path, source: CountsSource) -> None:
    """Refuse a section if files of its counts are missing, with what its path is if that is known."""
    try:
        _require(source.files)
    except InputError:
        with about(file=path):
            FORMATS.load(source.format).refuse_other(path)
        raise


def _require(files: Mapping[str, Path | Sequence[Path]]) -> None:
    """Refuse a section if one of its files, given by what they are, is not there, or not a file itself."""
    for kind, paths in files.items():
        for file in [paths] if isinstance(paths, Path) else paths:
            _require_encodable(file)
            # From os.path, because Path.exists raises for folders that may not be entered and overlong names.
            if not os.path.exists(file):
                gone = dead_link(file)
                raise InputError(
                    f"no such file or folder ({kind})" + (f": {gone}" if gone else ""),
                    expected="an existing path, in folders that you may read",
                    action="correct the link, or bring back what it points to"
                    if gone
                    else alike_path_hint(file) or "correct the path, which is taken relative to the sheet",
                    file=file,
                )
            refuse_special(file)
            refuse_pointer(file)


def _require_encodable(file: Path) -> None:
    """Refuse a path that Python cannot hand to the system, to which it then seems not to exist."""
    try:
        os.fsencode(file)
    except UnicodeEncodeError as error:
        raise InputError(
            f"its name has characters that are not in the encoding of this session ({error.encoding})",
            expected="an encoding that has all characters, such as UTF-8",
            action="set LC_ALL=C.UTF-8, or PYTHONUTF8=1, and run again",
            # The message too is written in that encoding.
            file=os.fspath(file).encode("ascii", "backslashreplace").decode(),
        ) from None
