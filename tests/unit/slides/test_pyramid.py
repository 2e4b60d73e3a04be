"""What prepare_slide writes must be, to OpenSlide, the picture that was given."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import openslide
import pytest
import tifffile
from PIL import Image

from ressat.base.errors import InputError, about
from ressat.base.files import replacing
from ressat.checks.record import CheckRecord
from ressat.slides.formats import needs_conversion
from ressat.slides.pyramid import convert
from slide_files import (
    HEIGHT,
    JUNK,
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
    palette,
    pillow,
    spoil_tile,
    tiff,
    tiled,
    vips,
)

RGB_PLANES_XML = ome_xml(ome_image(channels=('Name="red"', 'Name="green"', 'Name="blue"')))

# file name: how to write it, and what must be seen (default: RGB)
PICTURES = {
    "baseline.jpg": (pillow(quality=95), RGB),
    "progressive.jpg": (pillow(quality=95, progressive=True), RGB),
    "cmyk.jpg": (lambda path: Image.fromarray(RGB).convert("CMYK").save(path, quality=95), None),
    "plain.png": (pillow(), RGB),
    "alpha.png": (pillow(RGBA), ON_WHITE),
    "16_bit.png": (vips("rgb16", bitdepth=16), RGB),
    "lossless.webp": (pillow(lossless=True), RGB),
    "striped.tif": (tiff(), RGB),
    "one_strip.tif": (tiff(rowsperstrip=HEIGHT, compression="deflate"), RGB),
    "planar.tif": (tiff(PLANES, planarconfig="separate"), RGB),
    "16_bit.tif": (tiff(RGB16), RGB),
    "alpha.tif": (tiff(RGBA, extrasamples=["unassalpha"]), ON_WHITE),
    "private_tags.tif": (tiff(extratags=[(65000, "s", 0, "scanner", True)]), RGB),
    "webp_tiles.tif": (tiff(tile=(256, 256), compression="webp", compressionargs={"lossless": True}), RGB),
    # tifffile writes a description of its own after the user's: the tag is there twice.
    "described.tif": (tiff(description="H&E of section 1", metadata={}), RGB),
    "described_strips.tif": (
        tiff(description="scan\n2", metadata={}, rowsperstrip=64, compression="deflate", byteorder=">"),
        RGB,
    ),
    "described_tiles.btf": (
        tiled(description="x" * 300, metadata={}, bigtiff=True, compression="webp"),
        None,
    ),
    "described_planes.tif": (tiff(PLANES, description="a", metadata={}, planarconfig="separate"), RGB),
    "lab.tif": (vips("lab"), RGB),
    "palette.tif": (palette, None),
    "palette.png": (palette, None),
    "BIG.BTF": (tiff(bigtiff=True), RGB),
    "big_tiled.btf": (tiled(bigtiff=True, compression="webp", compressionargs={"lossless": True}), RGB),
    "scan.qptiff": (tiff(), RGB),
    "one_level.ome.tif": (ome(), RGB),
    "subifd.ome.tiff": (ome(levels=3), RGB),
    "striped_planar.ome.tif": (ome(PLANES, planarconfig="separate", tile=None), RGB),
    "three_planes.ome.tif": (pages(list(PLANES), RGB_PLANES_XML, tile=(128, 128)), RGB),
}


def read(path, level=0):
    with openslide.OpenSlide(path) as slide:
        region = np.asarray(slide.read_region((0, 0), level, slide.level_dimensions[level]))
    assert (region[..., 3] == 255).all(), "transparent pixels"
    return region[..., :3].astype(float)


def mpp_seen(path):
    """The pixel size that OpenSlide reports."""
    with openslide.OpenSlide(path) as slide:
        across, down = (float(slide.properties[f"openslide.mpp-{axis}"]) for axis in "xy")
    assert across == down
    return across


@pytest.fixture
def target(tmp_path):
    """A temporary name as the script gets it, without an ending that tells a format."""
    with replacing(tmp_path / "out" / "slide.tiff") as path:
        yield path
        if not path.exists():
            path.touch()


@pytest.mark.parametrize("name", PICTURES)
def test_a_converted_picture_is_the_picture(name, tmp_path, target):
    write, expected = PICTURES[name]
    source = tmp_path / name
    write(source)
    assert needs_conversion(source)
    assert convert(source, target, mpp=0.5) == (WIDTH, HEIGHT)
    assert mpp_seen(target) == pytest.approx(0.5, rel=1e-3)
    with openslide.OpenSlide(target) as slide:
        assert slide.properties["openslide.vendor"] == "generic-tiff"
        assert slide.dimensions == (WIDTH, HEIGHT)
        assert slide.level_dimensions == ((700, 500), (350, 250), (175, 125))
        assert slide.properties["openslide.level[0].tile-width"] == "256"
    if expected is not None:
        assert np.abs(read(target) - expected).mean() < 2
        half = expected.reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 3).mean((1, 3))
        assert np.abs(read(target, level=1) - half).mean() < 2


def test_a_converted_picture_needs_no_conversion(tmp_path, target):
    source, again = tmp_path / "a.png", tmp_path / "a.tiff"
    pillow()(source)
    convert(source, target, mpp=0.5)
    again.symlink_to(target)
    assert not needs_conversion(again)


def test_cmyk_becomes_similar_rgb(tmp_path, target):
    source = tmp_path / "cmyk.jpg"
    PICTURES["cmyk.jpg"][0](source)
    convert(source, target, mpp=0.5)
    correlation = np.corrcoef(read(target).ravel(), RGB.ravel())[0, 1]
    assert correlation > 0.8  # inks look as their profile says; taken as RGB, they would be far below 0


def test_a_small_picture_has_one_level(tmp_path, target):
    source = tmp_path / "small.png"
    pillow(RGB[:100, :201])(source)
    convert(source, target, mpp=0.5)
    with openslide.OpenSlide(target) as slide:
        assert slide.level_dimensions == ((201, 100),)


@pytest.mark.parametrize("name", ["turned.jpg", "turned.png", "turned.tif"])
def test_stored_pixels_stay_where_they_are(name, tmp_path, target):
    """Spots are given in stored pixels; an EXIF orientation must not move them."""
    source = tmp_path / name
    image = Image.fromarray(RGB)
    exif = image.getexif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees
    image.save(source, exif=exif, quality=95)
    convert(source, target, mpp=0.5)
    assert np.abs(read(target) - RGB).mean() < 2
    with tifffile.TiffFile(target) as written:
        assert {page.tags["Orientation"].value for page in written.pages} == {1}


def test_quality_reaches_the_file(tmp_path):
    source = tmp_path / "a.png"
    pillow()(source)
    for quality in (50, 95):
        convert(source, tmp_path / f"q{quality}", mpp=0.5, quality=quality)
        assert np.abs(read(tmp_path / f"q{quality}") - RGB).mean() < 3
    assert (tmp_path / "q50").stat().st_size < (tmp_path / "q95").stat().st_size / 2


def test_the_same_picture_gives_the_same_pixels(tmp_path):
    source = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, RGB.shape, np.uint8)).save(source)
    for name in ("first", "second"):
        convert(source, tmp_path / name, mpp=0.5)
    for level in range(3):
        assert (read(tmp_path / "first", level) == read(tmp_path / "second", level)).all()


@pytest.mark.parametrize("mpp", [0.1, 0.2527, 0.499, 0.735, 2.27, 10.0])
def test_the_given_mpp_is_what_openslide_reports(mpp, tmp_path, target):
    source = tmp_path / "a.jpg"
    pillow(dpi=(50800, 50800))(source)
    convert(source, target, mpp=mpp)
    assert mpp_seen(target) == pytest.approx(mpp, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "write", "damage", "place"),
    [
        ("cut.jpg", pillow(), (0.6, 1), " from row 272 of 500 on"),
        ("cut_at_end.jpg", pillow(), (0.999, 1), " from row 480 of 500 on"),
        ("cut_progressive.jpg", pillow(progressive=True), (0.6, 1), ""),
        ("cut.png", pillow(), (0.6, 1), " from row 2.. of 500 on"),
        ("cut.webp", pillow(), (0.6, 1), ""),
        ("cut.tif", tiff(rowsperstrip=50), (0.6, 1), " from row 2.. of 500 on"),
        ("corrupt.jpg", pillow(), (0.5, 0.501, JUNK), r", it is damaged within its first \d+ rows"),
        ("corrupt.png", pillow(), (0.5, 0.501, JUNK), " from row 2.. of 500 on"),
        (
            "corrupt_jpeg.tif",
            tiff(compression="jpeg", rowsperstrip=64),
            (0.5, 0.501, bytes(50)),
            " from row .*",
        ),
        (
            "corrupt.ome.tif",
            ome(compression="jpeg"),
            9,
            " in the tile of 128 x 128 px at level-0 pixel x=384, y=128",
        ),
        ("corrupt_strip.tif", tiff(compression="deflate", rowsperstrip=32), 5, " from row 160 of 500 on"),
        (
            "described.tif",
            tiff(description="H&E", metadata={}, compression="deflate", rowsperstrip=32),
            5,
            " from row 160 of 500 on",
        ),
        ("text.jpg", pillow(), (0, 1, b"<html>404 not found</html>"), ""),
        # Decoded by neither OpenSlide nor libvips, which by default gives black pixels for it.
        ("jpeg2000.tif", tiled(compression="jpeg2000"), (1, 1), ""),
    ],
)
def test_a_damaged_picture_is_refused_with_the_place(name, write, damage, place, tmp_path, target):
    source = tmp_path / name
    write(source)
    damaged(source, *damage) if isinstance(damage, tuple) else spoil_tile(source, damage)
    before = source.read_bytes()
    sentence = (
        rf"^section S1: .*{name}: the picture cannot be read{place} \(.+\); expected .+; .*save it again"
    )
    with pytest.raises(InputError, match=sentence) as caught, about(section="S1"):
        convert(source, target, mpp=0.5)
    assert "\n" not in str(caught.value)
    assert (caught.value.section, caught.value.file) == ("S1", str(source))
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "write", "found"),
    [
        ("grey.png", pillow(RGB[..., 0]), r"is grey \(1 channel,"),
        ("grey.jpg", pillow(RGB[..., 0]), r"is grey \(1 channel,"),
        ("grey_alpha.png", pillow(RGBA[..., 2:].copy()), r"is grey \(1 channel,"),
        ("grey.tif", tiff(RGB16[..., 0].copy(), photometric="minisblack"), r"is grey \(1 channel,"),
        ("mask.png", pillow(RGB[..., 0] > 128), r"is grey \(1 channel,"),
        ("float.tif", tiff((RGB / 255).astype(np.float32)), "are of type float"),
        ("signed.tif", tiff(RGB.astype(np.int16)), "are of type short"),
    ],
)
def test_a_picture_that_is_no_colour_picture_is_refused(name, write, found, tmp_path, target):
    source = tmp_path / name
    write(source)
    sentence = rf"^section S1: .*{name}: the picture.* {found}.*; expected .*; "
    with pytest.raises(InputError, match=sentence), about(section="S1"):
        convert(source, target, mpp=0.5)


def test_a_missing_picture_is_refused(tmp_path, target):
    with pytest.raises(InputError, match=r"none\.png: the picture cannot be read \(No such file"):
        convert(tmp_path / "none.png", target, mpp=0.5)


def test_a_failing_disk_is_not_the_pictures_fault(tmp_path):
    source = tmp_path / "a.png"
    pillow()(source)
    with pytest.raises(OSError, match=r"cannot write .*no_such_folder"):
        convert(source, tmp_path / "no_such_folder" / "slide", mpp=0.5)


def run_script(repository, tmp_path, source):
    """Run prepare_slide.py as Snakemake would: with an object `snakemake`, beside the library."""
    checked = tmp_path / "S1.json"
    CheckRecord("S1", WIDTH, HEIGHT, 0.5, "sheet", 1.0, None, None, None, None, []).write(checked)
    given = {
        "input": {"slide": str(source), "checked": str(checked)},
        "output": {"slide": str(tmp_path / "results/slides/S1.tiff")},
        "params": {"jpeg_quality": 90},
        "wildcards": {"sample": "S1"},
        "log": [str(tmp_path / "S1.log")],
        "threads": 1,
    }
    script = repository / "workflow_scripts/prepare_slide.py"
    code = (
        "import runpy\n"
        "from types import SimpleNamespace as N\n"
        f"given = {given!r}\n"
        "snakemake = N(**{k: N(**v) if isinstance(v, dict) else v for k, v in given.items()})\n"
        f"runpy.run_path({str(script)!r}, {{'snakemake': snakemake}})\n"
        "import pyvips\n"
        "assert pyvips.concurrency_get() == 1\n"
    )
    path = {"PYTHONPATH": str(repository / "workflow_scripts")}
    done = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True, check=False)
    return SimpleNamespace(
        status=done.returncode,
        screen=done.stdout + done.stderr,
        log=(tmp_path / "S1.log").read_text(encoding="utf-8"),
        files=sorted(file.name for file in (tmp_path / "results/slides").iterdir()),
    )


def test_the_script_writes_the_slide_at_the_scale_that_was_checked(repository, tmp_path):
    source = tmp_path / "a.jpg"
    pillow()(source)
    done = run_script(repository, tmp_path, source)
    assert (done.status, done.screen, done.files) == (0, "", ["S1.tiff"])
    assert "size: 700 x 500 px" in done.log
    assert mpp_seen(tmp_path / "results/slides/S1.tiff") == pytest.approx(0.5, rel=1e-3)


def test_the_script_ends_in_one_sentence_and_leaves_no_file(repository, tmp_path):
    source = tmp_path / "cut.jpg"
    pillow()(source)
    damaged(source, 0.6, 1)
    done = run_script(repository, tmp_path, source)
    assert (done.status, done.files) == (1, [])
    assert done.screen.startswith(
        f"prepare_slide S1: section S1: {source}: the picture cannot be read from row"
    )
    assert done.screen.count("\n") == 1


def test_a_real_section(shared, target):
    source = shared / "data/wsi/kidney-48-5.tif"
    convert(source, target, mpp=0.5)
    assert np.abs(read(target) - np.asarray(Image.open(source))).mean() < 2
