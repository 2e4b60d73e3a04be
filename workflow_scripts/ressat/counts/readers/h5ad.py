"""Counts and spot positions of an AnnData file."""

import logging
from collections.abc import Mapping

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy import sparse

from ressat.base.errors import InputError, about_its_file
from ressat.base.hdf5_content import opened_hdf5
from ressat.base.machine import refuse_trouble
from ressat.counts.anndata_parts import read_parts
from ressat.counts.anndata_table import names_elsewhere, read_values, refuse_damaged_matrices
from ressat.counts.barcodes import plain_names
from ressat.counts.hdf5_kind import ANNDATA, refuse_no_hdf5, refuse_other_hdf5
from ressat.counts.one_section import refuse_several_sections
from ressat.counts.spot_counts import SpotCounts
from ressat.counts.subset import subset_rows
from ressat.counts.table_places import FALSE, table_array, tissue_and_array, tissue_known
from ressat.counts.text_cells import refuse_repeated

logger = logging.getLogger("ressat")

# Where others keep places: beginnings of keys of obsm, and columns of obs, x first.
OTHER_KEYS = ("x_spatial", "spatial_", "coordinates", "coords")
OTHER_COLUMNS = (
    ("imagecol", "imagerow"),
    ("pxl_col_in_fullres", "pxl_row_in_fullres"),
    ("x", "y"),
    ("x_pixel", "y_pixel"),
    ("pixel_x", "pixel_y"),
)


@about_its_file
def read_h5ad(file: str, layer: str | None = None, subset: str | None = None) -> SpotCounts:
    """Read raw counts, and level-0 pixels in ``obsm['spatial']``.

    Parameters
    ----------
    file
        The .h5ad file.
    layer
        The layer of the counts; None for X.
    subset
        The part of the file that is the section; see `subset_rows`. None for all of it.

    Returns
    -------
    SpotCounts
        All spots of the file or part, unchecked except for the values. The array's pitch in um is known where
        barcodes and array positions are those of Visium or Visium HD.

    Raises
    ------
    InputError
        If the file is damaged or not AnnData, has no places, holds several sections, or its values are not
        counts; see `read_values` and `refuse_several_sections`.
    """
    try:
        with opened_hdf5(file) as content:  # for what it refuses; anndata opens it itself
            refuse_other_hdf5(content, ANNDATA)
            adata = _read(file, content, layer)
    except InputError:
        raise
    except Exception as error:  # anndata and h5py raise many kinds of errors for a broken file
        refuse_trouble(error)
        refuse_no_hdf5(file, ANNDATA)
        raise InputError(
            f"it cannot be read as AnnData ({error})",
            expected="an .h5ad file",
            action="write it again",
        ) from error
    refuse_damaged_matrices(adata)
    if subset is None:
        _refuse_joint(adata.uns)
    counts, genes = read_values(adata, layer)
    rows = subset_rows(subset, adata.obs_names.astype(str), adata.obs)
    obs = adata.obs[rows]
    coords = _coordinates(adata, rows)
    spots = pd.Index(obs.index.astype(str))
    placed = np.isfinite(coords).all(axis=1) & tissue_known(obs)
    places = tissue_and_array(obs[placed]).assign(x=coords[placed, 0], y=coords[placed, 1])
    refuse_several_sections(
        places.index, places, obs[placed], subset=subset, action="write each section to a file of its own"
    )
    refuse_repeated(spots)
    if subset is not None:
        counts, spots = counts[np.flatnonzero(rows)], plain_names(spots)
        places = places.set_axis(spots[placed])
    return SpotCounts(
        file=file,
        spots=spots,
        genes=genes,
        counts=counts,
        places=places,
        array=table_array(places, _scale_factors(adata.uns, obs)),
        total=len(spots),
        left_out={},
        names_in=names_elsewhere(adata, layer),
    )


def _read(file: str, content: h5py.File, layer: str | None) -> anndata.AnnData:
    """Read a file, or what is needed of it where some of the rest cannot be read."""
    try:
        return anndata.read_h5ad(file)
    except Exception as error:
        refuse_trouble(error)
        try:
            adata = read_parts(content, layer)
        except InputError:
            raise
        except Exception:
            raise error from None  # of the two, it says more of what is wrong with the file
        logger.warning("some of it cannot be read and is not needed (%s)", " ".join(str(error).split()))
        return adata


def _refuse_joint(uns: Mapping[str, object]) -> None:
    """Refuse what CELLxGENE marks as several sections in one file."""
    spatial = uns.get("spatial")
    is_single = spatial.get("is_single") if isinstance(spatial, Mapping) else None
    # What R writes is an array of one value.
    values = [] if is_single is None else np.asarray(is_single).ravel()
    if any(str(value).strip().lower() in FALSE for value in values):
        raise InputError(
            "uns['spatial']['is_single'] is False: it joins several sections, or holds no spots",
            expected="one section per file, since places are pixels of one slide",
            action="give the file of each section, where is_single is True",
        )


def _coordinates(adata: anndata.AnnData, rows: np.ndarray) -> np.ndarray:
    """X and y of each of these spots, not finite for some of them: those have no position."""
    try:
        coords = np.asarray(adata.obsm["spatial"], dtype=float)[rows, :2]
    except (KeyError, TypeError, ValueError, IndexError):
        coords = np.empty((0, 0))
    if coords.shape != (rows.sum(), 2) or not np.isfinite(coords).all(axis=1).any():
        others = _other_places(adata)
        raise InputError(
            "no obsm['spatial'] of two numbers per spot" + (f", but {others}" if others else ""),
            expected="x and y in full-resolution pixels in obsm['spatial']",
            action="copy them there, x first, if they are pixels of the full-resolution image"
            if others
            else "add them",
        )
    return coords


def _other_places(adata: anndata.AnnData) -> str | None:
    """Say what else in a file may be the places of its spots; None if nothing."""
    spatial = adata.obsm.get("spatial")
    if sparse.issparse(spatial):
        return "a sparse matrix, which must be a dense one"
    keys = [str(key) for key in adata.obsm if str(key).lower().startswith(OTHER_KEYS)]
    told = [f"obsm has {', '.join(keys)}"] if keys and spatial is None else []
    for pair in OTHER_COLUMNS:
        if set(pair) <= set(adata.obs.columns):
            told.append(f"obs has {' and '.join(pair)}")
    return " and ".join(told) or None


def _scale_factors(uns: Mapping[str, object], obs: pd.DataFrame) -> Mapping[str, object]:
    """Scale factors of the one library that the spots are of."""
    libraries = uns.get("spatial")
    # CELLxGENE keeps the word is_single beside the libraries.
    libraries = dict(libraries) if isinstance(libraries, Mapping) else {}
    libraries = {name: library for name, library in libraries.items() if isinstance(library, Mapping)}
    used = set(obs["library_id"].astype(str)) if "library_id" in obs else set()
    of_section = [libraries[name] for name in libraries if len(libraries) == 1 or {name} == used]
    factors = (
        of_section[0].get("scalefactors")
        if len(of_section) == 1 and isinstance(of_section[0], Mapping)
        else None
    )
    return factors if isinstance(factors, Mapping) else {}


def read(files: Mapping[str, object], options: Mapping[str, object]) -> SpotCounts:
    """See `ressat.counts.reading.read_counts`."""
    return read_h5ad(str(files["h5ad"]), **options)


MEMBER = read
