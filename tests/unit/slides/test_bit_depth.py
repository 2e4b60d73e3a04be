"""Values of 8 to 15 bits in 16-bit images are scaled by the bits that they use, and this is said."""

import numpy as np
import pytest
import pyvips
import tifffile

from ressat.base.errors import InputError
from ressat.checks.thumbnail import thumbnail
from ressat.slides.few_bits import bits_behind, bits_of
from ressat.slides.formats import needs_conversion
from ressat.slides.pyramid import convert
from ressat.slides.slide import Slide
from slide_files import ALPHA, HEIGHT, ON_WHITE, PLANES, RGB, WIDTH, ome, spoil_tile, tiff, tiled

FEW = tuple(range(8, 16))


def with_bits(bits, data=RGB):
    """The picture with values from 0 to nearly the largest of some bits."""
    return (data.astype(np.uint32) * (2**bits - 1) // int(RGB.max())).astype(np.uint16)


def png(data):
    return lambda path: pyvips.Image.new_from_array(data, interpretation="rgb16").write_to_file(str(path))


# What is rewritten for OpenSlide: name and how to write it with some bits.
REWRITTEN = {
    "strips.tif": lambda data: tiff(data),
    "deflate.tif": lambda data: tiff(data, compression="deflate", predictor=True, rowsperstrip=27),
    "planar.tif": lambda data: tiff(np.ascontiguousarray(np.moveaxis(data, -1, 0)), planarconfig="separate"),
    "a.png": png,
    "one.ome.tif": lambda data: ome(data),
    "pyramid.ome.tif": lambda data: ome(data, levels=2),
}
STRETCHED = with_bits(8).astype(float)


@pytest.mark.parametrize("name", REWRITTEN)
@pytest.mark.parametrize("bits", FEW)
def test_few_bits_are_scaled_and_said(name, bits, tmp_path, caplog):
    path = tmp_path / name
    REWRITTEN[name](with_bits(bits))(path)
    look = thumbnail(path, 1200)
    assert np.abs(look.lowres.astype(float) - STRETCHED).mean() < 2
    said = (
        f"its largest value is {2**bits - 1} of 65535: it is read as one of {bits} bits (0 to {2**bits - 1})"
    )
    assert said in caplog.text
    convert(path, tmp_path / "converted.tiff", mpp=0.5)
    with Slide(tmp_path / "converted.tiff") as slide:
        pixels = np.asarray(slide.read(0, 0, 0, WIDTH, HEIGHT)).astype(float)
    assert np.abs(pixels - STRETCHED).mean() < 2


@pytest.mark.parametrize("name", REWRITTEN)
def test_all_bits_are_read_as_ever(name, tmp_path, caplog):
    path = tmp_path / name
    REWRITTEN[name](with_bits(16))(path)
    assert np.abs(thumbnail(path, 1200).lowres.astype(float) - STRETCHED).mean() < 2
    assert "largest value" not in caplog.text


@pytest.mark.parametrize("bits", FEW)
@pytest.mark.parametrize("full_alpha", [False, True])
def test_transparency_has_its_own_bits(bits, full_alpha, tmp_path):
    alpha = (ALPHA.astype(np.uint32) * (2 ** (16 if full_alpha else bits) - 1) // 255).astype(np.uint16)
    data = np.dstack([with_bits(bits), np.broadcast_to(alpha, (HEIGHT, WIDTH))])
    tiff(data, extrasamples=["unassalpha"])(tmp_path / "a.tif")
    share = 255 / int(RGB.max())
    white = ON_WHITE * share + (255 - ALPHA[:, None]) * (1 - share)
    assert np.abs(thumbnail(tmp_path / "a.tif", 1200).lowres - white).mean() < 3


@pytest.mark.parametrize("bits", FEW)
@pytest.mark.parametrize("name", ["a.tif", "a.svs"])
def test_a_tiled_slide_is_refused_with_value_and_bits(bits, name, tmp_path):
    """OpenSlide opens it, and keeps the upper 8 of 16 bits."""
    path = tmp_path / name
    tiled(with_bits(bits))(path)
    assert not needs_conversion(path)
    said = (
        rf"{name}: .*its largest value is {2**bits - 1} of 65535: it seems to have {bits} bits, .*; expected"
    )
    with pytest.raises(InputError, match=said):
        thumbnail(path, 1200)


@pytest.mark.parametrize("bits", FEW[:-1])  # 15 bits cannot be told from a dark slide of 16
def test_tiles_of_separate_planes_are_refused_by_what_openslide_gives(bits, tmp_path):
    tiled(with_bits(bits, PLANES), planarconfig="separate")(tmp_path / "a.tif")
    with pytest.raises(InputError, match=rf"value is about \d+ of 65535: it seems to have {bits} bits"):
        thumbnail(tmp_path / "a.tif", 1200)


@pytest.mark.parametrize("tag", [281, 341])
@pytest.mark.parametrize("bits", [12, 14])
def test_stated_bits_are_believed_of_a_dark_slide(tag, bits, tmp_path, caplog):
    """The values alone would do with fewer; a tiled slide is rewritten, because OpenSlide ignores the tag."""
    dark = with_bits(bits) // 8
    stated = [(tag, "H", 3, (2**bits - 1,) * 3, True)]
    for write, name in ((tiff, "strips.tif"), (tiled, "tiles.tif")):
        write(dark, extratags=stated)(tmp_path / name)
        assert needs_conversion(tmp_path / name)
        assert np.abs(thumbnail(tmp_path / name, 1200).lowres - STRETCHED / 8).mean() < 2
        assert f"it is read as one of {bits} bits" in caplog.text


def test_a_value_that_contradicts_the_tag_counts(tmp_path, caplog):
    tiff(with_bits(14), extratags=[(341, "H", 3, (1023,) * 3, True)])(tmp_path / "a.tif")
    thumbnail(tmp_path / "a.tif", 1200)
    assert "it is read as one of 14 bits" in caplog.text


def test_bits_that_the_xml_states_are_believed(tmp_path, caplog):
    path = tmp_path / "a.ome.tif"
    metadata = {"axes": "YXS", "SignificantBits": 12}
    tifffile.imwrite(path, with_bits(10) // 4, photometric="rgb", ome=True, metadata=metadata)
    thumbnail(path, 1200)
    assert "it is read as one of 12 bits" in caplog.text


@pytest.mark.parametrize(("bits", "width"), [(12, 400), (10, 480), (14, 400)])
def test_packed_bits_are_refused_by_their_number(bits, width, tmp_path):
    path = tmp_path / "a.tif"
    data = np.random.default_rng(0).integers(0, 255, (64, width * bits // 8, 3), np.uint8)
    tiff(data)(path)
    with tifffile.TiffFile(path, mode="r+") as opened:
        opened.pages[0].tags["BitsPerSample"].overwrite((bits,) * 3)
        opened.pages[0].tags["ImageWidth"].overwrite(width)
    with pytest.raises(
        InputError, match=f"a.tif: its channels have {bits} bits, packed without gaps; expected"
    ):
        thumbnail(path, 1200)


def test_a_damaged_image_of_few_bits_is_refused_with_the_place(tmp_path):
    path = tmp_path / "a.tif"
    tiff(with_bits(12), rowsperstrip=50, compression="deflate")(path)
    spoil_tile(path, 6)
    with pytest.raises(InputError, match=r"a\.tif: the picture cannot be read from row \d+ of 500 on"):
        thumbnail(path, 1200)


HOT = [(7, 9, 65535), (200, 300, 65535), (499, 399, 40000)]


def with_hot_pixels(data):
    hot = data.copy()
    for y, x, value in HOT:
        hot[y % HEIGHT, x % WIDTH, 1] = value
    return hot


@pytest.mark.parametrize("name", REWRITTEN)
@pytest.mark.parametrize("bits", [8, 12, 13])
def test_hot_pixels_say_nothing_about_the_bits(name, bits, tmp_path, caplog):
    path = tmp_path / name
    REWRITTEN[name](with_hot_pixels(with_bits(bits)))(path)
    assert np.abs(thumbnail(path, 1200).lowres.astype(float) - STRETCHED).mean() < 2
    said = f"but all but 3 of its values are below {2**bits} of 65535: it is read as one of {bits} bits"
    assert said in caplog.text
    convert(path, tmp_path / "converted.tiff", mpp=0.5)
    with Slide(tmp_path / "converted.tiff") as slide:
        pixels = np.asarray(slide.read(0, 0, 0, WIDTH, HEIGHT)).astype(float)
    assert np.abs(pixels - STRETCHED).mean() < 2


def test_hot_pixels_of_a_tiled_slide_hide_its_bits_no_more(tmp_path):
    tiled(with_hot_pixels(with_bits(12)))(tmp_path / "a.tif")
    said = "all but 3 of its values are below 4096 of 65535: it seems to have 12 bits"
    with pytest.raises(InputError, match=said):
        thumbnail(tmp_path / "a.tif", 1200)


def test_what_more_than_one_value_in_a_thousand_needs_counts(tmp_path, caplog):
    data = with_bits(12)
    data[: HEIGHT // 100, : WIDTH // 5] = 65535  # 2 in a thousand
    tiff(data)(tmp_path / "a.tif")
    assert np.abs(thumbnail(tmp_path / "a.tif", 1200).lowres.mean() - STRETCHED.mean() / 16) < 2
    assert "all but" not in caplog.text


@pytest.mark.parametrize(
    ("value", "bits"),
    [(0, 8), (255, 8), (256, 9), (1023, 10), (1024, 11), (4095, 12), (16383, 14), (16384, 15), (32768, 16)],
)
def test_bits_are_the_fewest_that_a_value_needs(value, bits):
    assert bits_of(value) == bits
    for kept in (round(value / 257), value >> 8):  # readers round, or keep the upper 8
        behind = bits_behind(np.full((9, 9, 3), kept, np.uint8))
        assert behind.largest <= value
        assert behind.bits <= bits
