"""Which files a section's counts are in, known from names alone. Standard library only."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.keys import H5AD, LEGACY, SPACE_RANGER, SPATIALDATA
from ressat.workflow.outs_folder import outs_files
from ressat.workflow.sheet import Section

TABLES = (".tsv", ".tsv.gz", ".csv", ".csv.gz", ".txt", ".txt.gz")
# Files at the root of a zarr store, of either version of the format.
ZARR_ROOT = ("zarr.json", ".zgroup", ".zattrs", ".zmetadata")
# What the sheet may say of counts of each format besides where they are.
OPTIONS = {
    SPACE_RANGER: {"bin_um"},
    H5AD: {"layer"},
    SPATIALDATA: {"layer", "table", "region"},
    LEGACY: {"spots"},
}
FORMAT_NAMES = {
    SPACE_RANGER: "a Space Ranger folder",
    H5AD: "an .h5ad file",
    SPATIALDATA: "a SpatialData store",
    LEGACY: "a counts table",
}


def expression_files(section: Section) -> tuple[str, dict[str, Path | list[Path]]]:
    """Tell the format of a section's counts, and list the files to read.

    Returns
    -------
    tuple of str, dict
        ``space_ranger`` (matrix, positions, scalefactors; features and barcodes too where the matrix is a
        folder), ``h5ad`` (h5ad), ``spatialdata`` (store, a file at its root, and elements, those of its
        tables and shapes) or ``legacy`` (counts, spots); and the files by name.

    Raises
    ------
    InputError
        If the path is none of these, something that is needed to read it is not said, or something is said
        that files of this format do not have.
    """
    format = _format(section)
    for option in ("spots", "bin_um", "layer", "table", "region"):
        if getattr(section, option) is not None and option not in OPTIONS[format]:
            users = " or ".join(name for form, name in FORMAT_NAMES.items() if option in OPTIONS[form])
            raise InputError(
                f"{option} is {getattr(section, option)}, and the counts are {FORMAT_NAMES[format]}",
                expected=f"{option} for {users} only",
                action=f"leave the column {option} empty for this section, or correct the column expression",
                section=section.sample,
                file=section.expression,
            )
    if format == SPACE_RANGER:
        return format, outs_files(section)
    if format == SPATIALDATA:
        return format, _store_files(section)
    if format == H5AD:
        return format, {"h5ad": section.expression}
    if section.spots is None:
        raise InputError(
            "a counts table without a spot table",
            expected="the column spots, naming the table with each spot's pixel_x and pixel_y",
            action="add it to the sheet",
            section=section.sample,
            file=section.expression,
        )
    return format, {"counts": section.expression, "spots": section.spots}


def require_files(section: Section, files: Mapping[str, Path | Sequence[Path]]) -> None:
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
    for name, given in files.items():
        for file in [given] if isinstance(given, Path) else given:
            # Of os.path, since Path.exists raises for a folder that may not be entered and for endless names.
            if not os.path.exists(file):
                raise InputError(
                    f"no such file or folder ({name})",
                    expected="it there, in folders that may be read",
                    action="correct the path, which is taken relative to the sheet",
                    section=section.sample,
                    file=file,
                )


def _format(section: Section) -> str:
    path = section.expression
    name = path.name.lower()
    if path.suffix.lower() == ".zarr" or _is_store(path):
        return SPATIALDATA
    if path.suffix.lower() == ".h5ad":
        return H5AD
    if os.path.isdir(path):
        return SPACE_RANGER
    if name.endswith((".h5", ".mtx", ".mtx.gz", ".parquet")):
        folder = path.parent if name.endswith(".h5") else path.parent.parent
        raise InputError(
            "one file of a Space Ranger run",
            expected="the folder that holds its matrix and its folder spatial",
            action=f"set the column expression to {folder}",
            section=section.sample,
            file=path,
        )
    if name.endswith(TABLES):
        return LEGACY
    if os.path.isfile(path):
        raise InputError(
            f"a file of type {path.suffix or 'unknown'}",
            expected="a Space Ranger outs folder, an .h5ad file, a SpatialData .zarr, or a counts table "
            "(.tsv, .csv, also .gz)",
            action="correct the column expression",
            section=section.sample,
            file=path,
        )
    return SPACE_RANGER


def _is_store(path: Path) -> bool:
    """Whether a folder without the ending is a zarr store of spatial elements."""
    return any(os.path.isfile(path / name) for name in ZARR_ROOT) and any(
        os.path.isdir(path / name) for name in ("tables", "table", "shapes")
    )


def _store_files(section: Section) -> dict[str, Path | list[Path]]:
    """The file that marks the store, and all files of the elements that may be read."""
    store = section.expression
    root = next((store / name for name in ZARR_ROOT if os.path.isfile(store / name)), store / ZARR_ROOT[0])
    if not os.path.isdir(store):
        return {"store": root, "elements": []}
    folders = [
        _element(section, store / kind, named, column)
        for kind, named, column in (("tables", section.table, "table"), ("shapes", section.region, "region"))
    ]
    elements = sorted(
        Path(parent) / name for folder in folders for parent, _, names in os.walk(folder) for name in names
    )
    return {"store": root, "elements": elements}


def _element(section: Section, folder: Path, named: str | None, column: str) -> Path:
    """The folder of the element that the sheet names, or of all."""
    present = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()) if folder.is_dir() else []
    if named is None and present:
        return folder
    if named in present:
        return folder / named
    raise InputError(
        f"no {folder.name}" if not present else f"no {named} among its {folder.name} ({', '.join(present)})",
        expected="a SpatialData store with a table of counts and the shapes of its spots",
        action=f"set the column {column} to one of them" if present else "export it with both",
        section=section.sample,
        file=section.expression,
    )
