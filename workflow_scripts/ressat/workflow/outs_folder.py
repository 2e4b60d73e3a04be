"""Where the files of a Space Ranger run lie, in any of its versions. Standard library only."""

import os
import re
from pathlib import Path

from ressat.base import keys
from ressat.base.errors import InputError
from ressat.workflow.sheet import Section

BINNED = "binned_outputs"
# The raw one where there is no other: spots outside tissue are left out of it anyway.
MATRICES = ("filtered_feature_bc_matrix", "raw_feature_bc_matrix")
# In this order: a run that has several says the same in each.
POSITIONS = (
    "tissue_positions.csv",
    "tissue_positions.csv.gz",
    "tissue_positions.parquet",
    "tissue_positions_list.csv",
    "tissue_positions_list.csv.gz",
)
SCALEFACTORS = ("scalefactors_json.json", "scalefactors_json.json.gz")
# Files of a matrix that is a folder; features were called genes at first.
PARTS = {
    "matrix": ("matrix.mtx.gz", "matrix.mtx"),
    "features": ("features.tsv.gz", "features.tsv", "genes.tsv.gz", "genes.tsv"),
    "barcodes": ("barcodes.tsv.gz", "barcodes.tsv"),
}


def outs_files(section: Section) -> dict[str, Path]:
    """Find the matrix, the positions and the scale factors of a Space Ranger run.

    Parameters
    ----------
    section
        Its ``expression`` is ``outs``, the folder above it, ``binned_outputs``, the folder of one bin size,
        or any folder that holds the files.

    Returns
    -------
    dict of str, Path
        matrix, positions and scalefactors; features and barcodes too where the matrix is a folder. What is
        not there goes by the name that today's Space Ranger gives it.

    Raises
    ------
    InputError
        If the bin size is not said, not there, or not of Visium HD, or two files might be meant.
    """
    folder = _folder(section)
    spatial = next((path for path in (folder / "spatial", folder) if _holds(section, path, POSITIONS)), None)
    spatial = spatial or folder / "spatial"
    scales = spatial if spatial == folder or _holds(section, spatial, SCALEFACTORS) else folder
    scalefactors = _find(section, scales, SCALEFACTORS) or spatial / SCALEFACTORS[0]
    positions = _find(section, spatial, POSITIONS) or spatial / POSITIONS[0]
    is_binned = re.fullmatch(keys.BIN_FOLDER, folder.name) or positions.suffix == ".parquet"
    if section.bin_um is not None and not is_binned:
        raise InputError(
            f"bin_um is {section.bin_um}, and the folder is not one of Visium HD",
            expected=f"a folder {BINNED}, or bin_um empty",
            action="leave the column bin_um empty for this section, or correct the column expression",
            section=section.sample,
            file=section.expression,
        )
    return {**_matrix(section, folder), "positions": positions, "scalefactors": scalefactors}


def _folder(section: Section) -> Path:
    """The folder that holds matrix and positions."""
    path = section.expression
    if path.name in MATRICES and _is_matrix(path):
        raise InputError(
            "the folder of the matrix alone",
            expected="the folder that holds it and the folder spatial",
            action=f"set the column expression to {path.parent}",
            section=section.sample,
            file=path,
        )
    named = re.fullmatch(keys.BIN_FOLDER, path.name)
    if named:
        if section.bin_um not in (None, int(named[1])):
            raise InputError(
                f"bin_um is {section.bin_um}, and the folder is that of bins of {int(named[1])} um",
                expected="one bin size",
                action=f"correct the column bin_um, or set the column expression to {path.parent}",
                section=section.sample,
                file=path,
            )
        return path
    inner = [path / BINNED, path / "outs" / BINNED, path]
    for binned in inner:
        bins = _bins(binned)
        if bins:
            return _bin(section, bins)
    has_outs = os.path.isdir(path / "outs") and not os.path.isdir(path / "spatial")
    return path / "outs" if has_outs else path


def _bins(folder: Path) -> dict[int, Path]:
    """Folders of bins by their edge in um."""
    matches = {name: re.fullmatch(keys.BIN_FOLDER, name) for name in _names(folder)}
    return {
        int(match[1]): folder / name
        for name, match in matches.items()
        if match and os.path.isdir(folder / name)
    }


def _bin(section: Section, bins: dict[int, Path]) -> Path:
    if section.bin_um in bins:
        return bins[section.bin_um]
    if section.bin_um is None and len(bins) == 1:
        return next(iter(bins.values()))
    sizes = ", ".join(str(size) for size in sorted(bins))
    raise InputError(
        f"Visium HD with bins of {sizes} um, and bin_um is {section.bin_um or 'empty'}",
        expected="the column bin_um, naming one of these",
        action=f"set bin_um to {8 if 8 in bins else max(bins)}"
        if section.bin_um is None
        else "correct the column bin_um",
        section=section.sample,
        file=section.expression,
    )


def _matrix(section: Section, folder: Path) -> dict[str, Path]:
    """The h5 file, or the three files of a matrix that is a folder; the filtered one where there are both."""
    for name in MATRICES:
        file = _find(section, folder, (f"{name}.h5",))
        if file:
            return {"matrix": file}
        parts = _find(section, folder, (name,))
        if parts and os.path.isdir(parts):
            return {
                part: next((parts / name for name in names if os.path.exists(parts / name)), parts / names[0])
                for part, names in PARTS.items()
            }
    if _is_matrix(folder):
        return {part: _find(section, folder, names) for part, names in PARTS.items()}
    return {"matrix": folder / f"{MATRICES[0]}.h5"}


def _is_matrix(folder: Path) -> bool:
    """Whether the three files of a matrix lie in a folder."""
    names = _names(folder)
    return all(any(name in names for name in known) for known in PARTS.values())


def _holds(section: Section, folder: Path, names: tuple[str, ...]) -> bool:
    return _find(section, folder, names) is not None


def _find(section: Section, folder: Path, names: tuple[str, ...]) -> Path | None:
    """The first of the names in a folder; else the one file with a prefix, as downloads have it."""
    present = _names(folder)
    for name in names:
        if name in present:
            return folder / name
    for name in names:
        found = sorted(other for other in present if other.endswith((f"_{name}", f"-{name}", f".{name}")))
        if len(found) > 1:
            raise InputError(
                f"{len(found)} files that may be meant, {', '.join(found[:3])}",
                expected=f"one {name}",
                action="give each section a folder of its own",
                section=section.sample,
                file=folder,
            )
        if found:
            return folder / found[0]
    return None


def _names(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except (OSError, ValueError):  # not there, no folder, not to be entered, or no name at all
        return set()
