"""What is seen of a slide in a first look is what the steps after it will see, or a sentence."""

import shutil
import struct
import subprocess
import sys
import time

import numpy as np
import pytest
import tifffile

from ressat.base.errors import InputError, about
from ressat.checks.slide_content import check_colour
from ressat.checks.thumbnail import thumbnail
from ressat.slides.formats import needs_conversion
from ressat.slides.pyramid import convert
from ressat.slides.slide import Slide
from slide_files import (
    HEIGHT,
    ON_WHITE,
    PLANES,
    RGB,
    RGB16,
    RGBA,
    WIDTH,
    damaged,
    ome,
    ome_image,
    ome_xml,
    pages,
    pillow,
    spoil_tile,
    tiff,
    tiled,
    vips,
)

DIVIDED = {"planarconfig": "separate"}
ONE_UM = 'PhysicalSizeX="1" PhysicalSizeY="1"'
NAMED = ome_xml(ome_image(channels=['Name="R"', 'Name="G"', 'Name="B"']))
GREY = RGB[..., 0].copy()


def centimetre(per_cm, **kw):
    return {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"} | kw


# name: how to write it, what must be seen, whether through libvips
SLIDES = {
    "plain.jpg": (pillow(quality=95), RGB, True),
    "progressive.jpg": (pillow(quality=95, progressive=True), RGB, True),
    "alpha.png": (pillow(RGBA), ON_WHITE, True),
    "16_bit.png": (vips("rgb16", bitdepth=16), RGB, True),
    "plain.webp": (pillow(lossless=True), RGB, True),
    "striped.TIF": (tiff(), RGB, True),
    "BIG.BTF": (tiff(bigtiff=True), RGB, True),
    "planar.tif": (tiff(PLANES, **DIVIDED), RGB, True),
    "ome.ome.tif": (ome(), RGB, True),
    "subifd.ome.tiff": (ome(levels=2), RGB, True),
    "planes.ome.tif": (pages(list(PLANES), NAMED, tile=(128, 128)), RGB, True),
    "tiled.tiff": (tiled(), RGB, False),
    "big_tiled.btf": (tiled(bigtiff=True), RGB, False),
    "scan.qptiff": (tiled(), RGB, False),
    "tiled_alpha.tif": (tiled(RGBA, extrasamples=["unassalpha"]), ON_WHITE, False),
    "tiled_16_bit.tif": (tiled(RGB16), RGB, False),
    "tiled_planar.ome.tif": (ome(PLANES, **DIVIDED), RGB, False),
}


@pytest.mark.parametrize("name", SLIDES)
def test_a_slide_is_seen_at_low_resolution(name, tmp_path, block_means):
    write, expected, converted = SLIDES[name]
    path = tmp_path / name
    write(path)
    assert needs_conversion(path) is converted
    seen = thumbnail(path, 180)
    assert (seen.size, seen.downsample) == ((WIDTH, HEIGHT), 4)
    assert (seen.lowres.shape, seen.lowres.dtype) == ((125, 175, 3), np.uint8)
    assert np.abs(seen.lowres - block_means(expected, 4)).mean() < 1.5
    assert seen.tagged_mpp == (pytest.approx(0.345) if "ome" in name and "planes" not in name else None)


@pytest.mark.parametrize("longest_px", [1000, 699, 350, 99, 7])
@pytest.mark.parametrize("name", ["plain.png", "subifd.ome.tif"])
def test_the_preview_is_what_the_prepared_slide_will_show(name, longest_px, tmp_path):
    path = tmp_path / name
    (pillow() if name == "plain.png" else ome(levels=3))(path)
    seen = thumbnail(path, longest_px)
    convert(path, tmp_path / "slide", mpp=0.5)
    with Slide(tmp_path / "slide") as slide:
        lowres, downsample = slide.low_resolution(longest_px)
    assert max(seen.lowres.shape) <= longest_px
    assert (seen.size, seen.downsample) == ((WIDTH, HEIGHT), pytest.approx(downsample, rel=0.01))
    inside = slice(0, -1)  # where the image ends, the last blocks are partly filled
    assert np.abs(seen.lowres[inside, inside].astype(float) - lowres[inside, inside]).mean() < 3


INFRARED = np.dstack([RGB, 255 - RGB[..., :1]])
MASKED = np.dstack([RGBA, RGB[..., :1] // 2])


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (tiff(INFRARED, extrasamples=["unspecified"]), RGB),
        (tiled(INFRARED, extrasamples=["unspecified"], compression="deflate"), RGB),
        (tiled(np.dstack([INFRARED, RGB[..., :1]]), extrasamples=["unspecified"] * 2), RGB),
        (tiff(MASKED, extrasamples=["unassalpha", "unspecified"]), ON_WHITE),
    ],
)
def test_channels_that_are_no_transparency_are_left_out(write, expected, tmp_path, block_means, caplog):
    write(tmp_path / "slide.tif")
    seen = thumbnail(tmp_path / "slide.tif", 180)
    assert np.abs(seen.lowres - block_means(expected, 4)).mean() < 1.5
    assert "those neither of colour nor marked as transparency are left out" in caplog.text


CLEAR = np.dstack([RGB, np.zeros_like(RGB[..., :1])])


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("clear.png", pillow(CLEAR)),
        ("clear.webp", pillow(CLEAR, lossless=True, exact=True)),
        ("striped.tif", tiff(CLEAR, extrasamples=["unassalpha"])),
        ("tiled.tif", tiled(CLEAR, extrasamples=["assocalpha"])),
    ],
)
def test_a_slide_of_which_nothing_is_opaque_is_told_as_that(name, write, tmp_path):
    write(tmp_path / name)
    with pytest.raises(
        InputError, match=rf"{name}: every pixel is transparent .*; save it again without its"
    ):
        thumbnail(tmp_path / name, 180)


