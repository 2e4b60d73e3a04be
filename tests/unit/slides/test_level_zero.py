"""The largest image of a TIFF is the slide, whatever stands first; one that is marked as reduced never is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile

from ressat.base.errors import InputError
from ressat.checks.thumbnail import thumbnail
from ressat.slides.formats import needs_conversion
from ressat.slides.level_zero import NOT_THE_SLIDE, Place, full_size_images, slide_place
from ressat.slides.pyramid import convert
from ressat.slides.tiff_tags import Tag, read_tiff
from slide_files import HEIGHT, RGB, WIDTH, ome_image, ome_xml

SMALL, HALF = (np.ascontiguousarray(RGB[::step, ::step]) for step in (8, 2))
LABEL = np.full((120, 200, 3), 230, np.uint8)
MACRO = np.full((700, 900, 3), 200, np.uint8)  # larger than the slide
TILES, REDUCED = {"tile": (128, 128)}, {"subfiletype": 1}
OLD_REDUCED = {"extratags": [(Tag.SUBFILE_TYPE, "H", 1, 2, True)]}
APERIO_MACRO = "Aperio Image Library v11\r\nmacro 900x700"
QPTIFF_LABEL = (
    "<PerkinElmer-QPI-ImageDescription><ImageType>Label</ImageType></PerkinElmer-QPI-ImageDescription>"
)


def of_pages(*images: tuple[np.ndarray, dict], ome: bool = False) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with tifffile.TiffWriter(path, ome=ome) as writer:
            for data, options in images:
                writer.write(data, **({"photometric": "rgb", "metadata": None} | options))

    return write


def named(name: str) -> dict:
    return {"metadata": {"axes": "YXS", "Name": name}}


# name: how to write it, and where the slide is in it
FILES = {
    "overview_first.tif": (of_pages((SMALL, {}), (RGB, {})), Place(1)),
    "overview_first_flagged.tif": (of_pages((SMALL, REDUCED), (RGB, {})), Place(1)),
    "overview_first_old_flag.tif": (of_pages((SMALL, OLD_REDUCED), (RGB, {})), Place(1)),
    "tiled_overview_first.tif": (of_pages((SMALL, TILES), (RGB, TILES)), Place(1)),
    "tiled_overview_flagged.tif": (of_pages((SMALL, TILES | REDUCED), (RGB, TILES)), Place(1)),
    "tiled_overview_first.svs": (of_pages((SMALL, TILES), (RGB, TILES)), Place(1)),
    "striped.svs": (of_pages((SMALL, {}), (RGB, {})), Place(1)),
    "pyramid_upside_down.tif": (of_pages((SMALL, TILES), (HALF, TILES), (RGB, TILES)), Place(2)),
    "label_first.tif": (of_pages((LABEL, TILES), (RGB, TILES), (HALF, TILES | REDUCED)), Place(1)),
    "large_macro.tif": (of_pages((MACRO, {"description": "Macro"}), (RGB, {})), Place(1)),
    "large_aperio_macro.tif": (of_pages((RGB, {}), (MACRO, {"description": APERIO_MACRO})), Place(0)),
    "large_label.qptiff": (of_pages((RGB, {}), (MACRO, {"description": QPTIFF_LABEL})), Place(0)),
    "slide_in_subifd.tif": (of_pages((SMALL, TILES | {"subifds": 1}), (RGB, TILES)), Place(0, 0)),
    "slide_in_second_subifd.tif": (of_pages((LABEL, {"subifds": 2}), (SMALL, {}), (RGB, {})), Place(0, 1)),
    "in_subifd_of_page_1.tif": (of_pages((LABEL, {}), (SMALL, {"subifds": 1}), (RGB, {})), Place(1, 0)),
    "mask.tif": (
        of_pages((RGB, {}), (MACRO[..., 0] > 0, {"subfiletype": 4, "photometric": "minisblack"})),
        Place(0),
    ),
    "series.ome.tif": (of_pages((SMALL, named("a")), (RGB, named("b")), ome=True), Place(1)),
    "tiled_series.ome.tif": (
        of_pages((SMALL, named("a") | TILES), (RGB, named("b") | TILES), ome=True),
        Place(1),
    ),
    "macro_series.ome.tif": (of_pages((MACRO, named("macro")), (RGB, named("b")), ome=True), Place(1)),
    "ome_slide_in_subifd.ome.tif": (
        of_pages((SMALL, named("a") | TILES | {"subifds": 1}), (RGB, TILES), ome=True),
        Place(0, 0),
    ),
    "xml_of_the_overview_alone.ome.tif": (
        of_pages((SMALL, {"description": ome_xml(ome_image(size=SMALL.shape[1::-1])).encode()}), (RGB, {})),
        Place(1),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_the_slide_is_found_wherever_it_stands(name, tmp_path):
    write, place = FILES[name]
    path = tmp_path / name
    write(path)
    others = {0} if name.startswith("macro_series") else ()  # which its XML says
    assert slide_place(read_tiff(path), others) == place
    assert needs_conversion(path)  # OpenSlide would take the first image, or does not open it
    look = thumbnail(path, 1200)
    assert look.size == (WIDTH, HEIGHT)
    assert np.abs(look.lowres.astype(float) - RGB).mean() < 2
    convert(path, tmp_path / "converted.tiff", mpp=0.5)
    with openslide.OpenSlide(tmp_path / "converted.tiff") as slide:
        assert slide.dimensions == (WIDTH, HEIGHT)
        pixels = np.asarray(slide.read_region((0, 0), 0, slide.dimensions))[..., :3].astype(float)
    assert np.abs(pixels - RGB).mean() < 2


@pytest.mark.parametrize(
    "write",
    [
        of_pages((RGB, REDUCED)),
        of_pages((RGB, TILES | REDUCED)),
        of_pages((SMALL, {}), (RGB, REDUCED)),
        of_pages((SMALL, TILES), (HALF, TILES | REDUCED)),
        of_pages((HALF, OLD_REDUCED), (SMALL, OLD_REDUCED)),
    ],
)
def test_a_file_without_the_full_resolution_is_refused(write, tmp_path):
    path = tmp_path / "a.tif"
    write(path)
    said = r"a\.tif: the largest image .* px, is marked as a reduced version"
    with pytest.raises(InputError, match=said):
        thumbnail(path, 1200)


def test_a_good_pyramid_is_left_to_openslide(tmp_path):
    path = tmp_path / "a.tif"
    of_pages((RGB, TILES), (HALF, TILES | REDUCED), (LABEL, {"description": "label"}))(path)
    assert not needs_conversion(path)
    assert not needs_conversion(path.rename(tmp_path / "a.svs"))


def test_several_images_of_the_full_size_are_said(tmp_path, caplog):
    path = tmp_path / "a.tif"
    of_pages((RGB, {}), (np.flip(RGB).copy(), {}), (HALF, {}))(path)
    assert full_size_images(read_tiff(path), (WIDTH, HEIGHT)) == 2
    assert np.abs(thumbnail(path, 1200).lowres.astype(float) - RGB).mean() < 2
    assert "the file holds 2 images of 700 x 500 px; the first is read" in caplog.text


@pytest.mark.parametrize(
    ("description", "is_other"),
    [
        (b"label", True),
        (b"Macro image\0", True),
        (b"Aperio Image Library v12\r\nlabel 387x463", True),
        (b"<ImageType>Overview</ImageType>", True),
        (b"Aperio Image Library v12\r\n46000x32914 [0,100 46000x32814] (256x256) JPEG/RGB Q=30", False),
        (b"<ImageType>FullResolution</ImageType>", False),
        (b"section with label A", False),
        (b"", False),
    ],
)
def test_labels_are_known_by_what_scanners_write(description, is_other):
    assert bool(NOT_THE_SLIDE.match(description)) is is_other
