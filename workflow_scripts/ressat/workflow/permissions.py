"""Whether a study's folder can be written to. Standard library only."""

import getpass
import os
from pathlib import Path

from ressat.base.errors import InputError

# Folders that a run makes in the study's folder; some of them have subfolders.
FOLDERS = (".snakemake", "benchmarks", "data", "logs", "resources", "results")
# Those with files that jobs write; in .snakemake and data there may be others' files, and many.
RESULTS = ("benchmarks", "logs", "resources", "results")


def check_writable(study: str | Path) -> None:
    """Refuse a study to which results could not be written, before any job fails because of it.

    Parameters
    ----------
    study
        The study's folder.

    Raises
    ------
    InputError
        Naming the first folder in which the user may not write, or the first link that leads nowhere.
    """
    for name in FOLDERS:
        folder = Path(study) / name
        _refuse_dead_link(folder)
        if os.path.lexists(folder) and not os.path.isdir(folder):
            raise InputError(
                f"{name} is a file",
                expected="a folder, which a run makes itself",
                action="move it elsewhere",
                file=folder.absolute(),
            )
    folders = [Path(study) / name for name in FOLDERS if (Path(study) / name).is_dir()]
    try:
        within = [entry for folder in folders for entry in sorted(folder.iterdir()) if entry.is_dir()]
    except PermissionError as error:
        raise _refusal(error.filename) from error
    for folder in (Path(study), *folders, *within):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise _refusal(folder)
    for name in RESULTS:
        for parent, inner, files in os.walk(Path(study) / name):
            for entry in (*inner, *files):
                _refuse_dead_link(Path(parent) / entry)


def _refuse_dead_link(path: Path) -> None:
    if os.path.islink(path) and not os.path.exists(path):
        raise InputError(
            f"a link to {os.readlink(path)}, which is not there",
            expected="a folder or a file that is there",
            action=f"bring back or mount what it points to, or remove the link {path.name}",
            file=path.absolute(),
        )


def _refusal(folder: str | Path) -> InputError:
    return InputError(
        f"user {_user()} may not write in this folder",
        expected="a study's folder that results can be written to",
        action="correct its permissions or owner, or copy config and sheet to a folder of your own",
        file=Path(folder).resolve(),
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return str(os.getuid())
