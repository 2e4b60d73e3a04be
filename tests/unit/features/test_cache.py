import h5py
import numpy as np
import pytest

from ressat.base.errors import InputError
from ressat.encoders.registry import ENCODERS
from ressat.features.cache import Features
from ressat.features.cache_writer import write_features
from ressat.slides.scale import Scale
from ressat.tiles.table import Tiles
from ressat.tiles.tiling import TileGeometry

COUNT = 300
WIDTHS = ENCODERS.load("resnet50").layers


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


def batches(sizes):
    rng = np.random.default_rng(1)
    for size in sizes:
        yield {
            "colour": rng.random((size, 9), dtype=np.float32),
            **{name: rng.random((size, width)).astype(np.float16) for name, width in WIDTHS.items()},
        }


@pytest.mark.parametrize("sizes", [[COUNT], [120, 130, 50], [16] * 18 + [12], [128, 128, 44], [1, 299]])
def test_what_is_written_is_read(tiles, tmp_path, sizes):
    path = tmp_path / "S1.h5"
    write_features(path, tiles, WIDTHS, batches(sizes), {"encoder": "resnet50", "tile_px": 224})
    expected = [part["layer3"] for part in batches(sizes)]
    found = Features.read(path, ["layer3"])
    np.testing.assert_array_equal(found.values, np.concatenate(expected).astype(np.float32))
    np.testing.assert_array_equal(found.coords, tiles.coords)
    np.testing.assert_array_equal(found.barcodes, tiles.barcodes)
    assert found.attrs["encoder"] == "resnet50"
    assert found.attrs["slide_fingerprint"] == tiles.fingerprint
    assert found.section == "S1"


def test_layers_stand_side_by_side_in_the_order_asked_for(tiles, tmp_path):
    path = tmp_path / "S1.h5"
    write_features(path, tiles, WIDTHS, batches([COUNT]), {})
    both = Features.read(path, ["layer4", "colour"]).values
    assert both.shape == (COUNT, 2048 + 9)
    np.testing.assert_array_equal(both[:, 2048:], Features.read(path, ["colour"]).values)


def test_all_layers_stand_side_by_side_with_their_widths(tiles, tmp_path):
    path = tmp_path / "S1.h5"
    write_features(path, tiles, WIDTHS, batches([COUNT]), {})
    whole = Features.read(path, layers=None)
    assert list(whole.widths.items()) == [("layer3", 1024), ("layer4", 2048)]
    np.testing.assert_array_equal(whole.values, Features.read(path, ["layer3", "layer4"]).values)
    none = Features.read(path)
    assert (none.values.shape, none.widths) == ((COUNT, 0), whole.widths)


def test_file_layout_is_the_documented_one(tiles, tmp_path):
    path = tmp_path / "S1.h5"
    write_features(path, tiles, WIDTHS, batches([COUNT]), {})
    with h5py.File(path) as file:
        assert {name: file["features"][name].dtype for name in file["features"]} == {
            "colour": np.float32,
            "layer3": np.float16,
            "layer4": np.float16,
        }
        assert file["features/layer3"].chunks[1] == 1024


@pytest.mark.parametrize("sizes", [[128, 128], [16] * 18, [300, 16], [300, 1], [128, 128, 128]])
def test_a_cache_of_too_few_or_many_tiles_never_appears(tiles, tmp_path, sizes):
    with pytest.raises((RuntimeError, TypeError, ValueError)):
        write_features(tmp_path / "S1.h5", tiles, WIDTHS, batches(sizes), {})
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_cache_leaves_the_former_one_whole(tiles, tmp_path):
    path = tmp_path / "S1.h5"
    write_features(path, tiles, WIDTHS, batches([COUNT]), {})
    before = path.read_bytes()

    def dying():
        yield from batches([4])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_features(path, tiles, WIDTHS, dying(), {})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_cache_of_another_version_is_refused(tiles, tmp_path):
    path = tmp_path / "S1.h5"
    write_features(path, tiles, WIDTHS, batches([COUNT]), {})
    with h5py.File(path, "a") as file:
        file.attrs["version"] = 0
    with pytest.raises(InputError, match="version 0"):
        Features.read(path)
