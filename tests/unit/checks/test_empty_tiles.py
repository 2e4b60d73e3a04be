"""Empty tiles are of glass where a smaller level of the slide shows glass, and lost elsewhere."""

import numpy as np
import pytest
import tifffile

from ressat.base.errors import InputError
from ressat.checks.empty_tiles import check_empty_tiles
from ressat.checks.thumbnail import thumbnail

SIZE = (1024, 1280)  # 4 x 5 tiles


@pytest.fixture
def write(tmp_path, draw_tissue, grey_levels):
    """Write tissue in the left half of a slide; with a smaller level, or without."""
    mask = np.zeros(SIZE, bool)
    mask[:, :640] = True
    image = grey_levels(draw_tissue(mask))

    def written(name="slide.tif", steps=(1, 2), **options):
        path = tmp_path / name
        options = {
            "tile": (256, 256),
            "photometric": "rgb",
            "metadata": None,
            "compression": "deflate",
        } | options
        with tifffile.TiffWriter(path, bigtiff=options.pop("bigtiff", False)) as file:
            for step in steps:
                small = np.ascontiguousarray(image[::step, ::step])
                file.write(small, subfiletype=int(step > 1), **options)
        return path

    return written


def empty(path, tiles, page=0):
    """Set place and length of tiles or strips to 0."""
    with tifffile.TiffFile(path) as opened:
        tags = opened.pages[page].tags
        kind = "Tile" if opened.pages[page].is_tiled else "Strip"
        places = [tags[f"{kind}Offsets"], tags[f"{kind}ByteCounts"]]
        fields = [(tag.valueoffset, tag.valuebytecount // tag.count) for tag in places]
    with open(path, "r+b") as file:
        for start, size in fields:
            for tile in tiles:
                file.seek(start + tile * size)
                file.write(bytes(size))


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"compression": "zstd"}])
@pytest.mark.parametrize(
    ("tiles", "found"),
    [
        ([6], r"1 of 20 tiles are empty, 1 of them .* x=256, y=256"),
        ([4, 9, 5, 10, 14], r"5 of 20 tiles are empty, 2 of them .* x=0, y=256"),
        (range(20), r"20 of 20 tiles are empty, 8 of them .* x=0, y=0"),
    ],
)
def test_lost_tissue_is_refused(tiles, found, options, write):
    path = write(**options)
    empty(path, tiles)
    with pytest.raises(InputError, match=rf"slide.tif: in its image of 1280 x 1024 px, {found}"):
        thumbnail(path, 640)


@pytest.mark.parametrize("tiles", [[4], [3, 4, 8, 9, 13, 14, 18, 19]])
def test_glass_that_was_left_out_is_glass(tiles, write):
    path = write()
    whole = thumbnail(path, 640).lowres
    empty(path, tiles)
    assert np.array_equal(thumbnail(path, 640).lowres, whole)


def test_a_level_in_between_is_looked_at(write):
    path = write(steps=(1, 2, 4))
    empty(path, [0], page=1)
    with pytest.raises(InputError, match=r"in its image of 640 x 512 px, 1 of 6 tiles are empty, 1 of them"):
        thumbnail(path, 320)


def test_aperio_leaves_out_what_a_finer_level_has(write):
    path = write("slide.svs", steps=(1, 2, 4), description="Aperio Image Library v12\r\n1280x1024 (256x256)")
    empty(path, [0], page=1)
    thumbnail(path, 320)


@pytest.mark.parametrize("name", ["photo.jpg", "gone.tif"])
def test_what_is_no_tiff_is_left_to_its_reader(name, tmp_path):
    if name == "photo.jpg":
        (tmp_path / name).write_bytes(b"\xff\xd8\xff")
    check_empty_tiles(tmp_path / name, np.zeros((10, 10, 3), np.uint8), 1.0)
