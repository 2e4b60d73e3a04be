"""Features that were made elsewhere: what is refused while the workflow is parsed. Standard library only."""

import os
from collections.abc import Mapping
from pathlib import Path

from ressat.base.errors import InputError
from ressat.workflow.sheet import Section

SIGNATURE = b"\x89HDF\r\n\x1a\n"
# HDF5 may begin behind a block of the user's own, whose size is a power of two.
STARTS = (0, 512, 1024, 2048, 4096)


def refuse_no_hdf5(path: Path) -> None:
    """Refuse a file that is not HDF5.

    Raises
    ------
    InputError
        If so. What cannot be read is left to the reader.
    """
    starts = []
    if os.path.isfile(path):
        try:
            with open(path, "rb") as file:
                for start in STARTS:
                    file.seek(start)
                    starts.append(file.read(len(SIGNATURE)))
        except OSError:
            return
    if SIGNATURE not in starts:
        raise InputError(
            "not an HDF5 file" if starts else "a folder",
            expected="the HDF5 file (.h5) of a section's features, or of their patches",
            action="name that file; features in .pt files have no places, and cannot be read",
            file=path,
        )


def refuse_normalised(config: dict, sections: Mapping[str, Section], config_file: str) -> None:
    """Refuse stain normalisation where features were made elsewhere, of the slides' own colours.

    Parameters
    ----------
    config
        The merged settings.
    sections
        The sheet's rows by sample.
    config_file
        For messages.

    Raises
    ------
    InputError
        If stain.method is not ``none``.
    """
    method = config["stain"]["method"]
    given = [name for name, section in sections.items() if section.features]
    if given and method != "none":
        raise InputError(
            f"stain.method is {method}, and the features of section {given[0]} were made elsewhere, without",
            expected="stain: {method: none}, for the sections that the model learns from too",
            action="set it, or leave the column features empty, so that features are made here",
            file=config_file,
        )
