"""What is read from a slide is its pixels, at its scale, or a sentence that says where it is damaged."""

import os
import shutil

import numpy as np
import openslide
import pytest
import tifffile

from ressat.base.errors import InputError, about
from ressat.slides import slide as module
from ressat.slides.slide import Slide

WIDTH, HEIGHT = 1000, 700


@pytest.fixture(scope="module")
def rgb():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    channels = 120 + 100 * np.sin(x / 37 + y / 91), 150 + 80 * np.cos(y / 53), 180 + 60 * np.sin((x + y) / 71)
    noise = np.random.default_rng(0).integers(-15, 16, (HEIGHT, WIDTH, 1))
    return np.clip(np.stack(channels, -1) + noise, 0, 255).astype(np.uint8)


def test_a_region_has_the_slides_pixels(rgb, write_slide, block_means):
    with Slide(write_slide(rgb, downsamples=(2,))) as slide:
        assert (slide.size, slide.downsamples) == ((WIDTH, HEIGHT), (1.0, 2.0))
        assert np.array_equal(slide.read(310, 120, 0, 60, 40), rgb[120:160, 310:370])
        level_1 = block_means(rgb, 2).round()
        assert np.array_equal(slide.read(310, 120, 1, 60, 40), level_1[60:100, 155:215])


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("corner", [(-40, -40), (WIDTH - 60, HEIGHT - 60), (-500, -500), (WIDTH + 9, 0)])
def test_what_lies_outside_the_image_is_background(rgb, write_slide, block_means, level, corner):
    factor = 2**level
    padded = np.full((HEIGHT + 1000, WIDTH + 1000, 3), 255.0)
    padded[500 : 500 + HEIGHT, 500 : 500 + WIDTH] = rgb
    x, y = corner[0] + 500, corner[1] + 500
    expected = block_means(padded[y : y + 100 * factor, x : x + 100 * factor], factor).round()
    with Slide(write_slide(rgb, downsamples=(2,))) as slide:
        assert np.array_equal(slide.read(*corner, level, 100, 100), expected)


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "text", "striped"])
def test_a_file_that_is_no_slide_is_named(rgb, tmp_path, kind):
    path = tmp_path / "C2.tif"
    make = {
        "missing": lambda: None,
        "folder": path.mkdir,
        "empty": path.touch,
        "text": lambda: path.write_text("not a slide"),
        "striped": lambda: tifffile.imwrite(path, rgb, photometric="rgb"),
    }
    make[kind]()
    with (
        pytest.raises(InputError, match=r"section S1: .*C2\.tif: OpenSlide cannot open it .*; expected"),
        about(section="S1"),
    ):
        Slide(path)


def assert_damage_is_met_at(path, x, y):
    with Slide(path) as slide:
        slide.read(10, 10, 0, 100, 100)
        with (
            pytest.raises(
                InputError, match=rf"section S1: .*slide\.tiff: .*x={x}, y={y} \(level 0"
            ) as caught,
            about(section="S1"),
        ):
            slide.read(x, y, 0, 100, 80)
    assert "copy or export the slide again" in str(caught.value)


@pytest.mark.parametrize("compression", ["deflate", "jpeg"])
def test_a_damaged_tile_is_named_with_its_place(rgb, write_slide, compression):
    path = write_slide(rgb, compression=compression)
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[0].dataoffsets[-1]
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(b"\xaa" * 400)
    assert_damage_is_met_at(path, 850, 600)


def test_damage_is_narrowed_down_in_the_low_resolution_image(rgb, write_slide):
    path = write_slide(rgb, downsamples=(2,))
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[1].dataoffsets[-1]  # of the tile from 256, 256 on in level 1
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(b"\xaa" * 400)
    with (
        Slide(path) as slide,
        pytest.raises(InputError, match=r"x=512, y=512 \(level 1, 128 x 94 px\) cannot be read"),
    ):
        slide.low_resolution(200)


ALPHA = np.where(np.arange(WIDTH) < 300, 100, 255).astype(np.uint8)[:, None] * np.ones(
    (HEIGHT, 1, 1), np.uint8
)


@pytest.mark.parametrize("kind", ["rgba", "16_bit", "cmyk", "palette"])
def test_other_pixels_than_8_bit_rgb_are_seen_as_colours(rgb, write_slide, kind):
    shade = np.array([200, 120, 160], np.uint8)
    if kind == "rgba":
        path = write_slide(np.dstack([rgb, ALPHA]), extrasamples=["unassalpha"])
        expected = rgb * (ALPHA / 255) + (255 - ALPHA)
    elif kind == "16_bit":
        path, expected = write_slide(rgb.astype(np.uint16) * 257), rgb
    elif kind == "cmyk":
        inks = np.zeros((HEIGHT, WIDTH, 4), np.uint8) + np.append(255 - shade, 0).astype(np.uint8)
        path, expected = write_slide(inks, photometric="separated"), shade
    else:
        colours = np.zeros((3, 256), np.uint16)
        colours[:, 7] = shade.astype(np.uint16) * 257
        index = np.full((HEIGHT, WIDTH), 7, np.uint8)
        path, expected = write_slide(index, photometric="palette", colormap=colours), shade
    with Slide(path) as slide:
        seen = np.asarray(slide.read(0, 0, 0, WIDTH, HEIGHT)).astype(float)
        lowres, _ = slide.low_resolution(WIDTH)
    assert np.abs(seen - expected).max() <= 2
    assert np.array_equal(lowres, seen)


