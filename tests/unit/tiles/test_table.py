"""The tiles file gives back what was written, and tells how it was made."""

from dataclasses import fields, replace

import h5py
import numpy as np
import pytest

from ressat.base.errors import InputError
from ressat.base.files import FORMAT_VERSION
from ressat.slides.scale import Scale
from ressat.tiles.table import Tiles
from ressat.tiles.tiling import TileGeometry

TILES = Tiles(
    section="C2",
    coords=np.array([[100, 200], [70_000, 3]], np.int32),
    barcodes=np.array(["AAAC-1", "10x13"]),
    tissue=np.array([0.25, 1.0], np.float32),
    lowres=np.arange(60, dtype=np.uint8).reshape(4, 5, 3),
    lowres_downsample=16.0003,
    scale=Scale(0.7353, "spot pitch"),
    geometry=TileGeometry(112.0, 224, 1, 230, 4.0003),
    spot_px=136.5,
    edge_tiles=1,
    fingerprint="ab" * 32,
)
NONE = replace(
    TILES, coords=np.empty((0, 2), np.int32), barcodes=np.array([], str), tissue=np.empty(0, np.float32)
)


@pytest.mark.parametrize("tiles", [TILES, NONE], ids=["two tiles", "no tile"])
def test_what_is_read_is_what_was_written(tmp_path, tiles):
    tiles.write(tmp_path / "new" / "C2.h5")
    back = Tiles.read(tmp_path / "new" / "C2.h5")
    for field in fields(Tiles):
        expected, found = getattr(tiles, field.name), getattr(back, field.name)
        if isinstance(expected, np.ndarray):
            assert np.array_equal(found, expected), field.name
            assert found.dtype.kind == expected.dtype.kind, field.name
        else:
            assert (found, type(found)) == (expected, type(expected)), field.name


def test_the_file_keeps_its_contract(tmp_path):
    TILES.write(tmp_path / "C2.h5")
    with h5py.File(tmp_path / "C2.h5") as file:
        kinds = {name: (file[name].dtype.str, file[name].shape) for name in ("coords", "tissue", "lowres")}
        assert kinds == {"coords": ("<i4", (2, 2)), "tissue": ("<f4", (2,)), "lowres": ("|u1", (4, 5, 3))}
        assert file["barcodes"].asstr()[()].tolist() == ["AAAC-1", "10x13"]
        assert file["lowres"].attrs["downsample"] == 16.0003
        expected = {"mpp": 0.7353, "mpp_source": "spot pitch", "tile_um": 112, "tile_px": 224, "level": 1}
        expected |= {"read_px": 230, "slide_fingerprint": "ab" * 32, "version": FORMAT_VERSION}
        assert {name: file.attrs[name] for name in expected} == expected


@pytest.mark.parametrize("version", [None, 0, 99])
def test_a_file_of_another_version_is_refused(tmp_path, version):
    path = tmp_path / "C2.h5"
    TILES.write(path)
    with h5py.File(path, "r+") as file:
        del file.attrs["version"]
        if version is not None:
            file.attrs["version"] = version
    expected = rf"C2\.h5: file format version {version}; expected version {FORMAT_VERSION}"
    with pytest.raises(InputError, match=expected):
        Tiles.read(path)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("coords", np.zeros((3, 2), np.int32), r"do not belong together: their shapes are \(3, 2\), \(2,\)"),
        ("coords", np.zeros(2, np.int32), "do not belong together"),
        ("tissue", np.zeros(1, np.float32), "do not belong together"),
        ("tissue", np.array([0.5, np.nan], np.float32), "a share of tissue is not between 0 and 1"),
        ("tissue", np.array([0.5, 7], np.float32), "a share of tissue is not between 0 and 1"),
        ("barcodes", np.array([b"AAAC-1", b"AAAC-1"]), "a barcode is there twice"),
        ("lowres", np.zeros((4, 5), np.uint8), r"the low-resolution image has the shape \(4, 5\)"),
        ("lowres", None, "it cannot be read"),
    ],
)
def test_tiles_that_do_not_fit_together_are_refused(tmp_path, name, value, said):
    TILES.write(tmp_path / "C2.h5")
    with h5py.File(tmp_path / "C2.h5", "r+") as file:
        attrs = dict(file[name].attrs)
        del file[name]
        if value is not None:
            file[name] = value
            file[name].attrs.update(attrs)
    with pytest.raises(InputError, match=rf"C2\.h5: .*{said}.*; remove it and run again"):
        Tiles.read(tmp_path / "C2.h5")


@pytest.mark.parametrize("name", ["mpp", "tile_um", "spot_px"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, -1.0])
def test_a_scale_that_cannot_be_is_refused(tmp_path, name, value):
    TILES.write(tmp_path / "C2.h5")
    with h5py.File(tmp_path / "C2.h5", "r+") as file:
        file.attrs[name] = value
    with pytest.raises(InputError, match=rf"C2\.h5: {name} is {value}"):
        Tiles.read(tmp_path / "C2.h5")
