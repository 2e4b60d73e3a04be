"""Counts and spot positions of Space Ranger: Visium, CytAssist and Visium HD."""

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from ressat.base.errors import InputError, about
from ressat.base.visium import BIN_FOLDER, PITCH_UM, SPACE_RANGER_SPOT_UM
from ressat.counts.array_lattice import HD_COLUMNS, array_pitch
from ressat.counts.barcodes import barcode_parts, endings
from ressat.counts.one_section import refuse_several_sections
from ressat.counts.spot_counts import SpotArray, SpotCounts
from ressat.counts.spot_positions import ScaleFactors, read_positions, read_scale_factors
from ressat.counts.subset import rows_with_ending, subset_rows
from ressat.counts.tenx_matrix import Matrix, read_h5_matrix, read_mtx_matrix

COUNT_FOLDER = "give the outs folder of spaceranger count of this section"


def read_space_ranger(
    files: Mapping[str, str], bin_um: int | None = None, subset: str | None = None
) -> SpotCounts:
    """Read the counts and spot positions of a Space Ranger run.

    Parameters
    ----------
    files
        matrix, positions and scalefactors; features and barcodes too where the matrix is not HDF5.
    bin_um
        Edge of the bins that the sheet asks for, um.
    subset
        The ending of this section's barcodes in a matrix of several sections; None for all barcodes.

    Returns
    -------
    SpotCounts
        All spots of the matrix or part, unchecked. Those of a part have the names of the positions.

    Raises
    ------
    InputError
        If a file is not what Space Ranger writes, the bins are of another size than the sheet or the folder
        says, or there are several sections; see `refuse_several_sections`.
    """
    factors = read_scale_factors(files["scalefactors"])
    with about(file=files["scalefactors"]):
        _refuse_other_bins(files["scalefactors"], factors, bin_um)
    places = read_positions(files["positions"])
    if "features" in files:
        matrix = read_mtx_matrix(files["matrix"], files["features"], files["barcodes"])
    else:
        matrix = read_h5_matrix(files["matrix"])
    with about(file=files["matrix"]):
        if subset is not None:
            rows = np.flatnonzero(subset_rows(subset, matrix.barcodes, pd.DataFrame()))
            matrix = replace(matrix, barcodes=matrix.barcodes[rows], counts=matrix.counts[rows])
        _refuse_several(matrix.barcodes, pd.DataFrame(index=matrix.barcodes), subset)
    with about(file=files["positions"]):
        if subset is not None:
            places = _places_of_part(places, subset)
        _refuse_several(places.index, places, subset)
        array = _array(factors, places)
    if subset is not None:
        matrix = _named_by_places(matrix, places)
    return SpotCounts(
        file=files["matrix"],
        spots=matrix.barcodes,
        genes=matrix.genes,
        counts=matrix.counts,
        places=places,
        array=array,
        total=len(matrix.barcodes),
        left_out={},
        features_left_out=matrix.other,
    )


def _refuse_several(names: pd.Index, places: pd.DataFrame, subset: str | None) -> None:
    refuse_several_sections(names, places, pd.DataFrame(index=names), subset=subset, action=COUNT_FOLDER)


def _places_of_part(places: pd.DataFrame, subset: str) -> pd.DataFrame:
    """Places of the barcodes with this ending, where the positions are of several sections too."""
    parts = barcode_parts(places.index)
    if parts is None or endings(parts).nunique() == 1:
        return places
    return places[rows_with_ending(subset, places.index)]


def _named_by_places(matrix: Matrix, places: pd.DataFrame) -> Matrix:
    """Name the spots as the positions do: a section's own have other endings than a matrix of several."""
    own, others = barcode_parts(places.index), barcode_parts(matrix.barcodes)
    if own is None or others is None:
        return matrix
    names = pd.Series(places.index, index=own["place"])
    named = others["place"].map(names)
    return replace(matrix, barcodes=pd.Index(named.where(named.notna(), matrix.barcodes), dtype=object))


def _refuse_other_bins(file: str, factors: ScaleFactors, bin_um: int | None) -> None:
    """Refuse scale factors whose bin size is not that of the sheet and of the folder's name."""
    match = re.search(BIN_FOLDER, file)
    sizes = {"bin_um": bin_um, "the folder": int(match[1]) if match else None}
    for source, size in sizes.items():
        if size is not None and size != factors.bin_um:
            raise InputError(
                f"a bin size of {factors.bin_um:g} um where {source} says {size}"
                if factors.bin_um
                else f"no bin_size_um where {source} says {size} um",
                expected="scale factors of Visium HD with this bin size",
                action="correct the columns bin_um and expression",
            )


def _array(factors: ScaleFactors, places: pd.DataFrame) -> SpotArray:
    if factors.bin_um is None:
        platform, pitch = "visium", array_pitch(places)
        pitch_um, spot_um = PITCH_UM, SPACE_RANGER_SPOT_UM
    else:
        platform, pitch = "visium_hd", array_pitch(places, HD_COLUMNS)
        pitch_um = spot_um = factors.bin_um
    return SpotArray(
        platform,
        pitch,
        factors.spot_px,
        pitch_um,
        spot_um,
        factors.mpp,
        factors.hires_scale,
        factors.lowres_scale,
    )


def read(files: Mapping[str, object], options: Mapping[str, object]) -> SpotCounts:
    """See `ressat.counts.reading.read_counts`."""
    return read_space_ranger({name: str(file) for name, file in files.items()}, **options)


MEMBER = read
