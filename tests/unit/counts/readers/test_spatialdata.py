import json
import shutil
from pathlib import Path

import anndata
import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy import sparse
from spatialdata import SpatialData
from spatialdata.models import ShapesModel, TableModel
from spatialdata.transformations import Identity, Scale

from count_files import source
from ressat.base.errors import InputError, about
from ressat.counts.reading import read_counts
from ressat.counts.spot_counts import SpotArray, SpotCounts
from ressat.counts.usable_spots import under_tissue

POINTS = np.stack(np.meshgrid(np.arange(6) * 100.0, np.arange(4) * 100.0), -1).reshape(-1, 2) + 50
COUNTS = np.random.default_rng(0).poisson(2, size=(24, 5)).astype(np.float32) + 1


def circles(**systems: object) -> geopandas.GeoDataFrame:
    return ShapesModel.parse(
        POINTS, geometry=0, radius=27.5, transformations=systems or {"global": Identity()}
    )


def table(*regions: str, counts: np.ndarray = COUNTS, **layers: np.ndarray) -> anndata.AnnData:
    """Spots of each region in the reverse order of its shapes, so that they cannot be matched by place."""
    regions = regions or ("spots",)
    number = np.tile(np.arange(24)[::-1], len(regions))
    obs = pd.DataFrame(
        {
            "region": pd.Categorical(np.repeat(regions, 24)),
            "id": number,
            "in_tissue": (number > 0).astype(int),
        },
        index=[f"{region}_{i}" for region in regions for i in range(24)],
    )
    adata = anndata.AnnData(np.tile(counts, (len(regions), 1)), obs=obs)
    for name, values in layers.items():
        adata.layers[name] = values
    return TableModel.parse(adata, region=list(regions), region_key="region", instance_key="id")


@pytest.fixture
def write(tmp_path):
    def write(shapes: dict | None = None, tables: dict | None = None) -> Path:
        data = SpatialData(shapes=shapes or {"spots": circles()}, tables=tables or {"table": table()})
        data.write(tmp_path / "s.zarr")
        return tmp_path / "s.zarr"

    return write


def read(store: Path, **options: str) -> SpotCounts:
    """Read a store as the pipeline does."""
    return read_counts(source(store, **options))


def refusal(store: Path, **options: str) -> str:
    with pytest.raises(InputError) as caught, about(section="S1"):
        read(store, **options)
    assert (caught.value.section, caught.value.file) == ("S1", str(store))
    assert caught.value.action
    return str(caught.value)


def test_counts_of_a_table_and_places_of_its_circles(write):
    found = read(write())
    assert list(found.spots) == [f"spots_{i}" for i in range(24)]
    assert (found.counts.toarray() == COUNTS).all()
    assert (found.places[["x", "y"]].to_numpy() == POINTS[::-1]).all()
    assert found.array == SpotArray("unknown", 100, 55)
    assert under_tissue(found).left_out == {"without position": 0, "outside tissue": 1, "zero counts": 0}


def test_places_of_squares_are_their_centres(write):
    squares = geopandas.GeoDataFrame(
        geometry=[shapely.box(x - 40, y - 40, x + 40, y + 40) for x, y in POINTS]
    )
    found = read(write({"spots": ShapesModel.parse(squares)}))
    assert (found.places[["x", "y"]].to_numpy() == POINTS[::-1]).all()
    assert found.array.spot_px == pytest.approx(80)


@pytest.mark.parametrize(
    ("systems", "factor"),
    [
        ({"global": Scale([2, 2], axes=("x", "y")), "other": Identity()}, 2),
        ({"lib": Scale([2, 2], axes=("x", "y"))}, 2),
        ({"lib_hires": Scale([0.1, 0.1], axes=("x", "y")), "lib": Identity()}, 1),
    ],
)
def test_places_are_those_of_the_full_resolution_system(write, systems, factor):
    found = read(write({"spots": circles(**systems)}))
    assert np.allclose(found.places[["x", "y"]], POINTS[::-1] * factor)
    assert found.array.spot_px == pytest.approx(55 * factor)


def test_shapes_in_several_systems_none_of_them_full_resolution_are_refused(write):
    systems = {
        name: Scale([size, size], axes=("x", "y")) for name, size in (("hires", 0.1), ("lowres", 0.03))
    }
    assert "have 2 coordinate systems (hires, lowres)" in refusal(write({"spots": circles(**systems)}))


def test_one_of_several_tables_has_to_be_named(write):
    store = write(tables={"a": table(), "b": table(counts=COUNTS * 2)})
    assert "2 tables (a, b), and table is empty" in refusal(store)
    assert (read(store, table="b").counts.toarray() == COUNTS * 2).all()


def test_one_of_several_regions_has_to_be_named(write):
    store = write({"one": circles(), "two": circles()}, {"table": table("one", "two")})
    assert "the table is of 2 regions (one, two), and region is empty" in refusal(store)
    found = read(store, region="two")
    assert list(found.spots) == [f"two_{i}" for i in range(24)]


def test_a_region_that_the_table_does_not_annotate_is_refused(write):
    store = write({"spots": circles(), "cells": circles()})
    assert "the table is of 1 regions (spots), and region is cells" in refusal(store, region="cells")


