"""Counts and spot positions of Space Ranger: Visium, CytAssist and Visium HD."""

import re
from collections.abc import Mapping

import pandas as pd

from ressat.base.errors import InputError, about
from ressat.base.visium import BIN_FOLDER, PITCH_UM, SPACE_RANGER_SPOT_UM
from ressat.counts.array_lattice import HD_COLUMNS, array_pitch
from ressat.counts.spot_counts import SpotArray, SpotCounts
from ressat.counts.spot_positions import ScaleFactors, read_positions, read_scale_factors
from ressat.counts.tenx_matrix import read_h5_matrix, read_mtx_matrix


def read_space_ranger(files: Mapping[str, str], bin_um: int | None = None) -> SpotCounts:
    """Read the counts and spot positions of a Space Ranger run.

    Parameters
    ----------
    files
        matrix, positions and scalefactors; features and barcodes too where the matrix is not HDF5.
    bin_um
        Edge of the bins that the sheet asks for, um.

    Returns
    -------
    SpotCounts
        All spots of the matrix, unchecked.

    Raises
    ------
    InputError
        If a file is not what Space Ranger writes, or the bins are of another size than the sheet or the
        folder says.
    """
    factors = read_scale_factors(files["scalefactors"])
    with about(file=files["scalefactors"]):
        _refuse_other_bins(files["scalefactors"], factors, bin_um)
    places = read_positions(files["positions"])
    if "features" in files:
        matrix = read_mtx_matrix(files["matrix"], files["features"], files["barcodes"])
    else:
        matrix = read_h5_matrix(files["matrix"])
    return SpotCounts(
        file=files["matrix"],
        spots=matrix.barcodes,
        genes=matrix.genes,
        counts=matrix.counts,
        places=places,
        array=_array(factors, places),
        total=len(matrix.barcodes),
        left_out={},
        features_left_out=matrix.other,
    )


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
    return read_space_ranger({name: str(file) for name, file in files.items()}, options.get("bin_um"))


MEMBER = read
