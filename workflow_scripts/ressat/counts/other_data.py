"""What a path is that holds no counts which can be read, as far as names tell. Standard library only."""

import os
import re
from pathlib import Path

from ressat.base.errors import InputError

CELLS = "segmented_outputs"
BINS = "binned_outputs"
_OUTS = "give Space Ranger's outs folder, or an .h5ad file"
_UNPACK = "unpack it, and set the column expression to the folder or file in it"
_R = (
    "in R, write the raw counts and the spots' pixels to an .h5ad file, for example with the package anndataR"
)
_H5AD = "write the raw counts, with the spots' pixels in obsm['spatial'], to an .h5ad file"
# By the ending of a file's name: what it is, and what to do.
_FILES = {
    (".rds", ".rda", ".rdata", ".robj", ".qs"): ("an R object, which only R reads", _R),
    (".h5seurat",): ("a Seurat object, which only R reads", _R),
    (".loom",): ("a loom file", _H5AD),
    (".h5mu",): ("a MuData file of several modalities", _H5AD),
    (".gef", ".gem", ".gem.gz"): ("counts of Stereo-seq", _H5AD),
    (".h5ad.gz", ".h5.gz", ".h5ad.zip"): ("a packed HDF5 file", "unpack it"),
    (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar"): ("an archive", _UNPACK),
    (".bz2", ".xz", ".zst"): ("a packed file", "unpack it, or pack it with gzip"),
    (".xls", ".xlsx", ".ods"): (
        "a spreadsheet, which changes names of genes into dates",
        "save the table that it was made of as .tsv or .csv",
    ),
    (".cloupe",): ("a file of Loupe Browser", _OUTS),
    (".bam", ".fastq", ".fastq.gz", ".fq.gz"): ("reads", "run spaceranger count, and give its outs folder"),
    (".geojson",): ("outlines of cells", _OUTS),
    (".pkl", ".pickle"): ("a Python object, which may run code", _H5AD),
}
# Files of other machines, by the end of their names.
_ASSAYS = {
    "Xenium": ("experiment.xenium", "cell_feature_matrix.h5", "cell_feature_matrix", "transcripts.parquet"),
    "MERSCOPE": ("cell_by_gene.csv", "detected_transcripts.csv"),
    "CosMx": ("exprMat_file.csv", "exprMat_file.csv.gz"),
}
# Files of segmented cells.
_CELL_FILES = (
    "cell_segmentations.geojson",
    "nucleus_segmentations.geojson",
    "feature_cell_matrix.h5",
    "feature_cell_matrix",
)


def refuse_other_file(path: Path) -> None:
    """Refuse a file of another kind by the ending of its name.

    Raises
    ------
    InputError
        If it is of a known kind; says which, and what to give in its place.
    """
    name = path.name.lower()
    for endings, (kind, action) in _FILES.items():
        if name.endswith(endings) and not os.path.isdir(path):
            raise InputError(kind, expected="counts in a form that can be read here", action=action)


def refuse_other_folder(folder: Path) -> None:
    """Refuse a folder in which files of Space Ranger's outs are missing, if it can be told what it is.

    Parameters
    ----------
    folder
        As the sheet gives it.

    Raises
    ------
    InputError
        If it is known what the folder holds; says what, and what to give in its place.
    """
    refuse_anndata_store(folder)
    for place in (folder, folder / "outs"):
        _refuse_cells(place)
        _refuse_other_assay(place)
    names = _names(folder)
    if any(map(_is_positions, names)) and not _has_matrix(names):
        above = folder.parent
        raise InputError(
            "places without counts: no matrix in this folder",
            expected="the folder that holds the matrix and the folder spatial",
            action=f"set the column expression to {above}"
            if folder.name == "spatial" and _has_matrix(_names(above))
            else "put filtered_feature_bc_matrix.h5 of the same run there",
        )
    runs = [name for name in sorted(names) if name != "outs" and _is_run(folder / name)]
    if runs:
        raise InputError(
            f"a folder of {len(runs)} runs of Space Ranger ({', '.join(runs[:5])})"
            if len(runs) > 1
            else f"a folder in which {runs[0]} is a run of Space Ranger",
            expected="the folder of one section",
            action=f"set the column expression to {folder / runs[0]}"
            + (" or another of them" if len(runs) > 1 else ""),
        )
    for place in (folder, folder / "outs"):
        _refuse_no_places(place)


def refuse_anndata_store(folder: Path) -> None:
    """Refuse an AnnData object that is stored as zarr.

    Raises
    ------
    InputError
        If it is one.
    """
    if {"obs", "var"} <= _names(folder):
        raise InputError(
            "an AnnData object in zarr",
            expected="an .h5ad file, or a SpatialData store with a table and shapes",
            action="write it as .h5ad (anndata.read_zarr, then write_h5ad), and give that file",
        )


def _refuse_cells(folder: Path) -> None:
    """Refuse segmented cells of Visium HD, which Space Ranger writes from version 4 on."""
    inner = folder / CELLS
    outs, names = (folder, _names(inner)) if os.path.isdir(inner) else (folder.parent, _names(folder))
    if not any(name.endswith(_CELL_FILES) for name in names):
        return
    has_bins = any(re.fullmatch(r"square_\d{3}um", name) for name in _names(outs / BINS))
    raise InputError(
        f"{CELLS} of Space Ranger 4: counts of segmented cells, which are not read, as cells are no spots",
        expected=f"the bins of the same section, in {BINS}",
        action=f"set the column expression to {outs} and bin_um to 8"
        if has_bins
        else f"give an outs folder with {BINS}, which spaceranger count writes too, and bin_um",
    )


def _refuse_other_assay(folder: Path) -> None:
    """Refuse outputs of other machines, and of Cell Ranger."""
    names = _names(folder)
    for assay, endings in _ASSAYS.items():
        if any(name.endswith(endings) for name in names):
            raise InputError(
                f"outputs of {assay}, which measures cells and molecules, not spots",
                expected="counts of spots or bins: Visium, Visium HD or legacy Spatial Transcriptomics",
                action="sum the transcripts in spots or bins, and write these to an .h5ad file, or leave the "
                "section out",
            )
    if "per_sample_outs" in names or "vdj_reference" in names:
        raise InputError(
            "outputs of cellranger multi: dissociated cells, which have no places on a slide",
            expected="outputs of spaceranger count",
            action=_OUTS,
        )
    if any(name.endswith("probe_bc_matrix.h5") for name in names) and not _has_matrix(names):
        raise InputError(
            "counts of probes alone",
            expected="counts of genes, filtered_feature_bc_matrix.h5",
            action="add that file of the same run",
        )


def _refuse_no_places(folder: Path) -> None:
    """Refuse a matrix alone: of Cell Ranger, or a download of which the other part is missing."""
    names = _names(folder)
    if _has_matrix(names) and "spatial" not in names and not any(map(_is_positions, names)):
        raise InputError(
            "counts without places: no folder spatial beside the matrix",
            expected="outs of spaceranger count (those of cellranger are of cells that have no places)",
            action="put the folder spatial of the same run beside the matrix (in downloads, spatial.tar.gz)",
        )


def _has_matrix(names: set[str]) -> bool:
    return any(
        name.endswith(("feature_bc_matrix.h5", "feature_bc_matrix", "matrix.mtx", "matrix.mtx.gz"))
        for name in names
    )


def _is_positions(name: str) -> bool:
    return "tissue_positions" in name


def _is_run(folder: Path) -> bool:
    for place in (folder, folder / "outs"):
        names = _names(place)
        if BINS in names or ("spatial" in names and _has_matrix(names)):
            return True
    return False


def _names(folder: Path) -> set[str]:
    """Names in a folder, without hidden ones; none if it is not there or may not be read."""
    try:
        return {name for name in os.listdir(folder) if not name.startswith(".")}
    except (OSError, ValueError):
        return set()
