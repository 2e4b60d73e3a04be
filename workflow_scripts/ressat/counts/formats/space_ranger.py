"""Counts of Space Ranger: Visium, CytAssist and Visium HD, of any of its versions."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.visium import BIN_FOLDER
from ressat.counts.format import CountsFormat, Files
from ressat.counts.other_data import refuse_other_folder
from ressat.counts.prefixed_files import PARTS, matrix_parts, prefix_of, refuse_two_samples, visible_names

# One file of a run, which the sheet may name by mistake.
ONE_FILE = (".h5", ".mtx", ".mtx.gz", ".parquet")
BINNED, SPATIAL = "binned_outputs", "spatial"
# The raw matrix only if there is no other: spots outside tissue are left out anyway.
MATRICES = ("filtered_feature_bc_matrix", "raw_feature_bc_matrix")
# The first one found is read: if a run has several, they say the same.
POSITIONS = (
    "tissue_positions.csv",
    "tissue_positions.csv.gz",
    "tissue_positions.parquet",
    "tissue_positions_list.csv",
    "tissue_positions_list.csv.gz",
)
# What `spaceranger aggr` writes instead, for several sections: its name is no download's prefix.
AGGREGATED = re.compile(r"aggr_tissue_positions|^(.*[_.-])?aggregation\.csv")
SCALEFACTORS = ("scalefactors_json.json", "scalefactors_json.json.gz")
# How names of these files end, after the prefix of a download.
ENDINGS = (
    *POSITIONS,
    *SCALEFACTORS,
    *(name for names in PARTS.values() for name in names),
    *MATRICES,
    *(f"{name}.h5" for name in MATRICES),
    SPATIAL,
)


class SpaceRanger(CountsFormat):
    """A folder of Space Ranger's outputs.

    The path is ``outs``, the folder above it, ``binned_outputs``, the folder of one bin size, or any folder
    that holds the files.
    """

    name = "space_ranger"
    title = "a folder of Space Ranger's outs"
    columns = frozenset({"bin_um", "subset"})
    words = "outputs of Space Ranger"
    citation = "10x Genomics. Space Ranger, support documentation."

    def recognises(self, path: Path) -> bool:
        """A folder, also one that is not there yet, or a single file of a run."""
        return not os.path.isfile(path) or path.name.lower().endswith(ONE_FILE)

    def refuse_other(self, path: Path) -> None:
        """Say what the folder is; see `CountsFormat.refuse_other`."""
        refuse_other_folder(path)

    def files(self, path: Path, options: Mapping[str, str | int | Path]) -> Files:
        """Return matrix, positions and scalefactors; features and barcodes too where the matrix is a folder.

        A missing file gets the name that current Space Ranger gives it. See `CountsFormat.files`.
        """
        if path.name.lower().endswith(ONE_FILE) and not os.path.isdir(path):
            folder = path.parent if path.name.lower().endswith(".h5") else path.parent.parent
            self.refuse_other(folder)
            raise InputError(
                "one file of a Space Ranger run",
                expected="the folder that holds its matrix and its folder spatial",
                action=f"set the column expression to {folder}",
            )
        if "=" in str(options.get("subset", "")):
            raise InputError(
                f"subset is {options['subset']}, and a matrix of Space Ranger has no columns of obs",
                expected="the ending of this section's barcodes, such as -2",
                action="correct the column subset",
            )
        bin_um = options.get("bin_um")
        folder = _folder(path, bin_um)
        places = (folder / SPATIAL, folder, *_prefixed(folder, SPATIAL))
        spatial = next((place for place in places if _holds(place, POSITIONS)), None)
        if spatial is None:
            _refuse_aggregated(folder)
        spatial = spatial or folder / SPATIAL
        scales = spatial if spatial == folder or _holds(spatial, SCALEFACTORS) else folder
        scalefactors = _find(scales, SCALEFACTORS) or spatial / SCALEFACTORS[0]
        positions = _find(spatial, POSITIONS) or spatial / POSITIONS[0]
        is_binned = re.fullmatch(BIN_FOLDER, folder.name) or positions.suffix == ".parquet"
        if bin_um is not None and not is_binned:
            self.refuse_other(path)
            raise InputError(
                f"bin_um is {bin_um}, and the folder is not one of Visium HD",
                expected=f"a folder {BINNED}, or bin_um empty",
                action="leave the column bin_um empty for this section, or correct the column expression",
            )
        files = {**_matrix(folder), "positions": positions, "scalefactors": scalefactors}
        refuse_two_samples(files, ENDINGS)
        return files


def _folder(path: Path, bin_um: int | None) -> Path:
    """The folder that holds matrix and positions."""
    if path.name in MATRICES and matrix_parts(path):
        raise InputError(
            "the folder of the matrix alone",
            expected="the folder that holds it and the folder spatial",
            action=f"set the column expression to {path.parent}",
        )
    match = re.fullmatch(BIN_FOLDER, path.name)
    if match:
        if bin_um not in (None, int(match[1])):
            raise InputError(
                f"bin_um is {bin_um}, and the folder is that of bins of {int(match[1])} um",
                expected="one bin size",
                action=f"correct the column bin_um, or set the column expression to {path.parent}",
            )
        return path
    inner = [path / BINNED, path / "outs" / BINNED, path]
    for binned in inner:
        bins = _bins(binned)
        if bins:
            return _bin(bin_um, bins)
    has_outs = os.path.isdir(path / "outs") and not os.path.isdir(path / "spatial")
    return path / "outs" if has_outs else path


def _refuse_aggregated(folder: Path) -> None:
    """Refuse outputs of ``spaceranger aggr``: one matrix and one table of positions for several sections."""
    present = sorted(visible_names(folder)) + sorted(visible_names(folder / "spatial"))
    file = next((name for name in present if AGGREGATED.search(name)), None)
    if file is not None:
        raise InputError(
            f"outs of spaceranger aggr, which joins several sections ({file})",
            expected="the outs of spaceranger count, of one section",
            action="set the column expression to that folder; a folder with aggr's matrix and this section's "
            "own spatial does too, with the ending of its barcodes, such as -2, in the column subset",
        )


def _bins(folder: Path) -> dict[int, Path]:
    """Folders of bins by their edge in um."""
    matches = {name: re.fullmatch(BIN_FOLDER, name) for name in visible_names(folder)}
    return {
        int(match[1]): folder / name
        for name, match in matches.items()
        if match and os.path.isdir(folder / name)
    }


def _bin(bin_um: int | None, bins: dict[int, Path]) -> Path:
    if bin_um in bins:
        return bins[bin_um]
    if bin_um is None and len(bins) == 1:
        return next(iter(bins.values()))
    sizes = ", ".join(str(size) for size in sorted(bins))
    raise InputError(
        f"Visium HD with bins of {sizes} um, and bin_um is {bin_um or 'empty'}",
        expected="the column bin_um, naming one of these",
        action=f"set bin_um to {8 if 8 in bins else max(bins)}"
        if bin_um is None
        else "correct the column bin_um",
    )


def _matrix(folder: Path) -> dict[str, Path]:
    """The h5 file, or the three files of a matrix that is a folder; the filtered one where there are both."""
    for name in MATRICES:
        file = _find(folder, (f"{name}.h5",))
        if file:
            return {"matrix": file}
        parts = _find(folder, (name,))
        if parts and os.path.isdir(parts):
            # Of an empty folder, the files that it should hold.
            return matrix_parts(parts) or {part: parts / names[0] for part, names in PARTS.items()}
    parts = matrix_parts(folder)
    packed = None if parts else _find(folder, tuple(f"{name}.h5.gz" for name in MATRICES))
    if packed:
        raise InputError(
            "a gzipped HDF5 file, which cannot be read as it is",
            expected=f"the matrix unpacked, {packed.name.removesuffix('.gz')}",
            action="unpack it (gunzip)",
            file=packed,
        )
    return parts or {"matrix": folder / f"{MATRICES[0]}.h5"}


def _prefixed(folder: Path, name: str) -> list[Path]:
    """The folder of that name with a prefix before it; none if there are several."""
    alike = [other for other in sorted(visible_names(folder)) if prefix_of(other, [name])]
    folders = [folder / other for other in alike if os.path.isdir(folder / other)]
    return folders if len(folders) == 1 else []


def _holds(folder: Path, names: tuple[str, ...]) -> bool:
    return _find(folder, names) is not None


def _find(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The first of the names in a folder; else the one file with a prefix before it, as in downloads."""
    present = visible_names(folder)
    for name in names:
        if name in present:
            return folder / name
    for name in names:
        alike = sorted(
            other for other in present if prefix_of(other, [name]) and not AGGREGATED.search(other)
        )
        if len(alike) > 1:
            raise InputError(
                f"{len(alike)} files that may be meant, {', '.join(alike[:3])}",
                expected=f"one {name}",
                action="give each section a folder of its own",
                file=folder,
            )
        if alike:
            return folder / alike[0]
    return None


MEMBER = SpaceRanger()
