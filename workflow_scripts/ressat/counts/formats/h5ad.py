"""Counts in an AnnData file."""

from collections.abc import Mapping
from pathlib import Path

from ressat.counts.format import CountsFormat, Files


class H5ad(CountsFormat):
    """An .h5ad file with places in ``obsm['spatial']``."""

    name = "h5ad"
    title = "an .h5ad file"
    columns = frozenset({"layer", "subset"})
    words = "AnnData files"
    citation = "Virshup et al. anndata: access and store annotated data matrices. JOSS 2024."

    def recognises(self, path: Path) -> bool:
        """By the ending of its name."""
        return path.suffix.lower() == ".h5ad"

    def files(self, path: Path, options: Mapping[str, str | int | Path]) -> Files:
        """Return the file itself."""
        return {"h5ad": path}


MEMBER = H5ad()
