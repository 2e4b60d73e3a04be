"""Counts of legacy Spatial Transcriptomics: two tables of text."""

import os
from collections.abc import Mapping
from pathlib import Path

from ressat.base.errors import InputError
from ressat.counts.format import CountsFormat, Files

TABLES = (".tsv", ".tsv.gz", ".csv", ".csv.gz", ".txt", ".txt.gz")


class Legacy(CountsFormat):
    """A counts table, and a spot table that the column ``spots`` names."""

    name = "legacy"
    title = "a counts table (.tsv, .csv, also .gz)"
    columns = frozenset({"spots"})
    words = "tables of Spatial Transcriptomics"
    citation = (
        "Ståhl et al. Visualization and analysis of gene expression in tissue sections by spatial "
        "transcriptomics. Science 2016."
    )

    def recognises(self, path: Path) -> bool:
        """By the ending of its name."""
        return path.name.lower().endswith(TABLES) and not os.path.isdir(path)

    def files(self, path: Path, options: Mapping[str, str | int | Path]) -> Files:
        """Return both tables."""
        if "spots" not in options:
            raise InputError(
                "a counts table without a spot table",
                expected="the column spots, naming the table with each spot's pixel_x and pixel_y",
                action="add it to the sheet",
            )
        return {"counts": path, "spots": options["spots"]}


MEMBER = Legacy()
