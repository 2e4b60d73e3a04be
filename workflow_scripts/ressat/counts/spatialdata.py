"""Counts and spot positions of a SpatialData store."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ressat.base.errors import InputError
from ressat.counts.annotated import read_values, tissue_and_array
from ressat.counts.h5ad import table_array
from ressat.counts.spot_counts import SpotCounts
from ressat.counts.text_cells import refuse_repeated

if TYPE_CHECKING:
    import anndata
    import geopandas
    import spatialdata

GLOBAL = "global"


def read_spatialdata(section: str, files: Mapping[str, str], options: Mapping[str, object]) -> SpotCounts:
    """Read raw counts of a table, and the places of the shapes that it annotates.

    Parameters
    ----------
    section
        The section's name.
    files
        store, a file at its root.
    options
        table, region and layer; where there is but one, or for X, none.

    Returns
    -------
    SpotCounts
        All spots that the table has of the region. Places are the shapes' centres in the coordinate system
        ``global`` or the only one, which for stores of spatialdata-io is that of the full-resolution image.

    Raises
    ------
    InputError
        If the store is damaged, table or region are not there or not said where there are several, shapes
        cannot be placed, or the values are no counts; see `read_values`.
    """
    store = str(Path(files["store"]).parent)
    data = _read(section, store)
    table = _table(section, store, data, options.get("table"))
    region, instances, rows = _region(section, store, table, options.get("region"))
    if region not in data.shapes:
        raise InputError(
            f"the table annotates {region}, which is not among the shapes ({_listed(data.shapes)})",
            expected="a table of spots that are circles or polygons",
            action="name another region or table in the sheet",
            section=section,
            file=store,
        )
    table = table[rows]
    counts, genes = read_values(section, store, table, options.get("layer"))
    x, y, size = _centres(section, store, data.shapes[region], region)
    places = tissue_and_array(section, store, table.obs)
    refuse_repeated(section, store, places.index)
    spots = places.index
    order = pd.Index(data.shapes[region].index.astype(str)).get_indexer(instances[rows])
    placed = order >= 0
    places = places[placed].assign(x=x[order[placed]], y=y[order[placed]])
    if not placed.any():
        raise InputError(
            f"none of the {len(spots)} spots of the table (first: {instances[rows][0]}) is among the shapes "
            f"of {region} (first: {', '.join(data.shapes[region].index[:1].astype(str))})",
            expected="instances of the table that are in the index of its region",
            action="export the store again",
            section=section,
            file=store,
        )
    return SpotCounts(
        section=section,
        file=store,
        spots=spots,
        genes=genes,
        counts=counts,
        places=places,
        array=table_array(places, {}, size),
        found=len(spots),
        left_out={},
    )


def _read(section: str, store: str) -> "spatialdata.SpatialData":
    try:
        # Imported here: it takes seconds, and only this format needs it.
        import spatialdata
    except ImportError as error:
        raise InputError(
            f"a SpatialData store, which cannot be read here ({error})",
            expected="the library spatialdata",
            action="install it, or write table and places to an .h5ad file",
            section=section,
            file=store,
        ) from error
    try:
        return spatialdata.read_zarr(store, selection=("tables", "shapes"))
    except Exception as error:  # zarr and its readers raise many kinds for a store that is not what it says
        raise InputError(
            f"it cannot be read as SpatialData ({error})",
            expected="a .zarr store with a table and shapes",
            action="write it again",
            section=section,
            file=store,
        ) from error


def _table(section: str, store: str, data: "spatialdata.SpatialData", named: str | None) -> "anndata.AnnData":
    present = list(data.tables)
    if named in present or (named is None and len(present) == 1):
        return data.tables[named or present[0]]
    raise InputError(
        f"{len(present)} tables ({_listed(present)}), and table is {named or 'empty'}",
        expected="the column table, naming one of them",
        action="name the table of the counts in the column table",
        section=section,
        file=store,
    )


def _region(
    section: str, store: str, table: "anndata.AnnData", named: str | None
) -> tuple[str, np.ndarray, np.ndarray]:
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
            section=section,
            file=store,
        ) from error
    present = sorted(set(regions))
    if named not in present and (named is not None or len(present) != 1):
        raise InputError(
            f"the table is of {len(present)} regions ({_listed(present)}), and region is {named or 'empty'}",
            expected="the column region, naming one of them",
            action="name the region of this section in the column region",
            section=section,
            file=store,
        )
    region = named or present[0]
    return region, instances, regions == region


def _centres(
    section: str, store: str, shapes: "geopandas.GeoDataFrame", region: str
) -> tuple[np.ndarray, np.ndarray, float]:
    """Centres of the shapes, x and y, and the diameter of circles or edge of squares, in global pixels."""
    from spatialdata.transformations import Identity, get_transformation

    systems = get_transformation(shapes, get_all=True)
    if GLOBAL in systems or len(systems) == 1:
        transformation = systems.get(GLOBAL) or next(iter(systems.values()))
    else:
        transformation = next((way for way in systems.values() if isinstance(way, Identity)), None)
    if transformation is None:
        raise InputError(
            f"the shapes {region} have {len(systems)} coordinate systems ({_listed(systems)})",
            expected=f"one, or one called {GLOBAL}, in pixels of the full-resolution image",
            action=f"set their transformation to {GLOBAL}",
            section=section,
            file=store,
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
            section=section,
            file=store,
        )
    sizes = 2 * shapes["radius"] if "radius" in shapes else np.sqrt(shapes.geometry.area)
    return x, y, float(np.median(sizes) * np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))


def _listed(names: object) -> str:
    return ", ".join(sorted(map(str, names))) or "none"
