"""Features of several encoders side by side."""

import h5py
import numpy as np
import pytest

from ressat.base.errors import InputError
from ressat.features.cache import Features
from ressat.features.cache_writer import write_features
from ressat.features.cost import features_cost
from ressat.features.joint import caches_by_section, joint_sha256, read_attributes, read_features

COUNT = 300
ONE, TWO = "1" * 64, "2" * 64
WIDTHS = {"one": {"a": 3, "b": 2}, "two": {"a": 4}}


def values(encoder: str) -> dict[str, np.ndarray]:
    random = np.random.default_rng(len(encoder) + ord(encoder[0]))
    return {
        layer: random.normal(size=(COUNT, width)).astype(np.float16)
        for layer, width in WIDTHS[encoder].items()
    }


@pytest.fixture
def caches(tmp_path, tiles):
    """Caches of two encoders; the second has no colour statistics."""
    files = {}
    for encoder, digest in (("one", ONE), ("two", TWO)):
        files[encoder] = tmp_path / encoder / "S1.h5"
        provenance = {"encoder": f"net_{encoder}", "weights_sha256": digest}
        batch = values(encoder)
        if encoder == "one":
            batch = {"colour": np.zeros((COUNT, 9), np.float32)} | batch
        write_features(files[encoder], tiles, WIDTHS[encoder], [batch], provenance, colour=encoder == "one")
    return files


def test_the_layers_of_one_cache_have_plain_names(caches):
    alone = {"two": caches["two"]}
    read = read_features(alone, None)
    assert read.widths == WIDTHS["two"]
    np.testing.assert_array_equal(read.values, values("two")["a"].astype(np.float32))
    assert read.attrs["weights_sha256"] == TWO
    # A model of several encoders that reads this one alone.
    np.testing.assert_array_equal(read_features(alone, ["two.a"]).values, read.values)


def test_all_layers_of_several_stand_side_by_side_by_their_names(caches):
    read = read_features(caches, None)
    assert read.widths == {"one.a": 3, "one.b": 2, "two.a": 4}
    expected = np.hstack([values("one")["a"], values("one")["b"], values("two")["a"]])
    np.testing.assert_array_equal(read.values, expected.astype(np.float32))
    assert read.attrs["encoder"] == "net_one + net_two"
    assert read.attrs["weights_sha256"] == joint_sha256({"one": ONE, "two": TWO})


@pytest.mark.parametrize("layers", [["two.a", "one.b"], ["one.b", "two.a", "one.a"]])
def test_layers_stand_in_the_order_in_which_they_are_named(caches, layers):
    parts = [values(encoder)[layer] for encoder, layer in (name.split(".") for name in layers)]
    np.testing.assert_array_equal(read_features(caches, layers).values, np.hstack(parts).astype(np.float32))
    assert read_attributes(caches, layers) == read_features(caches, layers).attrs


def test_a_model_of_one_among_several_needs_its_weights_alone(caches):
    read = read_features(caches, ["two.a"])
    assert (read.attrs["encoder"], read.attrs["weights_sha256"]) == ("net_two", TWO)
    assert read_attributes(caches, ["two.a"]) == read.attrs


def test_plain_names_are_those_of_the_first(caches):
    np.testing.assert_array_equal(read_features(caches, ["b"]).values, values("one")["b"].astype(np.float32))
    assert read_attributes(caches, ["b"])["weights_sha256"] == ONE


def test_the_digest_of_several_does_not_depend_on_their_order():
    assert joint_sha256({"one": ONE, "two": TWO}) == joint_sha256({"two": TWO, "one": ONE})
    assert joint_sha256({"one": ONE, "two": TWO}) != joint_sha256({"one": TWO, "two": ONE})
    assert joint_sha256({"one": ONE}) == ONE


def test_an_encoder_without_features_is_refused(caches):
    with pytest.raises(
        InputError, match="there are no features of the encoder three, of which the model reads"
    ):
        read_features(caches, ["three.a"])


@pytest.mark.parametrize("what", ["coords", "barcodes"])
def test_features_of_other_tiles_are_refused(caches, what):
    with h5py.File(caches["two"], "r+") as file:
        changed = file[what][()]
        changed[0] = changed[0] + 1 if what == "coords" else b"OTHER-1"
        file[what][...] = changed
    with pytest.raises(
        InputError, match=r"two.S1\.h5: its tiles are not those of the first encoder's features"
    ):
        read_features(caches, None)


def test_a_cache_without_colour_statistics_has_none(caches):
    with pytest.raises(InputError, match="the layer colour is missing"):
        Features.read(caches["two"], ["colour"])


def test_flat_lists_of_caches_are_sorted_by_section():
    files = ["f1", "f2", "f3", "g1", "g2", "g3"]
    assert caches_by_section(files, ["f", "g"]) == [{"f": f"f{n}", "g": f"g{n}"} for n in (1, 2, 3)]
    assert caches_by_section(files, ["f"]) == [{"f": file} for file in files]


@pytest.mark.parametrize(
    ("records", "speed"), [(["5.0", "15.0"], 0.1), ([None, "20.0"], 0.05), ([None, None], None)]
)
def test_features_cost_time_and_disk(caches, tmp_path, records, speed):
    benchmarks = [tmp_path / f"{place}.tsv" for place in range(2)]
    for file, seconds in zip(benchmarks, records, strict=True):
        if seconds:
            file.write_text(f"s\th:m:s\n{seconds}\t0:00:00\n")
    cost = features_cost(list(caches.values()), benchmarks)
    size = sum(file.stat().st_size for file in caches.values())
    assert cost["kb_per_tile"] == pytest.approx(size / (2 * COUNT) / 1e3)
    if speed is None:
        assert np.isnan(cost["tiles_per_s"])
    else:
        assert cost["tiles_per_s"] == pytest.approx(COUNT * speed)
