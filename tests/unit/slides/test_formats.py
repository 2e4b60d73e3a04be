"""The answer at parse time must be what OpenSlide does with the file when the job runs."""

import struct
import time
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import openslide
import pytest
import tifffile
from PIL import Image

from ressat.base.errors import InputError
from ressat.slides.formats import SLIDE_SUFFIXES, needs_conversion

WIDTH, HEIGHT = 600, 400


def _picture() -> np.ndarray:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    channels = 120 + 100 * np.sin(x / 37 + y / 91), 150 + 80 * np.cos(y / 53), 180 + 60 * np.sin((x + y) / 71)
    return np.stack(channels, -1).astype(np.uint8)


RGB = _picture()
GREY = RGB[..., 0]
RGBA = np.dstack([RGB, np.full((HEIGHT, WIDTH), 255, np.uint8)])
PLANES = np.ascontiguousarray(np.moveaxis(RGB, -1, 0))
RGB16 = RGB.astype(np.uint16) * 257
OME = {"axes": "YXS", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
APERIO = "Aperio Image Library v11.2.1\r\n600x400 (256x256) JPEG/RGB Q=70|AppMag = 20|MPP = 0.4990"


@dataclass
class Written:
    """What a file holds that a reader must find in it."""

    levels: int
    pixels: np.ndarray = None  # of level 0, as RGB
    mpp: float | None = None

    def __post_init__(self):
        self.pixels = RGB if self.pixels is None else self.pixels


def tiled(
    path, data=RGB, levels=2, pixels=None, mpp=None, *, flag=1, subifds=False, big=False, order="<", **kw
):
    """Write a tiled TIFF; its levels are directories of the main chain, or SubIFDs of the first."""
    options = {"tile": (128, 128), "photometric": "rgb", "metadata": None} | kw
    ome = bool(options["metadata"])
    planar = options.get("planarconfig") == "separate"
    with tifffile.TiffWriter(path, bigtiff=big, byteorder=order, ome=ome) as tiff:
        tiff.write(data, subifds=levels - 1 if subifds else None, **options)
        for _ in range(levels - 1):
            data = np.ascontiguousarray(data[..., ::2, ::2] if planar else data[::2, ::2])
            tiff.write(data, subfiletype=flag, **options)
    return Written(levels, pixels, mpp)


def striped(path, data=RGB, **kw):
    tifffile.imwrite(path, data, **({"photometric": "rgb", "metadata": None} | kw))
    return Written(1)


def aperio(path):
    """Levels are the tiled images; the thumbnail is striped; no image carries the flag of reduced ones."""
    options = {"photometric": "rgb", "metadata": None, "compression": "jpeg"}
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(RGB, tile=(128, 128), description=APERIO, **options)
        tiff.write(np.ascontiguousarray(RGB[::8, ::8]), **options)
        tiff.write(np.ascontiguousarray(RGB[::2, ::2]), tile=(128, 128), description=APERIO, **options)
    return Written(2, mpp=0.499)


def with_thumbnail(path):
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(RGB, tile=(128, 128), photometric="rgb", metadata=None)
        tiff.write(np.ascontiguousarray(RGB[::8, ::8]), photometric="rgb", metadata=None, subfiletype=1)
    return Written(1)


def tiled_label(path, shape=(100, 300)):
    """A label in tiles that says it is a smaller version: OpenSlide takes it for a level of the pyramid."""
    options = {"tile": (128, 128), "photometric": "rgb", "metadata": None}
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(RGB, **options)
        tiff.write(np.zeros((*shape, 3), np.uint8), subfiletype=1, **options)
    return Written(1)


def one_bad_level(path):
    with tifffile.TiffWriter(path) as tiff:
        options = {"tile": (128, 128), "photometric": "rgb", "metadata": None}
        tiff.write(RGB, **options)
        tiff.write(np.ascontiguousarray(RGB[::2, ::2]), subfiletype=1, compression="jpeg2000", **options)
    return Written(2)


def unknown_type(path):
    """A private tag of a data type that does not exist."""
    written = tiled(path, software="x" * 20)
    content = bytearray(path.read_bytes())
    (offset,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, offset)
    entries = [offset + 2 + 12 * i for i in range(count)]
    (software,) = [at for at in entries if struct.unpack_from("<H", content, at) == (305,)]
    struct.pack_into("<H", content, software + 2, 99)
    path.write_bytes(content)
    return written


def orientation(value):
    return [(274, "H", 1, value, True)]


def labelled(grey):
    return np.repeat(grey[..., None], 3, -1)


YCBCR = np.asarray(Image.fromarray(RGB).convert("YCbCr"))
DIVIDED = {"photometric": "rgb", "planarconfig": "separate"}

# name: whether it must be converted, and how to write it.
VARIANTS = {
    "tiled": (False, tiled),
    "tiled_one_level": (False, lambda p: tiled(p, levels=1)),
    "tiled_three_levels": (False, lambda p: tiled(p, levels=3)),
    "tiled_with_thumbnail": (False, with_thumbnail),
    "deflate": (False, lambda p: tiled(p, compression="deflate", predictor=True)),
    "lzw": (False, lambda p: tiled(p, compression="lzw")),
    "zstd": (False, lambda p: tiled(p, compression="zstd")),
    "packbits": (False, lambda p: tiled(p, compression="packbits")),
    "jpeg": (False, lambda p: tiled(p, compression="jpeg")),
    "jpeg_ycbcr": (
        False,
        lambda p: tiled(p, YCBCR, compression="jpeg", photometric="ycbcr", subsampling=(2, 2), pixels=RGB),
    ),
    "webp": (True, lambda p: tiled(p, compression="webp")),
    "jpeg2000": (True, lambda p: tiled(p, compression="jpeg2000")),
    "lzma": (True, lambda p: tiled(p, compression="lzma")),
    "jpeg2000_in_one_level": (True, one_bad_level),
    "bigtiff": (False, lambda p: tiled(p, big=True)),
    "bigtiff_big_endian": (False, lambda p: tiled(p, big=True, order=">")),
    "big_endian": (True, lambda p: tiled(p, order=">")),
    "16_bit": (False, lambda p: tiled(p, RGB16)),
    "32_bit": (True, lambda p: tiled(p, RGB16.astype(np.uint32) << 16)),
    "signed": (True, lambda p: tiled(p, (RGB // 2).astype(np.int8))),
    "float": (True, lambda p: tiled(p, (RGB / 255).astype(np.float32))),
    "grey": (False, lambda p: tiled(p, GREY, photometric="minisblack", pixels=labelled(GREY))),
    "grey_and_rgb_as_grey": (True, lambda p: tiled(p, photometric="minisblack", planarconfig="contig")),
    "rgba": (False, lambda p: tiled(p, RGBA, extrasamples=["unassalpha"])),
    "rgba_multiplied": (False, lambda p: tiled(p, RGBA, extrasamples=["assocalpha"])),
    "rgb_and_mask": (True, lambda p: tiled(p, np.dstack([RGB, GREY // 3]), extrasamples=["unspecified"])),
    "rgb_and_infrared_in_a_level": (
        True,
        lambda p: tiled(p, np.dstack([RGB, GREY]), 3, extrasamples=["unspecified"], compression="deflate"),
    ),
    "five_channels": (
        True,
        lambda p: tiled(p, np.dstack([RGB, GREY, GREY]), extrasamples=["unspecified"] * 2),
    ),
    "planar": (False, lambda p: tiled(p, PLANES, **DIVIDED)),
    "turned": (True, lambda p: tiled(p, extratags=orientation(3))),
    "subifd": (True, lambda p: tiled(p, subifds=True)),
    "ome_subifd": (True, lambda p: tiled(p, subifds=True, metadata=OME, mpp=0.5)),
    "ome_one_level": (True, lambda p: tiled(p, levels=1, metadata=OME, mpp=0.5)),
    "ome_channel_images": (
        True,
        lambda p: tiled(p, PLANES, 1, photometric="minisblack", metadata={"axes": "CYX"}),
    ),
    # Tiles of separate planes, which libvips does not read: better level 0 alone than nothing.
    "ome_planar": (False, lambda p: tiled(p, PLANES, 1, metadata={"axes": "CYX"}, **DIVIDED)),
    "tiled_label": (True, tiled_label),
    "levels_without_tags": (True, lambda p: tiled(p, flag=0)),
    "resolution": (
        False,
        lambda p: tiled(p, resolution=(20000.0, 20000.0), resolutionunit="CENTIMETER", mpp=0.5),
    ),
    "striped": (True, striped),
    "striped_deflate": (True, lambda p: striped(p, compression="deflate")),
    "striped_jpeg": (True, lambda p: striped(p, compression="jpeg", rowsperstrip=64)),
    "striped_planar": (True, lambda p: striped(p, PLANES, **DIVIDED)),
    "striped_one_strip": (True, lambda p: striped(p, rowsperstrip=HEIGHT)),
    "unknown_data_type": (True, unknown_type),
    "aperio": (False, aperio),
}


def openslide_reads(path, written):
    """Whether OpenSlide opens the file, and finds in it all that was written."""
    try:
        with openslide.OpenSlide(path) as slide:
            pixels = np.asarray(slide.read_region((0, 0), 0, (WIDTH, HEIGHT)))[..., :3].astype(float)
            mpp = slide.properties.get(openslide.PROPERTY_NAME_MPP_X)
            return (
                slide.level_count == written.levels
                and slide.dimensions == (WIDTH, HEIGHT)
                and np.abs(pixels - written.pixels).mean() < 3
                and (written.mpp is None or (mpp is not None and float(mpp) == pytest.approx(written.mpp)))
            )
    except openslide.OpenSlideError:
        return False


@pytest.mark.parametrize("name", VARIANTS)
def test_a_tiff_is_converted_exactly_where_openslide_does_not_read_it(name, tmp_path):
    expected, write = VARIANTS[name]
    path = tmp_path / f"{name}.tif"
    written = write(path)
    assert openslide_reads(path, written) is not expected, "the test's own expectation"
    assert needs_conversion(path) is expected


def test_real_files(shared):
    wsi = shared / "data/wsi"
    for path in (*wsi.glob("*.svs"), wsi / "kidney-48-5.tif", shared / "data/her2st/images/C2.jpg"):
        opens = openslide.OpenSlide.detect_format(path) is not None
        assert needs_conversion(path) is not opens, path.name
    assert not needs_conversion(wsi / "tcga-cr-7395-01a-01-ts1.svs")
    assert needs_conversion(wsi / "kidney-48-5.tif")


def test_an_aperio_slide_is_known_under_a_tiff_name(shared, tmp_path):
    for slide in (shared / "data/wsi").glob("*.svs"):
        path = tmp_path / f"{slide.stem}.tif"
        path.symlink_to(slide)
        assert openslide.OpenSlide.detect_format(path) == "aperio"
        assert not needs_conversion(path)


@pytest.mark.parametrize("suffix", SLIDE_SUFFIXES)
def test_slides_of_scanners_are_taken_by_name(suffix, tmp_path):
    assert not needs_conversion(tmp_path / f"slide{suffix}")
    assert not needs_conversion(tmp_path / f"SLIDE{suffix.upper()}")


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.png", "a.webp"])
def test_pictures_are_always_converted(name, tmp_path):
    path = tmp_path / name
    Image.fromarray(RGB).save(path)
    assert openslide.OpenSlide.detect_format(path) is None
    assert needs_conversion(path)


@pytest.mark.parametrize("name", ["a.svs", "a.NDPI", "a.scn", "a.bif", "a.czi", "a.dcm", "a.tif", "a.btf"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_known_by_its_beginning(kind, name, tmp_path):
    path = tmp_path / name
    Image.fromarray(RGB).save(path, format=kind)
    assert needs_conversion(path)


@pytest.mark.parametrize("name", ["a.svs", "a.ndpi", "a.scn", "a.svslide", "a.dcm"])
def test_a_plain_tiff_is_known_under_the_name_of_a_scanners_format(name, tmp_path):
    path = tmp_path / name
    striped(path)
    assert needs_conversion(path)
    tiled(path)
    assert not needs_conversion(path)
    with openslide.OpenSlide(path) as slide:
        assert slide.dimensions == (WIDTH, HEIGHT)


def test_the_jpeg_of_a_mirax_slide_is_no_picture(tmp_path):
    path = tmp_path / "slide.mrxs"
    Image.fromarray(RGB).save(path, format="JPEG")
    assert not needs_conversion(path)


@pytest.mark.parametrize("name", ["stack.svs", "stack.tif"])
def test_planes_of_focus_in_an_aperio_file_are_rewritten_as_the_first(name, tmp_path):
    path = tmp_path / name
    options = {"photometric": "rgb", "metadata": None, "compression": "jpeg", "tile": (128, 128)}
    with tifffile.TiffWriter(path) as tiff:
        for image in [RGB, RGB[::2, ::2]] * 2:
            tiff.write(np.ascontiguousarray(image), description=APERIO, **options)
    assert needs_conversion(path)
    with pytest.raises(openslide.OpenSlideError):
        openslide.OpenSlide(path)


@pytest.mark.parametrize("name", ["a.bmp", "a.pdf", "a.jp2", "a.ome", "slide"])
def test_a_name_of_no_known_format_is_refused(name):
    with pytest.raises(InputError, match=rf"{name}: the name .*; expected a slide, TIFF .*\.svs.*; save .*"):
        needs_conversion(name)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "is empty"),
        (b"I", "does not begin like a TIFF"),
        (b"\x89PNX\r\n\x1a\n" + bytes(100), "does not begin like a TIFF"),
        (b"II\x2a", "does not begin like a TIFF"),
        (b"II\x2a\x00\x08", "damaged or cut short"),
        (b"II\x2a\x00\x08\x00\x00\x00", "damaged or cut short"),
        (b"MM\x00\x2a\x00\x00\x00\x00" + bytes(50), "damaged or cut short"),
        (b"II\x2a\x00\x08\x00\x00\x00\xff\xff" + bytes(100), "damaged or cut short"),
        (b"II\x2b\x00\x08\x00\x00\x00" + b"\xff" * 60, "damaged or cut short"),
        (b"II\x2a\x00" + bytes(range(4, 200)), "damaged or cut short"),
    ],
)
def test_a_broken_tiff_header_is_refused_in_one_sentence(content, found, tmp_path):
    path = tmp_path / "slide.tif"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"slide.tif: .*{found}.*; expected .*TIFF.*; copy it again"):
        needs_conversion(path)


@pytest.mark.parametrize("big", [False, True])
def test_a_tiff_cut_anywhere_is_answered_or_refused(big, tmp_path):
    whole, cut = tmp_path / "whole.tif", tmp_path / "cut.tif"
    tiled(whole, levels=2, big=big, compression="jpeg")
    content = whole.read_bytes()
    for length in (*range(0, 400, 3), *range(400, len(content), 997)):
        cut.write_bytes(content[:length])
        with suppress(InputError):  # anything else fails the test
            needs_conversion(cut)


@pytest.mark.parametrize(
    "name", ["a.TIF", "a.ome.tif", "a.ome.tiff", "a.OME.TIFF", "a.qptiff", "a.btf", "a.ome.tf8"]
)
def test_a_tiff_is_looked_into_under_each_of_its_names(name, tmp_path):
    path = tmp_path / name
    tiled(path, big=name.endswith(("btf", "tf8")))
    assert not needs_conversion(path)
    striped(path)
    assert needs_conversion(path)


def test_directories_that_point_at_each_other_are_refused(tmp_path):
    path = tmp_path / "loop.tif"
    tiled(path, levels=1)
    content = bytearray(path.read_bytes())
    (offset,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, offset)
    struct.pack_into("<I", content, offset + 2 + 12 * count, offset)
    path.write_bytes(content)
    with pytest.raises(InputError, match="directories lead back to one another"):
        needs_conversion(path)


def test_a_missing_tiff_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.tif: the file cannot be opened \(No such file"):
        needs_conversion(tmp_path / "none.tif")


def test_no_pixel_is_read(tmp_path):
    """A slide of 64 GB is answered at once; the file is sparse, with its tags in front."""
    path = tmp_path / "huge.tif"
    tiled(path, levels=1)
    with open(path, "r+b") as handle:
        handle.truncate(2**36)
    start = time.perf_counter()
    assert not needs_conversion(path)
    assert time.perf_counter() - start < 5  # seconds; reading it takes a minute
