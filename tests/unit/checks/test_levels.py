"""A pyramid whose levels are of different pictures is refused, whichever of them is wrong."""

import numpy as np
import pytest
import tifffile

from ressat.base.errors import InputError
from ressat.checks.levels import Level, check_levels
from ressat.checks.thumbnail import thumbnail

SIZE = (1536, 2048)


@pytest.fixture(scope="module")
def tissue():
    """Two pieces of tissue on glass, uint8 RGB."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    inside = ((x - 700) / 500) ** 2 + ((y - 650) / 480) ** 2 < 1
    inside |= ((x - 1600) / 300) ** 2 + ((y - 1000) / 350) ** 2 < 1
    density = inside * (0.5 + 0.3 * np.sin(x / 60) * np.cos(y / 45))
    colours = 244 * np.exp(-density[..., None] * np.array([0.55, 0.95, 0.5]))
    return colours.round().astype(np.uint8)


@pytest.fixture
def write(tmp_path):
    def written(levels, name="slide.tif"):
        options = {"tile": (256, 256), "photometric": "rgb", "metadata": None, "compression": "deflate"}
        with tifffile.TiffWriter(tmp_path / name) as file:
            for number, level in enumerate(levels):
                file.write(np.ascontiguousarray(level, np.uint8), subfiletype=int(number > 0), **options)
        return tmp_path / name

    return written


@pytest.fixture
def levels_of(block_means):
    return lambda image, *factors: [
        image.copy(),
        *(block_means(image, factor).round().astype(np.uint8) for factor in factors),
    ]


@pytest.mark.parametrize("factors", [(), (2,), (4,), (2, 4, 8), (3, 11)])
@pytest.mark.parametrize("longest_px", [100, 300, 1200])
def test_levels_made_from_one_another_pass_without_a_word(
    factors, longest_px, tissue, write, caplog, levels_of
):
    thumbnail(write(levels_of(tissue, *factors)), longest_px)
    assert not caplog.records


def test_levels_that_take_one_pixel_of_each_block_pass(tissue, write, caplog, grey_levels):
    image = grey_levels(tissue.astype(float), noise=25)
    thumbnail(write([image, image[::4, ::4], image[::16, ::16]]), 200)
    assert not caplog.records


@pytest.mark.parametrize(("colour", "word"), [(255, "white"), (0, "black"), (128, "of one colour")])
@pytest.mark.parametrize("blank", [0, 1])
def test_a_blank_level_is_named(blank, colour, word, tissue, write, levels_of):
    levels = levels_of(tissue, 4)
    levels[blank] = np.full_like(levels[blank], colour)
    sizes = ["2048 x 1536 px", "512 x 384 px"]
    sentence = rf"its level {blank} \({sizes[blank]}\) is {word} throughout, unlike its level {1 - blank} "
    with pytest.raises(InputError, match=sentence) as refused:
        thumbnail(write(levels), 512)
    assert ("save that level alone" in str(refused.value)) == (blank == 1)


def test_a_level_in_the_middle_is_compared_too(tissue, write, levels_of):
    levels = levels_of(tissue, 2, 8)
    levels[1] = np.full_like(levels[1], 250)
    with pytest.raises(
        InputError, match=r"its level 1 \(1024 x 768 px\) is white throughout, unlike its level 2"
    ):
        thumbnail(write(levels), 256)


@pytest.mark.parametrize(
    "change",
    [
        lambda small: np.roll(small, 60, axis=1),
        lambda small: small[::-1],
        lambda small: small[:, ::-1],
        lambda small: small[::-1, ::-1],
    ],
    ids=["moved", "upside_down", "mirrored", "turned"],
)
def test_a_level_of_another_picture_is_refused(change, tissue, write, levels_of):
    image, small = levels_of(tissue, 4)
    with pytest.raises(
        InputError, match=r"level 1 .* does not show what its level 0 .* shows: \d+ of \d+ places"
    ):
        thumbnail(write([image, change(small)]), 512)


@pytest.mark.parametrize("bad", [0, 1])
def test_a_level_of_which_a_part_is_white_is_refused(bad, tissue, write, levels_of):
    levels = levels_of(tissue, 4)
    levels[bad][:, : levels[bad].shape[1] // 2] = 255
    with pytest.raises(InputError, match="does not show what its level 0"):
        thumbnail(write(levels), 512)


@pytest.mark.parametrize("which", [1, 8])
def test_one_place_that_differs_is_a_warning(which, tissue, caplog):
    lowres, seen = tissue[2::4, 2::4], []

    def read(x, y, width, height):
        seen.append((x, y))
        return tissue[y : y + height, x : x + width] if len(seen) != which else np.zeros((height, width, 3))

    levels = Level(0, (2048, 1536), 1.0, read), Level(1, (512, 384), 4.0, read)
    check_levels(lowres, 4.0, levels[1], levels[:1])
    x, y = seen[which - 1]
    assert caplog.messages == [
        f"levels 0 and 1 of the slide differ at level-0 pixel x={x}, y={y}: look at it there"
    ]
