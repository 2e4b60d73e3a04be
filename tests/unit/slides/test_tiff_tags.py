"""Tags are read from any TIFF, and whatever else a file holds gives one of two errors."""

import contextlib

import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from ressat.base.errors import InputError
from ressat.slides.tiff_tags import PLACES, Tag, read_tiff, stated_bits
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


def test_subifds_are_read_with_their_page(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(RGB, subifds=2, photometric="rgb", metadata=None)
        writer.write(RGB[::2, ::2].copy(), photometric="rgb", metadata=None, subfiletype=1)
        writer.write(RGB[::4, ::4].copy(), photometric="rgb", metadata=None, subfiletype=1)
        writer.write(RGB[::5, ::5].copy(), photometric="rgb", metadata=None)
    first, second = read_tiff(path).images
    assert [image.size for image in first.subimages] == [(350, 250), (175, 125)]
    assert all(image.is_reduced for image in first.subimages)
    assert (second.size, second.subimages) == ((140, 100), ())
    assert not read_tiff(path, PLACES | {Tag.IMAGE_WIDTH, Tag.IMAGE_LENGTH}).images[0].subimages


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_out_of_order_are_put_in_order(big, order, tmp_path):
    path, sorted_path = tmp_path / "a.tif", tmp_path / "b.tif"
    tifffile.imwrite(path, RGB, photometric="rgb", description="H&E", bigtiff=big, byteorder=order)
    tiff = read_tiff(path)
    assert tiff.images[0].text(Tag.IMAGE_DESCRIPTION).rstrip(b"\0") == b"H&E"
    ((place, patch),) = tiff.patches
    content = bytearray(path.read_bytes())
    content[place : place + len(patch)] = patch
    sorted_path.write_bytes(content)
    assert read_tiff(sorted_path).patches == ()
    with tifffile.TiffFile(sorted_path) as opened:
        assert (opened.pages[0].asarray() == RGB).all()
        assert [tag.value for tag in opened.pages[0].tags.values() if tag.code == 270] == ["H&E"]


@pytest.mark.parametrize("subifd", [False, True])
def test_directories_in_a_circle_are_refused(subifd, tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(RGB, subifds=1 if subifd else None, photometric="rgb", metadata=None)
        writer.write(RGB[::2, ::2].copy(), photometric="rgb", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as opened:
        if subifd:
            opened.pages[0].tags["SubIFDs"].overwrite(opened.pages[0].offset)
        else:
            file, last = opened.filehandle, opened.pages[1]
            file.seek(last.offset + 2 + 12 * len(last.tags))
            file.write(opened.pages[0].offset.to_bytes(4, "little"))
    with pytest.raises(InputError, match=r"a\.tif: the TIFF's directories lead back to one another"):
        read_tiff(path)


def test_more_directories_than_any_slide_has_are_refused_soon(tmp_path, monkeypatch):
    monkeypatch.setattr("ressat.slides.tiff_tags.MOST_IMAGES", 3)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for _ in range(4):
            writer.write(RGB[:16, :16].copy(), photometric="rgb", metadata=None)
    with pytest.raises(InputError, match="or are more than any slide has; expected at most 3 images"):
        read_tiff(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("tags", "bits"),
    [
        ([(281, "H", 3, (4095,) * 3, True)], 12),
        ([(341, "H", 3, (1023,) * 3, True)], 10),
        ([(341, "H", 3, (1023,) * 3, True), (281, "H", 3, (4095,) * 3, True)], 10),
        ([(281, "H", 3, (4000,) * 3, True)], None),
        ([(281, "H", 3, (1,) * 3, True)], None),
        ([], None),
    ],
)
def test_bits_are_stated_by_a_largest_value_of_all_ones(tags, bits, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", metadata=None, extratags=sorted(tags))
    assert stated_bits(read_tiff(tmp_path / "a.tif").images[0]) == bits
