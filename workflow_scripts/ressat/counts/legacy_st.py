"""Counts and spot positions of legacy Spatial Transcriptomics."""

from collections.abc import Mapping

import pandas as pd

from ressat.counts.ensembl import is_stable_id
from ressat.counts.legacy_tables import read_legacy_counts, read_legacy_spots
from ressat.counts.spot_counts import SpotArray, SpotCounts
from ressat.stats.neighbours import spot_pitch


def read_legacy(section: str, files: Mapping[str, str]) -> SpotCounts:
    """Read a counts table and a spot table.

    Parameters
    ----------
    section
        The section's name.
    files
        counts and spots; see `read_legacy_counts` and `read_legacy_spots`.

    Returns
    -------
    SpotCounts
        All spots of the counts, unchecked. The array's pitch in um is not known: there are arrays of 200 um
        and of 150 um.

    Raises
    ------
    InputError
        If a table is not what it should be.
    """
    table = read_legacy_counts(section, files["counts"])
    places = read_legacy_spots(section, files["spots"])
    pitch = spot_pitch(places[["x", "y"]].to_numpy())
    ids = [name if is_stable_id(name) else None for name in table.genes]
    symbols = [None if found else name for name, found in zip(table.genes, ids, strict=True)]
    return SpotCounts(
        section=section,
        file=files["counts"],
        spots=table.spots,
        genes=pd.DataFrame({"name": table.genes, "symbol": symbols, "ensembl": ids}, dtype=object),
        counts=table.counts,
        places=places,
        array=SpotArray("legacy", pitch, pitch / 2),
        found=len(table.spots),
        left_out={},
    )