def test_normalised_values_are_refused_with_the_layer_of_the_counts(write):
    store = write(tables={"table": table(counts=np.log1p(COUNTS), counts_raw=COUNTS)})
    assert "log1p-normalised counts; expected raw counts" in refusal(store)
    assert "set the column layer to counts_raw" in refusal(store)
    assert (read(store, layer="counts_raw").counts.toarray() == COUNTS).all()


def test_a_spot_without_a_shape_has_no_position(write):
    found = read(write({"spots": circles().iloc[:20]}))
    assert under_tissue(found).left_out["without position"] == 4
    assert found.total == 24


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_table_without_shapes_is_refused(write):
    plain = TableModel.parse(anndata.AnnData(COUNTS))
    assert "a table that annotates no shapes" in refusal(write(tables={"table": plain}))


def test_a_damaged_store_is_refused(write):
    store = write()
    (store / "shapes/spots/shapes.parquet").write_bytes(b"none")
    assert "it cannot be read as SpatialData" in refusal(store)


@pytest.mark.filterwarnings("ignore:Object at")
def test_hidden_files_in_a_store_change_nothing(write):
    store = write()
    before, files = read(store), source(store)
    for folder in [store, *(path for path in store.rglob("*") if path.is_dir())]:
        for name in [*(path.name for path in folder.iterdir() if path.name[0] != "."), "other"]:
            (folder / f"._{name}").write_bytes(b"\0\5\x16\7")
        (folder / ".DS_Store").write_bytes(b"Bud1")
    (store / "tables/.other").mkdir()
    assert source(store) == files
    after = read(store)
    assert (after.counts != before.counts).nnz == 0
    assert after.places.equals(before.places)


@pytest.mark.parametrize("column", ["symbol_of_it", "Genes"])
def test_row_numbers_as_names_are_told_with_the_column_of_names(write, column):
    numbered = table()
    numbered.var[column] = [f"T{i}" for i in range(5)]
    assert read(write(tables={"table": numbered})).names_in == f"var['{column}'] (T0, T1, T2 ...)"


def moved_out(store: Path, part: str) -> Path:
    """Put a part of a store elsewhere, and a link in its place."""
    target = store.parent / "elsewhere" / Path(part).name
    target.parent.mkdir()
    (store / part).rename(target)
    (store / part).symlink_to(target)
    return target


@pytest.mark.parametrize("part", ["tables/table/var", "shapes/spots/shapes.parquet", "shapes"])
def test_a_part_that_is_a_link_out_of_the_store_is_refused(write, part):
    store = write()
    moved_out(store, part)
    assert f"its {part} is a link out of the store" in refusal(store)


def test_links_within_the_store_and_of_the_store_itself_are_followed(write, tmp_path):
    store = write()
    (store / "shapes/spots/shapes.parquet").rename(store / "kept.parquet")
    (store / "shapes/spots/shapes.parquet").symlink_to("../../kept.parquet")
    (store / "images").symlink_to("/tmp")  # not read
    (tmp_path / "disk").mkdir()
    moved = store.rename(tmp_path / "disk/s.zarr")
    store.symlink_to(moved)
    assert read(store).total == 24


@pytest.mark.parametrize("name", ["tables/../../other", "/etc", "file:///etc/x"])
def test_metadata_that_name_parts_elsewhere_are_refused(write, name):
    store = write()
    metadata = json.loads((store / "zarr.json").read_text())
    metadata["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": {name: {}}}
    (store / "zarr.json").write_text(json.dumps(metadata))
    assert f"its zarr.json names {name!r}, which is not a part of the store" in refusal(store)


@pytest.mark.parametrize("part", ["X/data", "obs/_index"])
def test_an_array_that_declares_more_than_is_stored_is_refused(write, part):
    counts = sparse.csr_matrix(COUNTS)
    store = write(
        tables={"table": table(counts=COUNTS)} if part != "X/data" else {"table": sparse_table(counts)}
    )
    array = store / "tables/table" / part / "zarr.json"
    metadata = json.loads(array.read_text())
    array.write_text(json.dumps(metadata | {"shape": [10**12]}))
    assert "it declares 8e+03 GB of data" in refusal(store)


def sparse_table(counts: sparse.csr_matrix) -> anndata.AnnData:
    adata = table()
    adata.X = counts
    return adata


@pytest.mark.parametrize("part", ["data", "indices"])
@pytest.mark.parametrize("layer", [None, "kept"])
def test_a_store_that_was_copied_in_part_is_refused(write, layer, part):
    whole = table(kept=sparse.csr_matrix(COUNTS))
    whole.X = sparse.csr_matrix(COUNTS)
    store = write(tables={"table": whole})
    read(store, **({"layer": layer} if layer else {}))
    where = f"layers/{layer}" if layer else "X"
    shutil.rmtree(store / "tables/table" / where / part / "c")
    said = refusal(store, **({"layer": layer} if layer else {}))
    assert f"1 chunk of {where}/{part} is missing, which would be read as 0" in said


@pytest.mark.parametrize(
    ("lost", "said"),
    [("_index", "obs/_index is missing"), ("id", "24 spots share shapes of spots")],
)
def test_names_and_shapes_of_spots_that_were_lost_are_refused(write, lost, said):
    store = write()
    shutil.rmtree(store / "tables/table/obs" / lost / "c")
    assert said in refusal(store)
