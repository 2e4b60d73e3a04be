"""Counts and spot positions of an AnnData file."""

from collections.abc import Mapping

import anndata
import numpy as np
import pandas as pd

from ressat.base.errors import InputError
from ressat.counts.annotated import platform, read_values, tissue_and_array
from ressat.counts.array_lattice import HD_COLUMNS, VISIUM_PITCH_UM, VISIUM_SPOT_UM, array_pitch
from ressat.counts.spot_counts import SpotArray, SpotCounts
from ressat.counts.text_cells import refuse_repeated
from ressat.stats.neighbours import spot_pitch


def read_h5ad(section: str, files: Mapping[str, str], options: Mapping[str, object]) -> SpotCounts:
    """Read raw counts, and level-0 pixels in ``obsm['spatial']``.

    Parameters
    ----------
    section
        The section's name.
    files
        h5ad.
    options
        layer, that of the counts; X without.

    Returns
    -------
    SpotCounts
        All spots of the file, unchecked but for the values. The array's pitch in um is known where barcodes
        and array positions are those of Visium or Visium HD.

    Raises
    ------
    InputError
        If the file is damaged or no AnnData, has no places, holds several sections, or its values are no
        counts; see `read_values`.
    """
    file = files["h5ad"]
    try:
        adata = anndata.read_h5ad(file)
    except Exception as error:  # anndata and h5py raise many kinds for a file that is not what it says
        raise InputError(
            f"it cannot be read as AnnData ({error})",
            expected="an .h5ad file",
            action="write it again",
            section=section,
            file=file,
        ) from error
    counts, genes = read_values(section, file, adata, options.get("layer"))
    places = tissue_and_array(section, file, adata.obs)
    refuse_repeated(section, file, places.index)
    coords = _coordinates(section, file, adata)
    places = places.assign(x=coords[:, 0], y=coords[:, 1])
    return SpotCounts(
        section=section,
        file=file,
        spots=places.index,
        genes=genes,
        counts=counts,
        places=places,
        array=table_array(places, _scale_factors(section, file, adata)),
        found=len(places),
        left_out={},
    )


def table_array(
    places: pd.DataFrame, factors: Mapping[str, object], spot_px: float | None = None
) -> SpotArray:
    """Say what is known of the array that the spots of a table lie on.

    Parameters
    ----------
    places
        Of `SpotCounts`.
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
        pitch, pitch_um, spot_um = array_pitch(places), VISIUM_PITCH_UM, VISIUM_SPOT_UM
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


def _coordinates(section: str, file: str, adata: anndata.AnnData) -> np.ndarray:
    try:
        coords = np.asarray(adata.obsm["spatial"], dtype=float)[:, :2]
    except (KeyError, TypeError, ValueError, IndexError):
        coords = np.empty((0, 0))
    if coords.shape != (adata.n_obs, 2) or not np.isfinite(coords).all():
        raise InputError(
            "no obsm['spatial'] of two numbers per spot",
            expected="x and y in full-resolution pixels in obsm['spatial']",
            action="add them",
            section=section,
            file=file,
        )
    return coords


def _scale_factors(section: str, file: str, adata: anndata.AnnData) -> Mapping[str, object]:
    """Those of the file's one library; refuses several sections in a file."""
    libraries = adata.uns.get("spatial")
    libraries = dict(libraries) if isinstance(libraries, Mapping) else {}
    used = set(adata.obs["library_id"].astype(str)) if "library_id" in adata.obs else set()
    if len(used) > 1:
        raise InputError(
            f"{len(used)} sections in one file ({', '.join(sorted(used)[:5])})",
            expected="one section per file, since places are pixels of one slide",
            action="write a file for each obs['library_id'], and give each a row of the sheet",
            section=section,
            file=file,
        )
    named = [libraries[name] for name in libraries if len(libraries) == 1 or {name} == used]
    factors = named[0].get("scalefactors") if len(named) == 1 and isinstance(named[0], Mapping) else None
    return factors if isinstance(factors, Mapping) else {}


def _positive(factors: Mapping[str, object], name: str) -> float | None:
    """A scale factor; None where there is none that makes sense."""
    try:
        value = float(np.asarray(factors[name]).item())
    except (KeyError, TypeError, ValueError):
        return None
    return value if 0 < value < np.inf else None
