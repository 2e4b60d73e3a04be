"""A file that ends too early is known from its tags, before OpenSlide comes to the place."""

import os
import struct

import numpy as np
import pytest
import tifffile

from ressat.base.errors import InputError
from ressat.checks.completeness import require_whole
from slide_files import RGB, pillow, tiff, tiled

PLAIN = {"photometric": "rgb", "metadata": None}


def write_pyramid(path, **kw):
    with tifffile.TiffWriter(path, **kw) as tiff_file:
        tiff_file.write(RGB, tile=(128, 128), **PLAIN)
        tiff_file.write(np.ascontiguousarray(RGB[::2, ::2]), tile=(128, 128), subfiletype=1, **PLAIN)


def offsets(path, page=0):
    with tifffile.TiffFile(path) as opened:
        return opened.pages[page].dataoffsets


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("name", ["slide.tif", "slide.svs", "SLIDE.SCN"])
def test_the_first_tile_beyond_the_end_is_named(big, name, tmp_path):
    path = tmp_path / name
    tiled(bigtiff=big)(path)
    require_whole(path)
    os.truncate(path, offsets(path)[15] + 1000)  # in the fourth tile of the third row of six
    sentence = (
        r"in its image of 700 x 500 px, 9 of 24 tiles lie beyond the file's end, the first at level-0 pixel "
        r"x=384, y=256; expected a whole file; copy it again"
    )
    with pytest.raises(InputError, match=rf"{name}: the slide is cut short: {sentence}"):
        require_whole(path)


def test_a_cut_off_level_is_named_in_level_0_pixels(tmp_path):
    path = tmp_path / "slide.tif"
    write_pyramid(path)
    with tifffile.TiffFile(path) as opened:
        order = sorted(opened.pages[1].dataoffsets)
    os.truncate(path, order[4] + 10)
    with pytest.raises(InputError, match=r"350 x 250 px, 2 of 6 tiles .* level-0 pixel x=256, y=256"):
        require_whole(path)


def test_strips_are_tiles_as_wide_as_the_image(tmp_path):
    path = tmp_path / "slide.tif"
    tiff(rowsperstrip=50)(path)
    require_whole(path)
    os.truncate(path, offsets(path)[3] + 5)
    with pytest.raises(InputError, match=r"7 of 10 strips lie .* x=0, y=150"):
        require_whole(path)


def test_a_cut_off_label_is_not_missed(tmp_path):
    path = tmp_path / "slide.tif"
    with tifffile.TiffWriter(path) as tiff_file:
        tiff_file.write(RGB, tile=(128, 128), **PLAIN)
        tiff_file.write(RGB[:100, :300].copy(), **PLAIN)
    os.truncate(path, offsets(path, page=1)[0] + 5)
    require_whole(path)


@pytest.mark.parametrize("name", ["slide.tif", "slide.ndpi", "slide.jpg", "slide.svs"])
def test_what_is_no_tiff_or_has_no_tags_is_left_to_its_reader(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"II\x2a\x00" + bytes(range(4, 200)))
    require_whole(path)


def test_real_slides_are_whole(shared, tmp_path):
    for path in (shared / "data/wsi").iterdir():
        require_whole(path)
    jpeg = tmp_path / "a.jpg"
    pillow()(jpeg)
    require_whole(jpeg)


def repeat_tile(path, across, down, compression):
    """Write one tile that is used for all of a slide."""
    edge = 512
    tile = {"tile": (edge, edge), "compression": compression, "bigtiff": True}
    tifffile.imwrite(path, np.full((edge, edge, 3), 200, np.uint8), **PLAIN, **tile)
    number = across * down
    with tifffile.TiffFile(path) as opened:
        page = opened.pages[0]
        places = {324: page.dataoffsets[0], 325: page.databytecounts[0]}
        entries = {tag.code: tag.offset for tag in page.tags.values()}
    content = bytearray(path.read_bytes())
    for code, value in places.items():
        struct.pack_into("<HHQQ", content, entries[code], code, 16, number, len(content))
        content += struct.pack("<Q", value) * number
    for code, value in {256: edge * across, 257: edge * down}.items():
        struct.pack_into("<HHQQ", content, entries[code], code, 4, 1, value)
    path.write_bytes(content)


@pytest.mark.parametrize(("across", "down", "compression"), [(200, 150, "jpeg"), (70, 90, "deflate")])
@pytest.mark.parametrize("name", ["a.tif", "a.svs"])
def test_a_slide_of_one_tile_again_and_again_is_refused(across, down, compression, name, tmp_path):
    path = tmp_path / name
    repeat_tile(path, across, down, compression)
    size = f"{512 * across} x {512 * down} px"
    said = f"{name}: the {across * down} tiles of its image of {size} are copies of 1, of"
    with pytest.raises(InputError, match=said):
        require_whole(path)


def test_a_few_blank_tiles_may_be_the_same(tmp_path):
    repeat_tile(tmp_path / "a.tif", 8, 8, "jpeg")
    require_whole(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("write", "sizes", "kind"),
    [
        (
            tiff(compression="deflate"),
            {"ImageWidth": 90_000, "ImageLength": 90_000, "RowsPerStrip": 90_000},
            "strip",
        ),
        (
            tiled(compression="deflate", tile=(512, 704)),
            {"ImageWidth": 99_840, "ImageLength": 99_840, "TileWidth": 99_840, "TileLength": 99_840},
            "tile",
        ),
    ],
)
def test_a_part_that_would_fill_the_memory_is_refused(write, sizes, kind, tmp_path):
    path = tmp_path / "a.tif"
    write(path)
    with tifffile.TiffFile(path, mode="r+") as opened:
        for name, value in sizes.items():
            opened.pages[0].tags[name].overwrite(value)
    edge = sizes["ImageWidth"]
    size = f"{edge} x {edge} px"
    said = rf"a\.tif: a {kind} of its image of {size} has {size}, \d+ GB in memory; expected"
    with pytest.raises(InputError, match=said):
        require_whole(path)


def test_a_striped_slide_behind_an_overview_is_looked_at(tmp_path):
    path = tmp_path / "slide.tif"
    with tifffile.TiffWriter(path) as tiff_file:
        tiff_file.write(np.ascontiguousarray(RGB[::8, ::8]), **PLAIN)
        tiff_file.write(RGB, rowsperstrip=50, **PLAIN)
    require_whole(path)
    os.truncate(path, offsets(path, page=1)[4] + 5)
    with pytest.raises(InputError, match=r"in its image of 700 x 500 px, 6 of 10 strips lie beyond"):
        require_whole(path)
