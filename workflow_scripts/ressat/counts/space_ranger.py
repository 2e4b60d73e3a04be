"""Counts and spot positions of Space Ranger: Visium, CytAssist and Visium HD."""

import re
from collections.abc import Mapping

import pandas as pd

from ressat.base import keys
from ressat.base.errors import InputError
from ressat.counts.array_lattice import HD_COLUMNS, VISIUM_PITCH_UM, VISIUM_SPOT_UM, array_pitch
from ressat.counts.spot_counts import SpotArray, SpotCounts
from ressat.counts.spot_positions import ScaleFactors, read_positions, read_scale_factors
from ressat.counts.tenx_matrix import read_h5_matrix, read_mtx_matrix


def read_space_ranger(
    section: str, files: Mapping[str, str], options: Mapping[str, object] | None = None
) -> SpotCounts:
    """Read the counts and spot positions of a Space Ranger run.

    Parameters
    ----------
    section
        The section's name.
    files
        matrix, positions and scalefactors; features and barcodes too where the matrix is not HDF5.
    options
        bin_um, the edge of the bins that the sheet asks for.

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
    factors = read_scale_factors(section, files["scalefactors"])
    _check_bins(section, files, factors, (options or {}).get("bin_um"))
    places = read_positions(section, files["positions"])
    if "features" in files:
        matrix = read_mtx_matrix(section, files["matrix"], files["features"], files["barcodes"])
    else:
        matrix = read_h5_matrix(section, files["matrix"])
    return SpotCounts(
        section=section,
        file=files["matrix"],
        spots=matrix.barcodes,
        genes=matrix.genes,
        counts=matrix.counts,
        places=places,
        array=_array(factors, places),
        found=len(matrix.barcodes),
        left_out={},
        features_left_out=matrix.other,
    )


def _check_bins(section: str, files: Mapping[str, str], factors: ScaleFactors, asked: int | None) -> None:
    """Hold the bin size of the scale factors against those of the sheet and of the folder's name."""
    match = re.search(keys.BIN_FOLDER, files["scalefactors"])
    named = {"bin_um": asked, "the folder": int(match[1]) if match else None}
    for source, size in named.items():
        if size is not None and size != factors.bin_um:
            raise InputError(
                f"a bin size of {factors.bin_um:g} um where {source} says {size}"
                if factors.bin_um
                else f"no bin_size_um where {source} says {size} um",
                expected="scale factors of Visium HD with this bin size",
                action="correct the columns bin_um and expression",
                section=section,
                file=files["scalefactors"],
            )


def _array(factors: ScaleFactors, places: pd.DataFrame) -> SpotArray:
    if factors.bin_um is None:
        platform, pitch = "visium", array_pitch(places)
        pitch_um, spot_um = VISIUM_PITCH_UM, VISIUM_SPOT_UM
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
