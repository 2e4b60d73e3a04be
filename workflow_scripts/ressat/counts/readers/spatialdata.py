"""Counts and spot positions of a SpatialData store."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ressat.base.errors import InputError, about_its_file
from ressat.base.machine import refuse_trouble
from ressat.counts.anndata_table import RAW, names_elsewhere, read_values, refuse_damaged_matrices
from ressat.counts.barcodes import plain_names
from ressat.counts.one_section import refuse_several_sections
from ressat.counts.spot_counts import SpotCounts
from ressat.counts.subset import subset_rows
from ressat.counts.table_places import table_array, tissue_and_array, tissue_known
from ressat.counts.text_cells import refuse_repeated
from ressat.counts.zarr_chunks import refuse_missing_counts, refuse_missing_names
from ressat.counts.zarr_store import refuse_foreign

if TYPE_CHECKING:
    import anndata
    import geopandas
    import spatialdata

GLOBAL = "global"
# Folders of tables, of stores of now and of before spatialdata 0.1.
TABLES = ("tables", "table")


@about_its_file
def read_spatialdata(
    store: str,
    table: str | None = None,
    region: str | None = None,
    layer: str | None = None,
    subset: str | None = None,
) -> SpotCounts:
    """Read raw counts of a table, and the places of the shapes that it annotates.

    Parameters
    ----------
    store
        The folder of the store.
    table, region
        Names of the table to read and of the shapes that are this section; None if there is only one.
    layer
        The layer of the counts; None for X.
    subset
        The part of the region that is the section; see `subset_rows`. None for all of it.

    Returns
    -------
    SpotCounts
        All spots that the table has of the region, or of this part of it. Places are the shapes' centres in
        the coordinate system ``global`` or the only one, which for stores of spatialdata-io is that of the
        full-resolution image.

    Raises
    ------
    InputError
        If the store is damaged, table or region are missing or not named although there are several, shapes
        cannot be placed, several sections are left, or the values are not counts; see `read_values` and
        `refuse_several_sections`.
    """
    data = _read(store)
    name = _table_name(data, table)
    adata = data.tables[name]
    # First, since a lost chunk damages a matrix too.
    _refuse_missing_chunks(store, name, adata, layer)
    refuse_damaged_matrices(adata)
    region, instances, rows = _region(adata, region)
    if region not in data.shapes:
        raise InputError(
            f"the table annotates {region}, which is not among the shapes ({_names(data.shapes)})",
            expected="a table of spots that are circles or polygons",
            action="name another region or table in the sheet",
        )
    part = subset_rows(subset, adata.obs_names[rows].astype(str), adata.obs[rows])
    rows[rows] = part
    adata = adata[rows]
    counts, genes = read_values(adata, layer)
    x, y, size = _centres(data.shapes[region], region)
    order = pd.Index(data.shapes[region].index.astype(str)).get_indexer(instances[rows])
    spots = pd.Index(adata.obs_names.astype(str))
    placed = order >= 0
    if not placed.any():
        raise InputError(
            f"none of the {len(spots)} spots of the table (first: {instances[rows][0]}) is among the shapes "
            f"of {region} (first: {', '.join(data.shapes[region].index[:1].astype(str))})",
            expected="instances of the table that are in the index of its region",
            action="export the store again",
        )
    placed &= tissue_known(adata.obs)
    obs = adata.obs[placed]
    places = tissue_and_array(obs).assign(x=x[order[placed]], y=y[order[placed]])
    refuse_several_sections(
        places.index, places, obs, subset=subset, action="give each section a region of its own"
    )
    refuse_repeated(spots)
    _refuse_shared_shapes(instances[rows], region)
    if subset is not None:
        spots = plain_names(spots)
        places = places.set_axis(spots[placed])
    return SpotCounts(
        file=store,
        spots=spots,
        genes=genes,
        counts=counts,
        places=places,
        array=table_array(places, {}, size),
        total=len(spots),
        left_out={},
        names_in=names_elsewhere(adata, layer),
    )


def _read(store: str) -> "spatialdata.SpatialData":
    try:
        # Imported here: it takes seconds, and only this format needs it.
        import spatialdata
    except ImportError as error:
        raise InputError(
            f"a SpatialData store, which cannot be read here ({error})",
            expected="the library spatialdata",
            action="install it, or write table and places to an .h5ad file",
        ) from error
    try:
        refuse_foreign(Path(store))
        return spatialdata.read_zarr(store, selection=("tables", "shapes"))
    except InputError:
        raise
    except Exception as error:  # zarr and its readers raise many kinds of errors for a broken store
        refuse_trouble(error)
        raise InputError(
            f"it cannot be read as SpatialData ({error})",
            expected="a .zarr store with a table and shapes",
            action="write it again",
        ) from error


def _table_name(data: "spatialdata.SpatialData", name: str | None) -> str:
    present = list(data.tables)
    if name in present or (name is None and len(present) == 1):
        return name or present[0]
    raise InputError(
        f"{len(present)} tables ({_names(present)}), and table is {name or 'empty'}",
        expected="the column table, naming one of them",
        action="name the table of the counts in the column table",
    )


def _refuse_missing_chunks(store: str, name: str, adata: "anndata.AnnData", layer: str | None) -> None:
    """Refuse a table of which counts or names were lost; see `ressat.counts.zarr_chunks`."""
    places = [Path(store) / kind / name for kind in TABLES]
    table = next(place for place in places if os.path.isdir(place))
    if layer in adata.layers:
        refuse_missing_counts(table / "layers" / layer, adata.layers[layer], f"layers/{layer}")
    elif layer == RAW and adata.raw is not None:
        refuse_missing_counts(table / RAW / "X", adata.raw.X, "raw/X")
        refuse_missing_names(table / RAW / "var", "raw/var")
    elif layer is None and adata.X is not None:
        refuse_missing_counts(table / "X", adata.X, "X")
    refuse_missing_names(table / "obs", "obs")
    refuse_missing_names(table / "var", "var")


def _refuse_shared_shapes(instances: np.ndarray, region: str) -> None:
    """Refuse spots that name one shape, as where a chunk of these names was lost and reads as 0."""
    repeated = pd.Index(instances).duplicated(keep=False)
    if repeated.any():
        raise InputError(
            f"{repeated.sum()} spots share shapes of {region} (first: {instances[repeated][0]})",
            expected="a shape of its own for each spot",
            action="copy the store again, whole, or correct the table's instance_key",
        )


def _region(table: "anndata.AnnData", name: str | None) -> tuple[str, np.ndarray, np.ndarray]:
    """The region, the instance of each row of the table, and which rows are of the region."""
    attrs = table.uns.get("spatialdata_attrs")
    try:
        regions = table.obs[attrs["region_key"]].astype(str).to_numpy()
        instances = table.obs[attrs["instance_key"]].astype(str).to_numpy()
    except (KeyError, TypeError) as error:
        raise InputError(
            "a table that annotates no shapes",
            expected="a table with region, region_key and instance_key",
            action="export the store again, or name another table",
        ) from error
    present = sorted(set(regions))
    if name not in present and (name is not None or len(present) != 1):
        raise InputError(
            f"the table is of {len(present)} regions ({_names(present)}), and region is {name or 'empty'}",
            expected="the column region, naming one of them",
            action="name the region of this section in the column region",
        )
    region = name or present[0]
    return region, instances, regions == region


def _centres(shapes: "geopandas.GeoDataFrame", region: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Centres of the shapes, x and y, and the diameter of circles or edge of squares, in global pixels."""
    from spatialdata.transformations import Identity, get_transformation

    systems = get_transformation(shapes, get_all=True)
    if GLOBAL in systems or len(systems) == 1:
        transformation = systems.get(GLOBAL) or next(iter(systems.values()))
    else:
        transformation = next((way for way in systems.values() if isinstance(way, Identity)), None)
    if transformation is None:
        raise InputError(
            f"the shapes {region} have {len(systems)} coordinate systems ({_names(systems)})",
            expected=f"one, or one called {GLOBAL}, in pixels of the full-resolution image",
            action=f"set their transformation to {GLOBAL}",
        )
    matrix = transformation.to_affine_matrix(input_axes=("x", "y"), output_axes=("x", "y"))
    points = shapes.geometry.centroid
    places = np.stack([points.x, points.y, np.ones(len(points))])
    x, y = (matrix @ places)[:2]
    if not np.isfinite([x, y]).all():
        raise InputError(
            f"shapes of {region} without a place",
            expected="circles or polygons with finite coordinates",
            action="export the store again",
        )
    sizes = 2 * shapes["radius"] if "radius" in shapes else np.sqrt(shapes.geometry.area)
    return x, y, float(np.median(sizes) * np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))


def _names(names: object) -> str:
    return ", ".join(sorted(map(str, names))) or "none"


def read(files: Mapping[str, object], options: Mapping[str, object]) -> SpotCounts:
    """See `ressat.counts.reading.read_counts`."""
    return read_spatialdata(str(Path(files["store"]).parent), **options)


MEMBER = read
