import anndata
import numpy as np
import pandas as pd
import pytest

from ressat.base.layers import EXPRESSION_UNIT
from ressat.counts.expression import LogExpression
from ressat.features.cache import Features
from ressat.model.prediction import to_anndata, write_predictions
from ressat.slides.scale import Scale
from ressat.tiles.table import Tiles
from ressat.tiles.tiling import TileGeometry

SPOTS, GENES = 30, ["ERBB2", "CD74", "ACTB"]


@pytest.fixture
def predictions() -> anndata.AnnData:
    rng = np.random.default_rng(0)
    coords = rng.integers(100, 900, (SPOTS, 2), dtype=np.int32)
    barcodes = np.array([f"b{i}" for i in range(SPOTS)])
    tissue = rng.random(SPOTS, dtype=np.float32)
    tiles = Tiles(
        "S1",
        coords,
        barcodes,
        tissue,
        np.full((100, 120, 3), 230, np.uint8),
        10.0,
        Scale(0.5, "sheet"),
        TileGeometry(112, 224, 0, 224, 1.0),
        80.0,
        0,
        "f" * 64,
    )
    features = Features("S1", np.empty((SPOTS, 0), np.float32), coords, barcodes, tissue, {}, {})
    layers = {name: rng.random((SPOTS, 3)) for name in ("direct", "attended")}
    genes = pd.DataFrame(
        {"hvg_rank": [1.0 + place for place in range(len(GENES))]}, index=pd.Index(GENES, name="gene")
    )
    return to_anndata(
        layers,
        headline="attended",
        genes=genes,
        features=features,
        tiles=tiles,
        observed=LogExpression(
            rng.random((SPOTS, 3), dtype=np.float32), rng.uniform(500, 900, SPOTS), barcodes
        ),
        unit=EXPRESSION_UNIT,
        provenance={"fold": "holdout"},
    )


def test_headline_stands_in_x_and_all_layers_are_kept(predictions):
    np.testing.assert_array_equal(predictions.X, predictions.layers["attended"])
    assert set(predictions.layers) == {"direct", "attended", "observed"}
    assert predictions.obs["n_counts"].between(500, 900).all()
    assert predictions.uns["ressat"]["headline"] == "attended"
    assert predictions.uns["ressat"]["unit"] == "log1p CP10k"


def test_files_hold_the_same_values(predictions, tmp_path):
    write_predictions(predictions, tmp_path / "S1.h5ad", tmp_path / "S1.parquet")
    read = anndata.read_h5ad(tmp_path / "S1.h5ad")
    table = pd.read_parquet(tmp_path / "S1.parquet")
    assert list(table.columns) == ["spot_id", "x_px", "y_px", *GENES]
    np.testing.assert_array_equal(table[GENES].to_numpy(), read.X)
    np.testing.assert_array_equal(table[["x_px", "y_px"]].to_numpy(), read.obsm["spatial"])
    assert list(table["spot_id"]) == list(read.obs_names)


def test_squidpy_and_scanpy_draw_the_file_as_it_is(predictions, tmp_path):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    import scanpy as sc
    import squidpy as sq

    write_predictions(predictions, tmp_path / "S1.h5ad", tmp_path / "S1.parquet")
    read = anndata.read_h5ad(tmp_path / "S1.h5ad")
    sq.pl.spatial_scatter(read, color="ERBB2", library_id="S1")
    axes = plt.gcf().axes[0]
    assert axes.images
    drawn = np.concatenate(
        [collection.get_offsets() for collection in axes.collections if len(collection.get_offsets())]
    )
    assert drawn.shape[0] == SPOTS or len(axes.collections[0].get_paths()) == SPOTS
    plt.close("all")
    sc.pl.embedding(read, basis="spatial", color="CD74", show=False)
    plt.close("all")
