"""Labels, macro images and descriptions may name a patient: none of them comes out anywhere."""

import numpy as np
import openslide
import pytest
import pyvips
import tifffile
from PIL import Image, PngImagePlugin

from ressat.checks.thumbnail import thumbnail
from ressat.slides.formats import needs_conversion
from ressat.slides.pyramid import convert
from ressat.slides.slide import Slide
from slide_files import HEIGHT, PLANES, RGB, WIDTH, ome_image, ome_xml

GREEN = (1, 254, 3)  # of labels here, and of nothing else
NAME = "Doe, Jane"
APERIO = f"Aperio Image Library v11.2.1\r\n700x500 (128x128) JPEG/RGB Q=70|MPP = 0.4990|Patient = {NAME}"
OPTIONS = {"photometric": "rgb", "metadata": None}
TILES = OPTIONS | {"tile": (128, 128)}


def label(height, width):
    return np.zeros((height, width, 3), np.uint8) + np.array(GREEN, np.uint8)


def chain(*images, **first):
    """Write images of a main chain, each with the options of its own; the name in the first's description."""

    def write(path):
        with tifffile.TiffWriter(path) as writer:
            for index, (image, options) in enumerate(images):
                description = {"description": NAME} | first if index == 0 else {}
                writer.write(image, **(description | options))

    return write


def half():
    height, width = RGB.shape[:2]
    return RGB.reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3)).astype(np.uint8)


def ome_with_label(position, **slide):
    """An OME-TIFF whose first or second image is a label."""
    images = [ome_image(NAME, ifd=1 - position), ome_image("label", size=(300, 200), ifd=position)]
    data = [(RGB, TILES | slide), (label(200, 300), TILES)]
    if position == 0:
        images.reverse()
        data.reverse()
    return chain(*data, description=ome_xml(*images).encode())


PLANES_XML = ome_xml(
    ome_image("label image", size=(300, 200), ifd=0),
    ome_image(NAME, ifd=1, channels=['Name="R"', 'Name="G"', 'Name="B"']),
).encode()

# File name: how to write it. All hold the picture, a label, and a patient's name.
LABELLED = {
    "aperio.svs": chain(
        (RGB, TILES), (half()[::4, ::4].copy(), OPTIONS), (half(), TILES | {"description": APERIO}),
        (label(200, 300), OPTIONS | {"subfiletype": 1}), (label(100, 300), OPTIONS | {"subfiletype": 9}),
        description=APERIO,
    ),
    "striped_label.tif": chain((RGB, TILES), (label(200, 300), OPTIONS)),
    "reduced_striped_label.tif": chain((RGB, TILES), (label(250, 350), OPTIONS | {"subfiletype": 1})),
    "tiled_label.tif": chain((RGB, TILES), (label(250, 350), TILES)),
    "reduced_tiled_label.tif": chain(
        (RGB, TILES), (half(), TILES | {"subfiletype": 1}), (label(60, 200), TILES | {"subfiletype": 1})
    ),
    "striped_slide.tif": chain((RGB, OPTIONS), (label(500, 700), OPTIONS)),
    "label_second.ome.tif": ome_with_label(1),
    "label_first.ome.tif": ome_with_label(0),
    "label_first_striped.ome.tif": ome_with_label(0, tile=None),
    "label_in_subifd.ome.tif": lambda path: _label_in_subifd(path),
    "label_before_planes.ome.tif": chain(
        (label(200, 300), OPTIONS), *((plane, OPTIONS | {"photometric": "minisblack"}) for plane in PLANES),
        description=PLANES_XML,
    ),
}  # fmt: skip


def _label_in_subifd(path):
    with tifffile.TiffWriter(path) as writer:
        writer.write(RGB, subifds=1, description=ome_xml(ome_image(NAME)).encode(), **TILES)
        writer.write(label(60, 200), subfiletype=1, **TILES)


def is_clean(pixels):
    return np.abs(np.asarray(pixels).astype(int) - GREEN).sum(-1).min() > 60


