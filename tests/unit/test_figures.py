"""The report's pictures show what they are given, and stay small."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib import colormaps
from PIL import Image

from ressat import figures


def opened(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(float)


def drawn_map(values, limits=(0.0, 1.0), watermark=None, um_per_px=10.0):
    """Four spots of 40 px at the corners of a square in the middle of a pink image."""
    image = np.full((400, 600, 3), (230, 160, 190), dtype=np.uint8)
    centres = np.array([[200.0, 100.0], [400.0, 100.0], [200.0, 300.0], [400.0, 300.0]])
    picture = figures.expression_map(image, centres, 40.0, np.array(values), limits, um_per_px, watermark)
    pixels = opened(picture)
    # The cut leaves a spot's radius and a diameter around the outer spots.
    scale = figures.MAP_EDGE_PX / (200 + 2 * 60)
    places = ((centres - centres.min(axis=0) + 60) * scale).astype(int)
    return pixels, [pixels[y, x] for x, y in places]


def test_a_spot_has_the_colour_of_its_value():
    _, found = drawn_map([0.0, 0.25, 0.5, 1.0])
    for value, colour in zip([0.0, 0.25, 0.5, 1.0], found, strict=True):
        expected = 255 * np.array(colormaps[figures.COLOUR_MAP](value)[:3])
        assert np.abs(colour - expected).max() < 12


def test_values_beyond_the_scale_take_its_ends():
    _, found = drawn_map([-5.0, 0.0, 1.0, 9.0])
    assert np.abs(found[0] - found[1]).max() < 8
    assert np.abs(found[2] - found[3]).max() < 8


def test_a_spot_without_value_is_not_drawn():
    _, found = drawn_map([np.nan, 0.2, 0.5, 1.0])
    assert np.ptp(found[0]) < 4, "tissue is grey, the only colours are those of the scale"
    assert np.ptp(found[1]) > 40


def test_a_map_is_cut_to_the_spots():
    pixels, _ = drawn_map([0.0, 0.2, 0.5, 1.0])
    assert pixels.shape[:2] == (figures.MAP_EDGE_PX + figures.SCALE_BAR_PX, figures.MAP_EDGE_PX)


def test_a_map_of_a_single_spot_can_be_drawn():
    image = np.full((50, 80, 3), 200, dtype=np.uint8)
    picture = figures.expression_map(image, np.array([[4.0, 5.0]]), 6.0, np.array([0.5]), (0, 1), 12.0, None)
    height, width, _ = opened(picture).shape
    assert max(width, height - figures.SCALE_BAR_PX) == figures.MAP_EDGE_PX


def test_the_map_of_a_narrow_section_has_room_for_its_scale_bar():
    image = np.full((900, 60, 3), 200, dtype=np.uint8)
    centres = np.column_stack([np.full(40, 30.0), np.linspace(20, 880, 40)])
    picture = opened(figures.expression_map(image, centres, 9.0, np.linspace(0, 1, 40), (0, 1), 10.0, None))
    assert picture.shape[1] == figures.NARROWEST_MAP_PX
    assert (picture[:, -5:] > 240).all(), "the text ends before the picture does"


def test_the_scale_bar_has_the_length_it_says():
    # The picture is 320 px of the image wide: 3200 um at 10 um/px, of which a third is 1066 um.
    pixels, _ = drawn_map([0.5] * 4)
    row = pixels[figures.MAP_EDGE_PX + figures.SCALE_BAR_PX // 2]
    bar = (row > 100).any(axis=1)[5:].argmax() + 5
    assert bar == pytest.approx(1000 / 10 * figures.MAP_EDGE_PX / 320, abs=4)


@pytest.mark.parametrize(("width", "length"), [(3200, 1000), (1000, 200), (7000, 2000), (160, 50), (30, 10)])
def test_a_scale_bar_is_of_round_length_and_fits(width, length):
    assert figures.bar_length(width) == pytest.approx(length)


def test_a_watermark_is_laid_across_every_kind_of_picture():
    plain, _ = drawn_map([0.5] * 4)
    marked, _ = drawn_map([0.5] * 4, watermark="UNTRAINED")
    assert (np.abs(plain - marked).max(axis=2) > 20).mean() > 0.005
    scores = np.array([0.1, 0.2])
    history = curves(range(1, 5))
    for draw in (
        lambda mark: figures.pearson_histogram(scores, {}, (0, 1), "attended", mark),
        lambda mark: figures.training_curves(history, 2, mark),
    ):
        difference = np.abs(opened(draw(None)) - opened(draw("UNTRAINED"))).max(axis=2)
        assert (difference > 20).mean() > 0.005


def curves(steps, held_back=True):
    steps = np.array(list(steps))
    return pd.DataFrame(
        {
            "step": steps,
            "learnt_direct": 1 / steps,
            "learnt_attended": 1.1 / steps,
            "held_back_direct": 1.2 / steps if held_back else np.nan,
            "held_back_attended": 1.3 / steps if held_back else np.nan,
        }
    )


def test_charts_are_small():
    rng = np.random.default_rng(1)
    scores = rng.normal(0.2, 0.2, 1000).clip(-1, 1)
    medians = {f"baseline {i}": 0.1 * i for i in range(5)}
    assert len(figures.pearson_histogram(scores, medians, (-0.5, 0.9), "attended", None)) < 60_000
    assert len(figures.training_curves(curves(range(1, 400)), 50, None)) < 60_000


@pytest.mark.parametrize(
    "scores", [[], [np.nan], [0.3], [0.3, 0.3], [-1.0, 1.0]], ids=["none", "nan", "one", "same", "ends"]
)
def test_a_histogram_can_be_drawn_of_any_scores(scores):
    scores = np.array(scores, dtype=float)
    picture = figures.pearson_histogram(scores, {"tuned ridge": np.nan}, (-1.0, 1.0), "attended", None)
    assert opened(picture).shape[1] == 880


def test_the_bars_of_a_histogram_show_all_scores():
    few = figures.pearson_histogram(np.array([0.52] * 3 + [0.12]), {}, (0.0, 1.0), "attended", None)
    blue = (np.abs(opened(few) - 255 + 0.75 * (255 - np.array([0, 114, 178]))) < 6).all(axis=2)
    columns = np.flatnonzero(blue.sum(axis=0) > 10)
    assert len(columns)
    heights = blue.sum(axis=0)[columns]
    assert heights.max() / heights[heights > 20].min() == pytest.approx(3, rel=0.1)


def test_training_of_a_single_look_and_without_held_back_spots_can_be_drawn():
    assert opened(figures.training_curves(curves([1]), 1, None)).shape[1] == 880
    assert opened(figures.training_curves(curves(range(1, 9), held_back=False), None, None)).shape[1] == 880


def test_the_colour_bar_goes_from_the_low_to_the_high_end():
    bar = opened(figures.colour_bar())
    ends = [255 * np.array(colormaps[figures.COLOUR_MAP](end)[:3]) for end in (0.0, 1.0)]
    assert np.abs(bar[0, 0] - ends[0]).max() < 1
    assert np.abs(bar[0, -1] - ends[1]).max() < 1


def test_pictures_are_shrunk_to_jpeg(tmp_path):
    Image.new("RGB", (1600, 800), (200, 100, 150)).save(tmp_path / "overlay.png")
    shrunk = figures.shrunk(tmp_path / "overlay.png", 1000)
    assert opened(shrunk).shape == (500, 1000, 3)
    assert figures.data_uri(shrunk).startswith("data:image/jpeg;base64,")
    assert figures.data_uri(figures.colour_bar()).startswith("data:image/png;base64,")


def test_small_pictures_are_not_enlarged(tmp_path):
    Image.new("RGB", (300, 200)).save(tmp_path / "overlay.png")
    assert opened(figures.shrunk(tmp_path / "overlay.png", 1000)).shape == (200, 300, 3)
