"""What prepare_slide writes must be, to OpenSlide, the picture that was given."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import openslide
import pytest
import pyvips
import tifffile
from PIL import Image

from ressat.errors import InputError
from ressat.files import replacing
from ressat.pyramid import convert
from ressat.scale import MPP_RANGE
from ressat.slide_format import needs_conversion

WIDTH, HEIGHT = 700, 500


def _picture() -> np.ndarray:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    channels = 120 + 100 * np.sin(x / 37 + y / 91), 150 + 80 * np.cos(y / 53), 180 + 60 * np.sin((x + y) / 71)
    return np.stack(channels, -1).astype(np.uint8)


RGB = _picture()
ALPHA = np.where(np.arange(WIDTH) < 300, 100, 255).astype(np.uint8)
RGBA = np.dstack([RGB, np.broadcast_to(ALPHA, (HEIGHT, WIDTH))])
ON_WHITE = RGB * (ALPHA[:, None] / 255) + (255 - ALPHA[:, None])
RGB16 = RGB.astype(np.uint16) * 257
OME = {"axes": "YXS", "PhysicalSizeX": 0.345, "PhysicalSizeY": 0.345}
PLANES = np.ascontiguousarray(np.moveaxis(RGB, -1, 0))


def pillow(data=RGB, **kw):
    return lambda path: Image.fromarray(data).save(path, **kw)


def tiff(data=RGB, **kw):
    return lambda path: tifffile.imwrite(path, data, **({"photometric": "rgb", "metadata": None} | kw))


def vips(interpretation, **kw):
    image = pyvips.Image.new_from_array(RGB16).copy(interpretation="rgb16")
    return lambda path: image.colourspace(interpretation).write_to_file(path, **kw)


def ome(path):
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(RGB, photometric="rgb", tile=(256, 256), metadata=OME, subifds=1)
        writer.write(RGB[::2, ::2].copy(), photometric="rgb", tile=(256, 256), subfiletype=1)


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
    "lab.tif": (vips("lab"), RGB),
    "subifd.tif": (ome, RGB),
}


def read(path, level=0):
    with openslide.OpenSlide(path) as slide:
        region = np.asarray(slide.read_region((0, 0), level, slide.level_dimensions[level]))
    assert (region[..., 3] == 255).all(), "transparent pixels"
    return region[..., :3].astype(float)


def mpp_seen(path):
    """The pixel size as a reader takes it: what OpenSlide reports, where it is believable."""
    with openslide.OpenSlide(path) as slide:
        found = [slide.properties.get(name) for name in ("openslide.mpp-x", "openslide.mpp-y")]
    low, high = MPP_RANGE
    found = {round(float(value), 9) for value in found if value and low <= float(value) <= high}
    assert len(found) < 2
    return found.pop() if found else None


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
    written = convert(source, target, section="S1", mpp=0.5)
    assert (written.width, written.height, written.mpp, written.mpp_source) == (WIDTH, HEIGHT, 0.5, "sheet")
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
    convert(source, target, section="S1")
    again.symlink_to(target)
    assert not needs_conversion(again)


def test_cmyk_becomes_similar_rgb(tmp_path, target):
    source = tmp_path / "cmyk.jpg"
    PICTURES["cmyk.jpg"][0](source)
    convert(source, target, section="S1")
    correlation = np.corrcoef(read(target).ravel(), RGB.ravel())[0, 1]
    assert correlation > 0.8  # inks look as their profile says; taken as RGB, they would be far below 0


def test_a_small_picture_has_one_level(tmp_path, target):
    source = tmp_path / "small.png"
    pillow(RGB[:100, :201])(source)
    convert(source, target, section="S1")
    with openslide.OpenSlide(target) as slide:
        assert slide.level_dimensions == ((201, 100),)


def test_no_description_of_the_source_is_carried_over(tmp_path, target):
    """It may name a patient."""
    source = tmp_path / "a.tif"
    tiff(description="patient 17", software="scanner")(source)
    convert(source, target, section="S1")
    with tifffile.TiffFile(target) as written:
        tags = {tag.name: tag.value for page in written.pages for tag in page.tags}
    assert not {"ImageDescription", "Software", "InterColorProfile", "XMP"} & set(tags)


@pytest.mark.parametrize("name", ["turned.jpg", "turned.png", "turned.tif"])
def test_stored_pixels_stay_where_they_are(name, tmp_path, target):
    """Spots are given in stored pixels; an EXIF orientation must not move them."""
    source = tmp_path / name
    image = Image.fromarray(RGB)
    exif = image.getexif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees
    image.save(source, exif=exif, quality=95)
    convert(source, target, section="S1")
    assert np.abs(read(target) - RGB).mean() < 2
    with tifffile.TiffFile(target) as written:
        assert {page.tags["Orientation"].value for page in written.pages} == {1}


def test_quality_reaches_the_file(tmp_path):
    source = tmp_path / "a.png"
    pillow()(source)
    for quality in (50, 95):
        convert(source, tmp_path / f"q{quality}", section="S1", quality=quality)
        assert np.abs(read(tmp_path / f"q{quality}") - RGB).mean() < 3
    assert (tmp_path / "q50").stat().st_size < (tmp_path / "q95").stat().st_size / 2


def test_the_same_picture_gives_the_same_pixels(tmp_path):
    source = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, RGB.shape, np.uint8)).save(source)
    for name in ("first", "second"):
        convert(source, tmp_path / name, section="S1")
    for level in range(3):
        assert (read(tmp_path / "first", level) == read(tmp_path / "second", level)).all()


@pytest.mark.parametrize("mpp", [0.1, 0.2527, 0.499, 0.735, 2.27, 10.0])
def test_the_sheets_mpp_is_what_openslide_reports(mpp, tmp_path, target):
    source = tmp_path / "a.jpg"
    pillow(dpi=(50800, 50800))(source)
    convert(source, target, section="S1", mpp=mpp)
    assert mpp_seen(target) == pytest.approx(mpp, rel=1e-3)


def centimetre(per_cm):
    return {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"}


@pytest.mark.parametrize(
    ("name", "write", "mpp"),
    [
        ("a.jpg", pillow(dpi=(50800, 50800)), 0.5),
        ("a.png", pillow(dpi=(50800, 50800)), 0.5),
        ("cm.tif", tiff(**centimetre(20000.0)), 0.5),
        ("inch.tif", tiff(resolution=(25400 / 0.735,) * 2, resolutionunit="INCH"), 0.735),
        ("ome.tif", ome, 0.345),
        ("none.jpg", pillow(), None),
        ("none.png", pillow(), None),
        ("none.tif", tiff(), None),
        ("dpi72.jpg", pillow(dpi=(72, 72)), None),
        ("dpi96.png", pillow(dpi=(96, 96)), None),
        ("dpi300.tif", tiff(resolution=(300, 300), resolutionunit="INCH"), None),
        ("too_fine.tif", tiff(**centimetre(200000.0)), None),
        ("zero.tif", tiff(**centimetre(0.0)), None),
        ("no_unit.tif", tiff(resolution=(2000.0, 2000.0), resolutionunit="NONE"), None),
        ("unequal.tif", tiff(resolution=(20000.0, 10000.0), resolutionunit="CENTIMETER"), None),
    ],
)
def test_the_files_own_mpp_is_taken_where_it_is_believable(name, write, mpp, tmp_path, target):
    source = tmp_path / name
    write(source)
    written = convert(source, target, section="S1")
    if mpp is None:
        assert (written.mpp, written.mpp_source) == (None, None)
        assert mpp_seen(target) is None
    else:
        assert written.mpp == pytest.approx(mpp, rel=1e-3)
        assert written.mpp_source == "file"
        assert mpp_seen(target) == pytest.approx(mpp, rel=1e-3)


def damaged(path, start, stop, content=b""):
    whole = path.read_bytes()
    start, stop = int(start * len(whole)), int(stop * len(whole))
    path.write_bytes(whole[:start] + content + whole[stop:])


JUNK = bytes(range(50, 100))


@pytest.mark.parametrize(
    ("name", "write", "damage"),
    [
        ("cut.jpg", pillow(), (0.6, 1)),
        ("cut_at_end.jpg", pillow(), (0.999, 1)),
        ("cut_progressive.jpg", pillow(progressive=True), (0.6, 1)),
        ("cut.png", pillow(), (0.6, 1)),
        ("cut.webp", pillow(), (0.6, 1)),
        ("cut.tif", tiff(), (0.6, 1)),
        ("corrupt.jpg", pillow(), (0.5, 0.501, JUNK)),
        ("corrupt.png", pillow(), (0.5, 0.501, JUNK)),
        ("corrupt_jpeg.tif", tiff(compression="jpeg", rowsperstrip=64), (0.5, 0.501, bytes(50))),
        ("empty.png", pillow(), (0, 1)),
        ("text.jpg", pillow(), (0, 1, b"<html>404 not found</html>")),
        # Decoded by neither OpenSlide nor libvips, which by default gives black pixels for it.
        ("jpeg2000.tif", tiff(tile=(256, 256), compression="jpeg2000"), (1, 1)),
    ],
)
def test_a_damaged_picture_is_refused(name, write, damage, tmp_path, target):
    source = tmp_path / name
    write(source)
    damaged(source, *damage)
    before = source.read_bytes()
    sentence = rf"^section S1: .*{name}: the picture cannot be read \(.+\); expected a whole picture; "
    with pytest.raises(InputError, match=sentence) as caught:
        convert(source, target, section="S1")
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
        ("five.tif", tiff(np.dstack([RGBA, RGB[..., 0]])), "has 5 channels"),
        ("float.tif", tiff((RGB / 255).astype(np.float32)), "are of type float"),
        ("signed.tif", tiff(RGB.astype(np.int16)), "are of type short"),
    ],
)
def test_a_picture_that_is_no_colour_picture_is_refused(name, write, found, tmp_path, target):
    source = tmp_path / name
    write(source)
    with pytest.raises(InputError, match=rf"^section S1: .*{name}: the picture.* {found}.*; expected .*; "):
        convert(source, target, section="S1")


def test_a_missing_picture_is_refused(tmp_path, target):
    with pytest.raises(InputError, match=r"none\.png: the picture cannot be read \(No such file"):
        convert(tmp_path / "none.png", target, section="S1")


def test_a_failing_disk_is_not_the_pictures_fault(tmp_path):
    source = tmp_path / "a.png"
    pillow()(source)
    with pytest.raises(OSError, match=r"cannot write .*no_such_folder"):
        convert(source, tmp_path / "no_such_folder" / "slide", section="S1")


def run_script(repository, tmp_path, source, mpp):
    """Run prepare_slide.py as Snakemake would: with an object `snakemake`, beside the library."""
    given = {
        "input": {"slide": str(source)},
        "output": {"slide": str(tmp_path / "results/slides/S1.tiff")},
        "params": {"mpp": mpp, "jpeg_quality": 90},
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


def test_the_script_writes_the_slide_and_logs_its_pixel_size(repository, tmp_path):
    source = tmp_path / "a.jpg"
    pillow(dpi=(50800, 50800))(source)
    done = run_script(repository, tmp_path, source, None)
    assert (done.status, done.screen, done.files) == (0, "", ["S1.tiff"])
    assert "size: 700 x 500 px" in done.log
    assert "pixel size: 0.5 um/px, from the file" in done.log
    assert mpp_seen(tmp_path / "results/slides/S1.tiff") == pytest.approx(0.5, rel=1e-3)


def test_the_script_ends_in_one_sentence_and_leaves_no_file(repository, tmp_path):
    source = tmp_path / "cut.jpg"
    pillow()(source)
    damaged(source, 0.6, 1)
    done = run_script(repository, tmp_path, source, 0.5)
    assert (done.status, done.files) == (1, [])
    assert done.screen.startswith(f"prepare_slide S1: section S1: {source}: the picture cannot be read (")
    assert done.screen.count("\n") == 1


def test_a_real_section(shared, target):
    source = shared / "data/wsi/kidney-48-5.tif"
    convert(source, target, section="kidney")
    assert np.abs(read(target) - np.asarray(Image.open(source))).mean() < 2
    assert mpp_seen(target) is None
