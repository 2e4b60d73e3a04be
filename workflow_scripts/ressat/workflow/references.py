"""Checks of what settings name: files must exist, and sections must be allowed for that use."""

import filecmp
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.lfs_pointer import refuse_pointer
from ressat.base.names import alike_path_hint, name_key, spelled_out
from ressat.base.path_kind import dead_link, refuse_special
from ressat.base.roles import TRAIN
from ressat.slides.slide_folder import refuse_folder, require_companions
from ressat.workflow.features_elsewhere import refuse_normalised
from ressat.workflow.settings import described
from ressat.workflow.sheet import Section

PUBLISHED_STAIN = "published"


def check_stain_reference(
    config: dict,
    sections: Mapping[str, Section],
    image: str | None,
    *,
    rotates: bool,
    uses_bundle: bool,
    config_file: str,
) -> None:
    """Refuse a stain reference that a test section would shape, or that a saved model overrules.

    Refuses stain normalisation altogether where features were made elsewhere.

    Parameters
    ----------
    config
        The merged settings.
    sections
        The sheet's rows by sample.
    image
        The image that is the reference, if any. The slide of a section counts as the section.
    rotates
        Whether every section with counts is tested in its turn.
    uses_bundle
        Whether a saved model predicts.
    config_file
        For messages.

    Raises
    ------
    InputError
        If a saved model is used, which carries its own reference; if the section is tested in its turn, or
        does not have the role train.
    """
    refuse_normalised(config, sections, config_file)
    name, scheme = config["stain"]["reference"], config["evaluation"]["scheme"]
    if uses_bundle and name != PUBLISHED_STAIN:
        raise InputError(
            f"stain.reference is {name}, although model.use names a saved model",
            expected="no stain.reference: a saved model carries its own",
            action="remove stain.reference",
            file=config_file,
        )
    same = [other for other in sections if name_key(other) == name_key(name)]
    if same and image and name not in sections and not os.path.exists(image):
        raise InputError(
            f"stain.reference is {spelled_out(name)}, and there is no such file",
            expected=f"the section {same[0]}, whose name differs in form alone, or the path of an image",
            action=f"write {same[0]}",
            file=config_file,
        )
    section = name if name in sections else _section_of_slide(image, sections)
    if section and rotates:
        raise InputError(
            f"stain.reference names section {section}, which evaluation.scheme {scheme} tests in its turn",
            expected="a reference that no fold tests: it must not be shaped by a test section",
            action="name another image, or published, or set evaluation.scheme to holdout",
            file=config_file,
        )
    if section and sections[section].role != TRAIN:
        raise InputError(
            f"stain.reference names section {section}, whose role is {sections[section].role}",
            expected="a section with role train: a section to be predicted must not shape the others",
            action="name a training section, another image, or published",
            file=config_file,
        )


def require_setting_files(files: Mapping[str, str | None], schema: dict, config_file: str) -> None:
    """Refuse settings that name a file that does not exist.

    Parameters
    ----------
    files
        Path of the file, by the setting's place, such as ``genes.list``; None if it names no file.
    schema
        Schema of the config: a setting's description is what the message says was expected.
    config_file
        For messages.
    """
    for setting, file in files.items():
        if file is None:
            continue
        try:
            refuse_special(file)
            refuse_pointer(file)
            if setting == "stain.reference":
                refuse_folder(Path(file))
                require_companions(Path(file))
        except InputError as error:
            error.problem, error.file = f"{setting} is {file}, {error.problem}", config_file
            raise
        if os.path.isfile(file):
            continue
        what = "a folder" if os.path.isdir(file) else dead_link(file)
        raise InputError(
            f"{setting} is {file}, and there is no such file" + (f": {what}" if what else ""),
            expected=described(schema, setting),
            action=alike_path_hint(file) or "correct it; a path is taken relative to the study's folder",
            file=config_file,
        )


def refuse_unknown_simulated(
    simulated: Iterable[str], sections: Iterable[str], sheet: str, config_file: str
) -> None:
    """Refuse simulated sections that are not in the sheet."""
    for name in simulated:
        if name not in sections:
            raise InputError(
                f"simulate.sections names {name}, which is not in the sheet",
                expected=f"a sample of {sheet}",
                action="add a row for it, or remove it",
                file=config_file,
            )


def refuse_shared_counts(sections: Mapping[str, Section], sheet: str) -> None:
    """Refuse two sections with the same counts: one path, unless each reads a part of its own."""
    owners: dict[Path, list[str]] = {}
    for name, section in sections.items():
        if section.expression is None:
            continue
        others = owners.setdefault(section.expression.resolve(), [])
        for other in others:
            if _may_differ(section, sections[other]):
                continue
            part = f", subset {section.subset}" if section.subset and sections[other].subset else ""
            raise InputError(
                f"sections {other} and {name} have the same counts, {section.expression}{part}",
                expected="counts of its own for each section",
                action="correct one of them, or name the part of each in the column subset",
                file=sheet,
            )
        others.append(name)


def _may_differ(one: Section, other: Section) -> bool:
    """Whether two sections read different parts of a file, or different regions of a store."""
    return any(
        None not in parts and parts[0] != parts[1]
        for parts in ((one.subset, other.subset), (one.region, other.region))
    )


def _section_of_slide(image: str | None, sections: Mapping[str, Section]) -> str | None:
    """Name the section whose slide equals an image byte for byte; files of different size are not read."""
    if image is None or not os.path.isfile(image):
        return None
    for name, section in sections.items():
        if section.slide.is_file() and filecmp.cmp(image, section.slide, shallow=False):
            return name
    return None