@pytest.mark.parametrize("alpha", [None, 255])
def test_a_white_slide_is_not_transparent(alpha, tmp_path):
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    if alpha:
        white = np.dstack([white, white[..., :1]])
    pillow(white)(tmp_path / "white.png")
    assert (thumbnail(tmp_path / "white.png", 180).lowres == 255).all()


@pytest.mark.parametrize("unit", [4, 5, 0])
@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}])
def test_a_unit_of_resolution_that_tiff_does_not_have_is_none(unit, options, tmp_path, block_means):
    path = tmp_path / "slide.tif"
    tiff(resolution=(2000, 2000), resolutionunit=2, compression="deflate", **options)(path)
    with tifffile.TiffFile(path) as opened:
        place, order = opened.pages[0].tags["ResolutionUnit"].valueoffset, opened.byteorder
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(struct.pack(order + "H", unit))
    seen = thumbnail(path, 180)
    assert seen.tagged_mpp is None
    assert np.abs(seen.lowres - block_means(RGB, 4)).mean() < 1.5


def test_the_turn_of_a_camera_is_not_applied(tmp_path):
    path = tmp_path / "turned.jpg"
    pillow(exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", quality=95)(path)
    assert thumbnail(path, 1000).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("name", "write", "mpp"),
    [
        ("a.jpg", pillow(dpi=(50800, 50800)), 0.5),
        ("a.png", pillow(dpi=(50800, 50800)), 0.5),
        ("cm.tif", tiff(**centimetre(20000.0)), 0.5),
        ("tiled.tif", tiled(**centimetre(20000.0)), 0.5),
        ("inch.tif", tiff(resolution=(25400 / 0.735,) * 2, resolutionunit="INCH"), 0.735),
        ("ome.tif", ome(), 0.345),
        ("ome_over_tags.tif", ome(**centimetre(20000.0)), 0.345),
        ("ome_nm.tif", ome(mpp=345.0, unit="nm"), 0.345),
        ("ome_pixel.tif", ome(unit="pixel"), None),
        ("ome_tags.tif", ome(mpp=None, **centimetre(20000.0)), 0.5),
        ("ome_planar.tif", ome(PLANES, **DIVIDED, **centimetre(20000.0)), 0.345),
        (
            "another_size.tif",
            pages([RGB], ome_xml(ome_image(size=(70, 50), pixels=ONE_UM))),
            None,
        ),
        ("this_size.tif", pages([RGB], ome_xml(ome_image(pixels=ONE_UM))), 1.0),
        ("none.jpg", pillow(), None),
        ("none.png", pillow(), None),
        ("none.tif", tiff(), None),
        ("dpi72.jpg", pillow(dpi=(72, 72)), None),
        ("dpi96.png", pillow(dpi=(96, 96)), None),
        ("dpi300.tif", tiff(resolution=(300, 300), resolutionunit="INCH"), None),
        ("too_fine.tif", tiff(**centimetre(200000.0)), None),
        ("zero.tif", tiff(**centimetre(0.0)), None),
        ("no_unit.tif", tiff(resolution=(2000.0, 2000.0), resolutionunit="NONE"), None),
        ("nearly_square.tif", tiff(resolution=(20000.0, 20100.0), resolutionunit="CENTIMETER"), 0.49875),
        ("unequal.tif", tiff(resolution=(20000.0, 10000.0), resolutionunit="CENTIMETER"), None),
    ],
)
def test_the_files_own_mpp_is_taken_where_it_is_believable(name, write, mpp, tmp_path):
    path = tmp_path / name
    write(path)
    assert thumbnail(path, 100).tagged_mpp == (None if mpp is None else pytest.approx(mpp, rel=1e-3))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("grey.jpg", pillow(GREY)),
        ("grey.png", pillow(GREY)),
        ("grey_as_rgb.png", pillow(np.dstack([GREY] * 3))),
        ("grey.tif", tiff(GREY, photometric="minisblack")),
        ("grey_tiled.tif", tiled(GREY, photometric="minisblack")),
        ("grey_16_bit_tiled.tif", tiled(RGB16[..., 0].copy(), photometric="minisblack")),
        ("inverse_tiled.tif", tiled(GREY, photometric="miniswhite")),
        ("grey_as_rgb_tiled.tif", tiled(np.dstack([GREY] * 3), compression="jpeg")),
        ("grey.ome.tif", pages([GREY], ome_xml(ome_image(channels=[""], c=1)), tile=(128, 128))),
    ],
)
def test_a_grey_slide_is_called_grey(name, write, tmp_path):
    path = tmp_path / name
    write(path)
    with (
        pytest.raises(InputError, match=rf"^section S1: .*{name}: .* is grey .*; expected a colour image of"),
        about(section="S1", file=path),
    ):
        check_colour(thumbnail(path, 100).lowres)


