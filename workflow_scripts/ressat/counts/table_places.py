"""Places and array of the spots of an AnnData table."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ressat.base.errors import InputError
from ressat.base.visium import PITCH_UM, SPACE_RANGER_SPOT_UM
from ressat.counts.array_lattice import HD_COLUMNS, array_pitch
from ressat.counts.spot_counts import SpotArray
from ressat.stats.neighbours import spot_pitch

VISIUM_BARCODE, HD_BARCODE = re.compile(r"[ACGT]{16}(-\d+)?"), re.compile(r"s_(\d{3})um_\d{5}_\d{5}(-\d+)?")
TRUE, FALSE = {"1", "1.0", "true"}, {"0", "0.0", "false"}


def tissue_known(obs: pd.DataFrame) -> np.ndarray:
    """Tell for which spots a table says whether they lie under tissue; for all if it has no in_tissue.

    Readers of others lose the row of a spot, and leave its in_tissue and place empty (squidpy's first row of
    tissue_positions.csv, say). Such a spot has no position.

    Returns
    -------
    numpy.ndarray
        Boolean, shape (spots,).

    Raises
    ------
    InputError
        If it says so of no spot.
    """
    if "in_tissue" not in obs:
        return np.ones(len(obs), dtype=bool)
    known = obs["in_tissue"].notna().to_numpy()
    if len(obs) and not known.any():
        raise InputError(
            "obs['in_tissue'] is empty for all spots",
            expected="0 or 1 in obs['in_tissue']",
            action="fill that column, or remove it if all spots lie under tissue",
        )
    return known


def tissue_and_array(obs: pd.DataFrame) -> pd.DataFrame:
    """Return in_tissue (1 if the table has none) and, where known, array_row and array_col.

    Parameters
    ----------
    obs
        Columns of the table, for spots of which `tissue_known` is true.

    Raises
    ------
    InputError
        If in_tissue is neither yes nor no.
    """
    places = pd.DataFrame({"in_tissue": 1}, index=pd.Index(obs.index.astype(str)))
    if "in_tissue" in obs:
        said = obs["in_tissue"].astype(str).str.strip().str.lower()
        odd = np.flatnonzero(~said.isin(TRUE | FALSE))
        if len(odd):
            raise InputError(
                f"{obs['in_tissue'].iloc[odd[0]]} as in_tissue of spot {places.index[odd[0]]}",
                expected="0 or 1 in obs['in_tissue']",
                action="correct or remove that column",
            )
        places["in_tissue"] = said.isin(TRUE).to_numpy().astype(int)
    try:
        array = {name: obs[name].astype(str).astype(float) for name in ("array_row", "array_col")}
    except (KeyError, ValueError):
        return places
    if all((values.abs() < 1e9).all() and (values % 1 == 0).all() for values in array.values()):
        places = places.assign(**{name: values.to_numpy().astype(int) for name, values in array.items()})
    return places


def platform(places: pd.DataFrame) -> tuple[str, int | None]:
    """Tell what array the spots belong to, from their barcodes and places in it.

    Returns
    -------
    str
        ``visium``, ``visium_hd`` or ``unknown``.
    int or None
        Edge of a bin of Visium HD, um.
    """
    names = places.index
    if len(names) and {"array_row", "array_col"} <= set(places.columns):
        bins = {match and match[1] for match in map(HD_BARCODE.fullmatch, names)}
        if len(bins) == 1 and None not in bins:
            return "visium_hd", int(bins.pop())
        is_even = ((places["array_row"] + places["array_col"]) % 2 == 0).all()
        if is_even and all(map(VISIUM_BARCODE.fullmatch, names)):
            return "visium", None
    return "unknown", None


def table_array(
    places: pd.DataFrame, factors: Mapping[str, object], spot_px: float | None = None
) -> SpotArray:
    """Return what is known about the array that the spots of a table lie on.

    Parameters
    ----------
    places
        As in `SpotCounts`.
    factors
        Space Ranger's scale factors as far as the table carries them.
    spot_px
        Diameter of a spot or edge of a bin, where that is known from elsewhere; level-0 pixels.
    """
    kind, bin_um = platform(places)
    spot_px = spot_px or _positive(factors, "spot_diameter_fullres")
    if kind == "unknown":
        pitch, pitch_um, spot_um = spot_pitch(places[["x", "y"]].to_numpy()), None, None
    elif bin_um:
        pitch, pitch_um, spot_um = array_pitch(places, HD_COLUMNS), float(bin_um), float(bin_um)
    else:
        pitch, pitch_um, spot_um = array_pitch(places), PITCH_UM, SPACE_RANGER_SPOT_UM
    return SpotArray(
        kind,
        pitch,
        spot_px or pitch / 2,
        pitch_um,
        spot_um if spot_px else None,
        mpp=_positive(factors, "microns_per_pixel"),
        hires_scale=_positive(factors, "tissue_hires_scalef"),
        lowres_scale=_positive(factors, "tissue_lowres_scalef"),
    )


def _positive(factors: Mapping[str, object], name: str) -> float | None:
    """A scale factor; None if it is missing or makes no sense."""
    try:
        value = float(np.asarray(factors[name]).item())
    except (KeyError, TypeError, ValueError):
        return None
    return value if 0 < value < np.inf else None
