import numpy as np
import pytest

from ressat.slides.scale import Scale
from ressat.tiles.table import Tiles
from ressat.tiles.tiling import TileGeometry

COUNT = 300


@pytest.fixture
def tiles() -> Tiles:
    rng = np.random.default_rng(0)
    return Tiles(
        section="S1",
        coords=rng.integers(0, 5000, (COUNT, 2), dtype=np.int32),
        barcodes=np.array([f"ACGT{i}-1" for i in range(COUNT)]),
        tissue=rng.random(COUNT, dtype=np.float32),
        lowres=np.zeros((4, 5, 3), np.uint8),
        lowres_downsample=100.0,
        scale=Scale(0.5, "sheet"),
        geometry=TileGeometry(112.0, 224, 0, 224, 1.0),
        spot_px=110.0,
        edge_tiles=0,
        fingerprint="f" * 64,
    )
