from dataclasses import replace

import numpy as np
import pytest

from ressat.base.errors import InputError
from ressat.encoders.registry import ENCODERS
from ressat.features.elsewhere.proof import MOST_DEVIATION, TILES, deviation, proof_tiles, prove
from ressat.slides.scale import Scale
from ressat.tiles.table import Tiles
from ressat.tiles.tiling import TileGeometry

WIDTH = 12
ENCODER = replace(
    ENCODERS.load("virchow"),
    title="Small",
    layers={"class_token": WIDTH, "patch_mean": WIDTH},
    default_layers=(),
)
RNG = np.random.default_rng(0)
# What all tiles have in common is larger than what tells them apart, as with real features.
ALL = {name: 3 + RNG.normal(size=(60, WIDTH)) for name in ENCODER.layers}
ROWS = np.arange(0, 60, 4)
OWN = {name: values[ROWS] for name, values in ALL.items()}
SINGLE = [("class_token",), ("patch_mean",)]
BOTH = [("class_token", "patch_mean")]


def outcome(given: np.ndarray, possible=SINGLE, named=None):
    return prove(given[ROWS], OWN, given.mean(axis=0), possible, ENCODER, named)


def test_equal_features_agree_and_their_layer_is_found():
    for name in ENCODER.layers:
        assert outcome(ALL[name]) == ((name,), 0)
    both = np.hstack(list(ALL.values()))
    assert outcome(both, BOTH) == (BOTH[0], 0)


def test_rounding_changes_little():
    layers, apart = outcome((ALL["patch_mean"] + RNG.normal(0, 0.2, (60, WIDTH))).astype(np.float16))
    assert layers == ("patch_mean",)
    assert 0 < apart < MOST_DEVIATION


@pytest.mark.parametrize(
    "wrong",
    [
        lambda values: np.roll(values, 1, axis=0),
        lambda values: values[:, ::-1],
        # As of an untrained network: hardly different between tiles, and along one direction.
        lambda values: 0.01 * (values.mean(axis=0) + np.linspace(0, 0.1, 60)[:, None] ** 8),
        lambda values: -values,
        lambda values: values - values.mean(axis=0),
        lambda values: values / np.linalg.norm(values, axis=1, keepdims=True),
        lambda values: 0.5 * values,
        np.zeros_like,
        np.ones_like,
        lambda values: np.broadcast_to(values[0], values.shape),
    ],
)
def test_features_of_other_tiles_or_on_another_scale_are_refused(wrong):
    with pytest.raises(InputError) as caught:
        outcome(wrong(ALL["class_token"]), named="uni_v1")
    said = "its features are not those of Small at these places: 15 tiles, encoded again with the study's"
    assert said in str(caught.value)
    assert "(the file says that they are of uni_v1)" in str(caught.value)
    assert "in the slide's own colours; name the encoder" in str(caught.value)


def test_of_two_layers_side_by_side_both_must_agree():
    wrong = np.hstack([ALL["class_token"], np.roll(ALL["patch_mean"], 1, axis=0)])
    with pytest.raises(InputError, match="deviate by"):
        outcome(wrong, BOTH)


def test_a_single_patch_proves_nothing():
    one = {name: values[:1] for name, values in OWN.items()}
    with pytest.raises(InputError, match="a single patch"):
        prove(one["class_token"], one, one["class_token"][0], SINGLE, ENCODER)


def test_deviation_is_of_what_tells_tiles_apart():
    own, mean = np.array([[1.0, 2], [3, 1], [1, 5]]), np.array([1.0, 1])
    given = own + np.array([[0.1, 0], [0, 0.4], [1.2, 0]])
    assert deviation(given, own, mean) == pytest.approx(np.median([0.1, 0.2, 0.3]))
    assert deviation(np.ones((3, 2)), np.ones((3, 2)), mean) == np.inf


@pytest.fixture
def tiles() -> Tiles:
    """A grid of 20 x 20 tiles that reaches beyond a slide of 1,950 x 2,000 px; tissue in its lower half."""
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(50, 2000, 100), np.arange(50, 2000, 100)))
    return Tiles(
        "S1", np.column_stack([x, y]).astype(np.int32), np.array([f"{number}" for number in range(400)]),
        (y > 1000).astype(np.float32), np.zeros((2, 2, 3), np.uint8), 1000.0, Scale(1.0, "sheet"),
        TileGeometry(100.0, 100, 0, 100, 1.0), 100.0, 20, "f" * 64,
    )  # fmt: skip


def test_tiles_for_the_proof_are_within_the_slide_on_tissue_and_spread(tiles):
    rows = proof_tiles(tiles, (1950, 2000))
    assert len(rows) == TILES
    assert (np.diff(rows) > 0).all()
    coords = tiles.coords[rows]
    assert coords[:, 0].max() <= 1900
    assert tiles.tissue[rows].min() == 1
    assert np.ptp(coords, axis=0).min() > 700


def test_a_section_of_few_tiles_is_encoded_whole(tiles):
    few = replace(tiles, coords=tiles.coords[:5], tissue=tiles.tissue[:5])
    assert proof_tiles(few, (1950, 2000)).tolist() == [0, 1, 2, 3, 4]
    # Where each reaches beyond the slide, these must do.
    assert proof_tiles(few, (90, 90)).tolist() == [0, 1, 2, 3, 4]
