"""Counts in a SpatialData store."""

import os
from collections.abc import Mapping
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.names import is_hidden
from ressat.counts.format import CountsFormat, Files
from ressat.counts.other_data import refuse_anndata_store

# Files at the root of a zarr store, of either version of the format.
ZARR_ROOT = ("zarr.json", ".zgroup", ".zattrs", ".zmetadata")
# Hidden files that belong to a store; others were left there by macOS and the like.
ZARR_HIDDEN = (".zgroup", ".zattrs", ".zmetadata", ".zarray")


class SpatialData(CountsFormat):
    """A zarr store with a table of counts and the shapes of its spots."""

    name = "spatialdata"
    title = "a SpatialData store (.zarr)"
    columns = frozenset({"layer", "table", "region", "subset"})
    words = "SpatialData stores"
    citation = (
        "Marconato et al. SpatialData: an open and universal data framework for spatial omics. "
        "Nat Methods 2025."
    )

    def recognises(self, path: Path) -> bool:
        """By the ending of its name, or by what is in the folder."""
        has_root = any(os.path.isfile(path / name) for name in ZARR_ROOT)
        elements = any(os.path.isdir(path / name) for name in ("tables", "table", "shapes"))
        return path.suffix.lower() == ".zarr" or (has_root and elements)

    def refuse_other(self, path: Path) -> None:
        """Say that a store is no file and has metadata; see `CountsFormat.refuse_other`."""
        is_file = os.path.isfile(path)
        if any(os.path.exists(path / name) for name in ZARR_ROOT):
            return
        raise InputError(
            "a file, and a store is a folder"
            if is_file
            else f"a folder without {' or '.join(ZARR_ROOT[:2])}",
            expected="the folder that SpatialData writes",
            action="unpack it if it is an archive"
            if is_file
            else "correct the path, or write the store again",
        )

    def files(self, path: Path, options: Mapping[str, str | int | Path]) -> Files:
        """Return the file that marks the store, and all files of the elements that may be read."""
        root = next((path / name for name in ZARR_ROOT if os.path.isfile(path / name)), path / ZARR_ROOT[0])
        if not os.path.isdir(path):
            return {"store": root, "elements": []}
        refuse_anndata_store(path)
        folders = [
            _element(path / kind, options.get(column), column)
            for kind, column in (("tables", "table"), ("shapes", "region"))
        ]
        elements = sorted(
            Path(parent) / name
            for folder in folders
            for parent, _, names in os.walk(folder)
            for name in names
            if not is_hidden(name) or name in ZARR_HIDDEN
        )
        return {"store": root, "elements": elements}


def _element(folder: Path, name: object, column: str) -> Path:
    """The folder of the element that the sheet names, or of all elements."""
    entries = os.scandir(folder) if folder.is_dir() else ()
    present = sorted(entry.name for entry in entries if entry.is_dir() and not is_hidden(entry.name))
    if name is None and present:
        return folder
    if name in present:
        return folder / str(name)
    raise InputError(
        f"no {folder.name}" if not present else f"no {name} among its {folder.name} ({', '.join(present)})",
        expected="a SpatialData store with a table of counts and the shapes of its spots",
        action=f"set the column {column} to one of them" if present else "export it with both",
    )


MEMBER = SpatialData()