def test_a_file_cut_off_in_the_middle_is_named_with_the_place(write_slide):
    # OpenSlide hashes all tiles of smaller images when it opens them, and refuses them at once.
    path = write_slide(np.full((1600, 1400, 3), 90, np.uint8), compression=None)
    os.truncate(path, path.stat().st_size // 2)
    assert_damage_is_met_at(path, 700, 1400)


# Resolution tags (x, y, unit), and the scale that they tell.
TAGS = {
    "pixels per centimetre": ((20_000, 20_000, "CENTIMETER"), 0.5),
    "pixels per inch": ((50_800, 50_800, "INCH"), 0.5),
    "nearly square": ((20_000, 20_100, "CENTIMETER"), 0.49875),
    "not square": ((20_000, 40_000, "CENTIMETER"), None),
    "screen, 72 dpi": ((72, 72, "INCH"), None),
    "rewritten without a known scale": ((10, 10, "CENTIMETER"), None),
    "too fine": ((10**7, 10**7, "CENTIMETER"), None),
    "no unit": ((20_000, 20_000, "NONE"), None),
}


@pytest.mark.parametrize("name", TAGS)
def test_the_scale_is_taken_from_believable_tags_only(rgb, write_slide, name):
    (*resolution, unit), mpp = TAGS[name]
    path = write_slide(rgb, resolution=tuple(resolution), resolutionunit=unit)
    with Slide(path) as slide:
        assert slide.tagged_mpp == (None if mpp is None else pytest.approx(mpp, rel=1e-3))


def test_without_tags_there_is_no_scale(rgb, write_slide):
    path = write_slide(rgb)
    with openslide.OpenSlide(path) as handle:
        assert "openslide.mpp-x" not in handle.properties
    with Slide(path) as slide:
        assert slide.tagged_mpp is None


@pytest.mark.parametrize("longest_px", [2000, 1000, 999, 400, 150, 90, 7])
def test_the_low_resolution_image_is_made_of_block_averages(rgb, write_slide, block_means, longest_px):
    with Slide(write_slide(rgb)) as slide:
        image, downsample = slide.low_resolution(longest_px)
    assert downsample == -(-WIDTH // longest_px)
    assert max(image.shape) <= longest_px
    assert np.abs(image - block_means(rgb, int(downsample))).max() <= 1


@pytest.mark.parametrize("longest_px", [500, 250, 125, 63])
def test_the_low_resolution_image_does_not_depend_on_pyramid_levels(rgb, write_slide, longest_px):
    with (
        Slide(write_slide(rgb, "flat.tiff")) as flat,
        Slide(write_slide(rgb, "pyramid.tiff", downsamples=(2, 4))) as pyramid,
    ):
        (one, coarseness), (other, same) = flat.low_resolution(longest_px), pyramid.low_resolution(longest_px)
    assert coarseness == same
    assert np.abs(one.astype(int) - other).max() <= 1


def test_the_low_resolution_image_is_read_in_bounded_blocks_without_seams(rgb, write_slide, monkeypatch):
    with Slide(write_slide(rgb)) as slide:
        whole, _ = slide.low_resolution(150)
        sizes = []
        read = slide.read
        monkeypatch.setattr(slide, "read", lambda *region: sizes.append(region[-2:]) or read(*region))
        monkeypatch.setattr(module, "BLOCK_PX", 100)
        in_blocks, _ = slide.low_resolution(150)
    assert np.array_equal(in_blocks, whole)
    assert len(sizes) > 50
    assert np.max(sizes) <= 100


def test_levels_of_odd_size_leave_no_seams(write_slide, monkeypatch):
    """A level of a slide with odd edges is not a whole fraction of it, and blocks start between pixels."""
    monkeypatch.setattr(module, "BLOCK_PX", 64)
    path = write_slide(np.full((771, 1003, 3), (200, 120, 160), np.uint8), downsamples=(4,))
    with Slide(path) as slide:
        assert slide.downsamples[1] != 4
        image, _ = slide.low_resolution(130)
    assert np.abs(image.astype(int) - (200, 120, 160)).max() <= 1


def test_the_fingerprint_is_of_the_content_alone(rgb, write_slide, tmp_path):
    def fingerprint(path):
        with Slide(path) as slide:
            return slide.fingerprint()

    path = write_slide(rgb, downsamples=(4,))
    first = fingerprint(path)
    copy = tmp_path / "elsewhere" / "other.tif"
    copy.parent.mkdir()
    shutil.copy(path, copy)
    os.utime(copy, (1e9, 1e9))
    assert fingerprint(copy) == first

    changed = rgb.copy()
    changed[0, 0, 0] ^= 1
    assert fingerprint(write_slide(changed, "changed.tiff", downsamples=(4,))) != first
