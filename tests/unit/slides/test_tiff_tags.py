"""Tags are read from any TIFF, and whatever else a file holds gives one of two errors."""

import contextlib

import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from ressat.base.errors import InputError
from ressat.slides.tiff_tags import PLACES, Tag, read_tiff
from slide_files import HEIGHT, RGB, WIDTH, tiled


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_are_read_whatever_the_byte_order_and_the_width_of_offsets(big, order, tmp_path):
    path = tmp_path / "a.tif"
    tiled(bigtiff=big, byteorder=order, description="a scan")(path)
    tiff = read_tiff(path)
    assert (len(tiff.images), tiff.file_size) == (1, path.stat().st_size)
    assert tiff.is_classic_big_endian is (order == ">" and not big)
    image = tiff.images[0]
    assert (image.size, image.is_tiled, image.is_reduced) == ((WIDTH, HEIGHT), True, False)
    assert image.integers[Tag.BITS_PER_SAMPLE] == (8, 8, 8)
    assert image.text(Tag.IMAGE_DESCRIPTION).rstrip(b"\0") == b"a scan"
    assert (image.first(Tag.SUB_IFDS, 7), image.text(Tag.MAKE)) == (7, b"")


@pytest.mark.parametrize("big", [False, True])
def test_the_places_of_all_tiles_are_read_where_they_are_wanted(big, tmp_path):
    path = tmp_path / "a.tif"
    tiled(bigtiff=big, tile=(16, 16))(path)
    assert not PLACES & set(read_tiff(path).images[0].integers)
    integers = read_tiff(path, set(Tag)).images[0].integers
    with tifffile.TiffFile(path) as opened:
        assert integers[Tag.TILE_OFFSETS] == opened.pages[0].dataoffsets
        assert integers[Tag.TILE_BYTE_COUNTS] == opened.pages[0].databytecounts


@given(st.sampled_from([b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b""]), st.binary(max_size=200))
def test_no_bytes_give_another_error(tmp_path_factory, start, content):
    path = tmp_path_factory.getbasetemp() / "any.tif"
    path.write_bytes(start + content)
    for tags in (set(Tag), PLACES):
        with contextlib.suppress(InputError):
            read_tiff(path, tags)


def test_bytes_changed_at_random_give_no_other_error(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB[:64, :64], tile=(16, 16), photometric="rgb")
    content = path.read_bytes()
    for position in range(400):
        path.write_bytes(content[:position] + b"\xfe" + content[position + 1 :])
        with contextlib.suppress(InputError):
            read_tiff(path, set(Tag))
