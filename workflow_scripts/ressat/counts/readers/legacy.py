"""Counts and spot positions of legacy Spatial Transcriptomics."""

from collections.abc import Mapping

import pandas as pd

from ressat.counts.ensembl import is_stable_id
from ressat.counts.legacy_tables import read_legacy_counts, read_legacy_spots
from ressat.counts.spot_counts import SpotArray, SpotCounts
from ressat.stats.neighbours import spot_pitch


def read_legacy(counts: str, spots: str) -> SpotCounts:
    """Read a counts table and a spot table.

    Parameters
    ----------
    counts, spots
        The two tables; see `read_legacy_counts` and `read_legacy_spots`.

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
    table = read_legacy_counts(counts)
    places = read_legacy_spots(spots)
    pitch = spot_pitch(places[["x", "y"]].to_numpy())
    ids = [name if is_stable_id(name) else None for name in table.genes]
    symbols = [None if ensembl else name for name, ensembl in zip(table.genes, ids, strict=True)]
    return SpotCounts(
        file=counts,
        spots=table.spots,
        genes=pd.DataFrame({"name": table.genes, "symbol": symbols, "ensembl": ids}, dtype=object),
        counts=table.counts,
        places=places,
        array=SpotArray("legacy", pitch, pitch / 2),
        total=len(table.spots),
        left_out={},
    )


def read(files: Mapping[str, object], options: Mapping[str, object]) -> SpotCounts:
    """See `ressat.counts.reading.read_counts`."""
    return read_legacy(str(files["counts"]), str(files["spots"]))


MEMBER = read
