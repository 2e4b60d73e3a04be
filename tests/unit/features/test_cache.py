import h5py
import numpy as np
import pytest

from ressat.base.errors import InputError
from ressat.encoders.registry import ENCODERS
from ressat.features.cache import Features
from ressat.features.cache_writer import write_features

COUNT = 300
WIDTHS = ENCODERS.load("resnet50").layers


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


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("layer", "spot"), [("layer3", 17), ("layer4", 299), ("colour", 130)])
def test_a_feature_that_is_not_finite_is_never_written(tiles, tmp_path, layer, spot, value):
    parts = list(batches([COUNT]))
    parts[0][layer][spot, -1] = value
    said = rf"{layer} of its tiles: 1 of .*first is {value:g}, at spot ACGT{spot}-1, .*check features.weights"
    with pytest.raises(InputError, match=said):
        write_features(tmp_path / "S1.h5", tiles, WIDTHS, parts, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(("layer", "spot"), [("layer3", 17), ("layer4", 299), ("colour", 130)])
def test_a_feature_that_is_not_finite_is_refused_with_file_section_and_spot(
    tiles, tmp_path, layer, spot, value
):
    path = tmp_path / "S1.h5"
    write_features(path, tiles, WIDTHS, batches([COUNT]), {})
    with h5py.File(path, "r+") as file:
        file["features"][layer][spot, 2] = value
    said = rf"section S1: .*S1\.h5: {layer}: 1 of .*{value:g}, at spot ACGT{spot}-1, column 3\); .*run again"
    with pytest.raises(InputError, match=said):
        Features.read(path, [layer])
    other = "layer4" if layer == "layer3" else "layer3"
    assert Features.read(path, [other]).values.shape[0] == COUNT


def replaced(file, name, value):
    del file[name]
    if value is not None:
        file[name] = value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: replaced(file, "features/layer3", None), "the layer layer3 is missing"),
        (lambda file: replaced(file, "features/layer3", np.zeros((299, 1024))), r"the shape \(299, 1024\)"),
        (lambda file: replaced(file, "coords", np.zeros((299, 2))), "do not belong together"),
        (lambda file: replaced(file, "barcodes", np.array([b"a"] * COUNT)), "a barcode is there twice"),
        (lambda file: replaced(file, "tissue", None), "it cannot be read"),
        (lambda file: file.attrs.update(mpp=np.nan), "mpp is nan"),
        (lambda file: file.attrs.update(mpp=0.0), "mpp is 0.0"),
        (lambda file: file.attrs.pop("tile_um"), "tile_um is missing"),
        (lambda file: file.attrs.update(version="3"), "no whole number"),
    ],
)
def test_a_cache_that_does_not_fit_together_is_refused(tiles, tmp_path, change, said):
    path = tmp_path / "S1.h5"
    write_features(path, tiles, WIDTHS, batches([COUNT]), {})
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError, match=rf"S1\.h5: .*{said}") as caught:
        Features.read(path, ["layer3"])
    assert caught.value.action


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_half_a_cache_is_refused(tiles, tmp_path, kept):
    path = tmp_path / "S1.h5"
    write_features(path, tiles, WIDTHS, batches([COUNT]), {})
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=r"S1\.h5: it cannot be read .*; remove it and run again"):
        Features.read(path, ["layer3"])


@pytest.fixture
def without_colour(tiles, tmp_path):
    """A cache of features that were made elsewhere: one layer, no colour statistics."""
    path = tmp_path / "S1.h5"
    parts = [{"layer3": part["layer3"]} for part in batches([120, 130, 50])]
    write_features(path, tiles, {"layer3": 1024}, parts, {"made_elsewhere": "TRIDENT"}, colour=False)
    return path


def test_features_made_elsewhere_have_no_colour_statistics(without_colour):
    expected = np.concatenate([part["layer3"] for part in batches([120, 130, 50])])
    whole = Features.read(without_colour, layers=None)
    np.testing.assert_array_equal(whole.values, expected.astype(np.float32))
    assert whole.widths == {"layer3": 1024}


@pytest.mark.parametrize("layers", [["colour"], ["layer3", "layer4"]])
def test_what_features_made_elsewhere_lack_is_no_damage(without_colour, layers):
    with pytest.raises(InputError) as caught:
        Features.read(without_colour, layers)
    assert f"its features were made elsewhere and lack {layers[-1]}; expected the" in str(caught.value)
    assert "leave the column features empty" in str(caught.value)