@pytest.mark.parametrize("channels", [["", "", ""], ['Name="DAPI"', 'Name="FITC"', 'Name="TRITC"'], ["", ""]])
def test_the_channels_of_fluorescence_are_refused(channels, tmp_path):
    path = tmp_path / "slide.ome.tif"
    pages(list(PLANES)[: len(channels)], ome_xml(ome_image(channels=channels, c=len(channels))))(path)
    sentence = (
        rf"slide\.ome\.tif: it consists of {len(channels)} separate images .*; expected a colour .*; export"
    )
    with pytest.raises(InputError, match=rf"^section S1: .*{sentence}"), about(section="S1"):
        thumbnail(path, 100)


@pytest.mark.parametrize("suffix", [".svs", ".ndpi", ".mrxs", ".tif", ".jpg", ".png"])
@pytest.mark.parametrize("kind", ["missing", "empty", "folder", "text"])
def test_what_is_no_slide_is_refused_in_one_sentence(suffix, kind, tmp_path):
    path = tmp_path / f"slide{suffix}"
    {"missing": int, "empty": path.touch, "folder": path.mkdir, "text": lambda: path.write_text("<html>404")}[
        kind
    ]()
    found = {"empty": "the file is empty", "missing": "cannot", "folder": "cannot", "text": "not"}[kind]
    with (
        pytest.raises(
            InputError, match=rf"^section S1: .*slide\{suffix}: .*{found}.*; expected .*; "
        ) as error,
        about(section="S1"),
    ):
        thumbnail(path, 100)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "write", "damage", "place"),
    [
        ("cut.jpg", pillow(), (0.6, 1), "from row 272 of 500 on"),
        ("cut.png", pillow(), (0.6, 1), "from row 2.. of 500 on"),
        ("cut.tif", tiff(rowsperstrip=50), (0.6, 1), "of 10 strips lie beyond the file's end"),
        ("cut_tiled.tif", tiled(), (0.6, 1), "of 24 tiles lie beyond the file's end"),
        ("strip.tif", tiff(compression="deflate", rowsperstrip=32), 5, "from row 160 of 500 on"),
        (
            "tile.ome.tif",
            ome(compression="deflate"),
            9,
            "in the tile of 128 x 128 px at level-0 pixel x=384, y=128",
        ),
        ("tile.tif", tiled(compression="jpeg"), 9, "at level-0 pixel x=384, y=128"),
    ],
)
def test_damage_is_named_with_its_place(name, write, damage, place, tmp_path):
    path = tmp_path / name
    write(path)
    damaged(path, *damage) if isinstance(damage, tuple) else spoil_tile(path, damage)
    sentence = rf"^section S1: .*{name}: .*{place}.*; expected .*; "
    with pytest.raises(InputError, match=sentence), about(section="S1"):
        thumbnail(path, 100)