@pytest.mark.parametrize("name", LABELLED)
def test_no_pixel_of_a_label_comes_out(name, tmp_path):
    path = tmp_path / name
    LABELLED[name](path)
    assert holds_a_label(path)
    for longest_px in (1000, 350, 180, 60, 8):
        seen = thumbnail(path, longest_px)
        assert seen.size == (WIDTH, HEIGHT)
        assert is_clean(seen.lowres)
    if needs_conversion(path):
        convert(path, tmp_path / "slide.tiff", mpp=0.5)
        path = tmp_path / "slide.tiff"
    with Slide(path) as slide:
        assert slide.size == (WIDTH, HEIGHT)
        for level, downsample in enumerate(slide.downsamples):
            assert is_clean(slide.read(-50, -50, level, *(round(edge / downsample) for edge in (800, 600))))
        for longest_px in (1000, 350, 180, 60, 8):
            assert is_clean(slide.low_resolution(longest_px)[0])


def holds_a_label(path):
    """The test's own expectation: the file does hold a label."""
    with tifffile.TiffFile(path) as opened:
        pages = [page for first in opened.pages for page in (first, *(first.pages or ()))]
        return any((page.asarray() == GREEN).all() for page in pages if page.asarray().ndim == 3)


def exif():
    data = Image.Exif()
    data[0x010E], data[0x013B], data[0x8298] = NAME, NAME, NAME  # description, artist, copyright
    return data


def text():
    info = PngImagePlugin.PngInfo()
    info.add_text("Patient", NAME)
    info.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{NAME}</x:xmpmeta>")
    return info


ICC = pyvips.Operation.call("profile_load", "srgb").replace(b"sRGB", NAME.encode()[:4])
XMP = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{NAME}</x:xmpmeta>".encode()
DESCRIBED = {
    "a.jpg": {"exif": exif(), "comment": NAME, "xmp": XMP, "icc_profile": ICC},
    "a.png": {"exif": exif(), "pnginfo": text(), "icc_profile": ICC},
    "a.webp": {"exif": exif(), "xmp": XMP, "icc_profile": ICC},
    "a.tif": {
        "description": NAME,
        "artist": NAME,
        "software": NAME,
        "icc_profile": ICC,
        "tiffinfo": {700: XMP},
    },
    NAME + ".png": {},
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_no_description_comes_into_a_prepared_slide(name, tmp_path):
    path, prepared = tmp_path / name, tmp_path / "slide.tiff"
    Image.fromarray(RGB).save(path, **DESCRIBED[name])
    assert not DESCRIBED[name] or NAME.encode() in path.read_bytes()
    convert(path, prepared, mpp=0.5)
    content = prepared.read_bytes()
    for part in (NAME, "Jane", "Doe"):
        assert part.encode() not in content
        assert part.encode("utf-16-le") not in content
    with tifffile.TiffFile(prepared) as written:
        tags = {tag.name for page in written.pages for tag in page.tags}
    assert not {"ImageDescription", "Software", "Artist", "InterColorProfile", "XMP", "ExifTag"} & tags


def test_no_description_of_an_ome_tiff_comes_into_a_prepared_slide(tmp_path):
    path, prepared = tmp_path / "a.ome.tif", tmp_path / "slide.tiff"
    ome_with_label(0)(path)
    assert NAME.encode() in path.read_bytes()
    convert(path, prepared, mpp=0.5)
    assert NAME.encode() not in prepared.read_bytes()
    with openslide.OpenSlide(prepared) as slide:
        assert not slide.associated_images
        assert NAME not in str(dict(slide.properties))


def test_labels_of_real_slides_are_left_alone(shared, monkeypatch):
    """Asking OpenSlide for an associated image would fail here."""

    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr(openslide.OpenSlide, "associated_images", property(refuse))
    for path in (shared / "data/wsi").glob("*.svs"):
        thumbnail(path, 500)
        with Slide(path) as slide:
            slide.read(0, 0, 0, 50, 50)
            slide.fingerprint()
