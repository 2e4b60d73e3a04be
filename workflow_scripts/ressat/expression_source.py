"""Which files a section's counts are in, known from names alone. Standard library only."""

import os
from pathlib import Path

from ressat.errors import InputError
from ressat.keys import H5AD, LEGACY, SPACE_RANGER
from ressat.sheet import Section

MATRIX = "filtered_feature_bc_matrix.h5"
POSITIONS = ("spatial/tissue_positions.csv", "spatial/tissue_positions_list.csv")
SCALEFACTORS = "spatial/scalefactors_json.json"
TABLES = (".tsv", ".tsv.gz", ".csv", ".csv.gz", ".txt", ".txt.gz")


def expression_files(section: Section) -> tuple[str, dict[str, Path]]:
    """Tell the format of a section's counts, and list the files to read.

    Returns
    -------
    tuple of str, dict
        ``space_ranger`` (matrix, positions, scalefactors), ``h5ad`` (h5ad) or ``legacy``
        (counts, spots); and the files by name.

    Raises
    ------
    InputError
        If the path is none of these, or a counts table comes without its spot table.
    """
    path = section.expression
    if path.suffix.lower() == ".h5ad":
        return H5AD, {"h5ad": path}
    if path.name.lower().endswith(TABLES):
        if section.spots is None:
            raise InputError(
                "a counts table without a spot table",
                expected="the column spots, naming the table with each spot's pixel_x and pixel_y",
                action="add it to the sheet",
                section=section.sample,
                file=path,
            )
        return LEGACY, {"counts": path, "spots": section.spots}
    if os.path.isfile(path):
        raise InputError(
            f"a file of type {path.suffix or 'unknown'}",
            expected="a Space Ranger outs folder, an .h5ad file, or a counts table (.tsv, .csv, also .gz)",
            action="correct the column expression",
            section=section.sample,
            file=path,
        )
    newer, older = (path / name for name in POSITIONS)
    return SPACE_RANGER, {
        "matrix": path / MATRIX,
        "positions": older if os.path.exists(older) and not os.path.exists(newer) else newer,
        "scalefactors": path / SCALEFACTORS,
    }


def require_files(section: Section, files: dict[str, Path]) -> None:
    """Refuse a section one of whose files is missing.

    Parameters
    ----------
    section
        A row of the sheet.
    files
        By what they are.

    Raises
    ------
    InputError
        Naming the first file that does not exist.
    """
    for name, file in files.items():
        # Of os.path, since Path.exists raises for a folder that may not be entered and for endless names.
        if not os.path.exists(file):
            raise InputError(
                f"no such file or folder ({name})",
                expected="it there, in folders that may be read",
                action="correct the path, which is taken relative to the sheet",
                section=section.sample,
                file=file,
            )