@pytest.mark.parametrize(("name", "other"), [("a.png", "openslide"), ("a.tif", "pyvips")])
def test_one_of_the_two_libraries_is_enough(name, other, repository, tmp_path):
    (pillow() if name == "a.png" else tiled())(tmp_path / name)
    code = (
        f"import sys; sys.modules[{other!r}] = None\n"
        "from ressat.checks.thumbnail import thumbnail\n"
        f"print(thumbnail({str(tmp_path / name)!r}, 100).size)"
    )
    path = {"PYTHONPATH": str(repository / "workflow_scripts")}
    done = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True, check=False)
    assert done.stdout == "(700, 500)\n", done.stderr


REAL = {
    "her2st/images/C2.jpg": ((9274, 9911), None),
    "mob/MOB1.jpg": ((1905, 1905), None),
    "wsi/kidney-48-5.tif": ((1493, 901), None),
    "wsi/cmu-1-small-region.svs": ((2220, 2967), 0.499),
    "wsi/tcga-cr-7395-01a-01-ts1.svs": ((4443, 3567), None),
}


@pytest.mark.parametrize("name", REAL)
def test_a_real_slide_is_seen_within_seconds(name, shared):
    start = time.perf_counter()
    seen = thumbnail(shared / "data" / name, 1200)
    assert time.perf_counter() - start < 5  # seconds; measured: 0.3
    assert (seen.size, seen.tagged_mpp) == REAL[name]
    assert 600 <= max(seen.lowres.shape) <= 1200
    check_colour(seen.lowres)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", [name for name in REAL if "MOB" not in name])
def test_a_real_slide_cut_short_is_refused(name, share, shared, tmp_path):
    path = tmp_path / name.rpartition("/")[2]
    shutil.copyfile(shared / "data" / name, path)
    damaged(path, share, 1)
    sentence = rf"^section S1: .*{path.name}: .*; expected .*; "
    with pytest.raises(InputError, match=sentence) as error, about(section="S1"):
        thumbnail(path, 1200)
    assert "\n" not in str(error.value)
