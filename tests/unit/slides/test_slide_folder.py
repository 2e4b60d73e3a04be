"""A folder in the place of a slide, and a slide without its folder, say which file is wanted."""

import struct
from pathlib import Path

import openslide
import pytest

from ressat.base.errors import InputError
from ressat.slides.formats import needs_conversion
from ressat.slides.slide_folder import refuse_folder, require_companions


def dicom_element(group: int, element: int, kind: str, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    length = struct.pack("<HI", 0, len(value)) if kind == "OB" else struct.pack("<H", len(value))
    return struct.pack("<HH2s", group, element, kind.encode()) + length + value


# As little of a DICOM slide as OpenSlide needs to see that it is one.
SLIDE_CLASS = b"1.2.840.10008.5.1.4.1.1.77.1.6"
META = (
    dicom_element(2, 1, "OB", b"\0\1")
    + dicom_element(2, 2, "UI", SLIDE_CLASS)
    + dicom_element(2, 3, "UI", b"1.2.3.4")
    + dicom_element(2, 16, "UI", b"1.2.840.10008.1.2.1")
)
DICOM = bytes(128) + b"DICM" + dicom_element(2, 0, "UL", struct.pack("<I", len(META))) + META
DICOM += dicom_element(8, 0x16, "UI", SLIDE_CLASS)


def write(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def refusal(check, path: Path) -> str:
    with pytest.raises(InputError) as caught:
        check(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


@pytest.mark.parametrize(
    ("files", "found", "give"),
    [
        ({"a_DOT_dcm": DICOM, "b_DOT_dcm": DICOM + b"x", "notes_DOT_txt": b""}, "2 DICOM files", "b.dcm"),
        ({"1_DOT_2_DOT_840": DICOM}, "1 DICOM file;", "1.2.840"),
        ({"series1__level0": DICOM + b"xx", "series1__level1": DICOM}, "2 DICOM files", "series1/level0"),
        ({"only_DOT_svs": b"x", "readme_DOT_txt": b"", "_DOT__only_DOT_svs": b""}, "one image", "only.svs"),
        ({"scan_DOT_vms": b"", "scan_DOT_jpg": b"", "scan_1_DOT_jpg": b""}, "one image", "scan.vms"),
        ({"a_DOT_ndpi": b"", "b_DOT_tif": b""}, "2 images (a.ndpi, b.tif)", "one of them"),
        ({"notes_DOT_txt": b""}, "no image in it", "the slide's file"),
        ({}, "an empty folder", "the slide's file"),
        ({"_DOT_zattrs": b"{}", "0___DOT_zarray": b"{}"}, "OME-Zarr", "OME-TIFF"),
        ({"stack1__frame_t_DOT_ets": b""}, "Olympus slide (.vsi)", "OME-TIFF"),
    ],
)
def test_a_folder_is_said_to_be_what_it_is(files, found, give, tmp_path):
    message = refusal(refuse_folder, write(tmp_path / "slide.d", **files))
    assert found in message
    assert give in message.partition("; expected the slide's file; ")[2]


@pytest.mark.parametrize("index", ["Slidedat.ini", "SLIDEDAT.INI"])
def test_the_folder_of_an_mrxs_is_told_from_its_index(index, tmp_path):
    folder = write(tmp_path / "case.7", **{index.replace(".", "_DOT_"): b""})
    assert "copy the file case.7.mrxs, which is not there, beside it" in refusal(refuse_folder, folder)
    (tmp_path / "case.7.mrxs").touch()
    assert f"give {folder}.mrxs instead" in refusal(refuse_folder, folder)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "a.svs").touch()
    refuse_folder(tmp_path / "a.svs")
    refuse_folder(tmp_path / "missing.svs")


def test_an_mrxs_needs_its_folder(tmp_path):
    (tmp_path / "case.7.mrxs").touch()
    path = tmp_path / "case.7.mrxs"
    message = refusal(require_companions, path)
    assert f"{tmp_path}/case.7 is not there" in message
    assert "copy the folder case.7 from the slide's source too" in message
    (tmp_path / "case.7").mkdir()
    assert "case.7 has no Slidedat.ini" in refusal(require_companions, path)
    (tmp_path / "case.7/Slidedat.ini").touch()
    require_companions(path)
    require_companions(tmp_path / "a.svs")


def test_a_link_to_an_mrxs_says_where_its_folder_is(tmp_path):
    write(tmp_path / "far/s", Slidedat_DOT_ini=b"")
    (tmp_path / "far/s.mrxs").touch()
    (tmp_path / "near.mrxs").symlink_to(tmp_path / "far/s.mrxs")
    message = refusal(require_companions, tmp_path / "near.mrxs")
    assert f"link {tmp_path}/far/s here too, or give the path {tmp_path}/far/s.mrxs" in message


def test_an_mrxs_in_capitals_is_to_be_renamed(tmp_path):
    write(tmp_path / "A", Slidedat_DOT_ini=b"")
    (tmp_path / "A.MRXS").touch()
    assert "rename it to A.mrxs" in refusal(require_companions, tmp_path / "A.MRXS")


@pytest.mark.parametrize("name", ["1.2.840.10008", "level0", "scan.dicom"])
def test_a_dicom_file_is_known_by_its_content(name, tmp_path):
    (tmp_path / name).write_bytes(DICOM)
    assert openslide.OpenSlide.detect_format(tmp_path / name) == "dicom", "the test's own expectation"
    assert not needs_conversion(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "what"), [("a.vsi", "an Olympus slide"), ("b.ISYNTAX", "a Philips iSyntax slide")]
)
def test_a_format_that_nothing_reads_is_named(name, what, tmp_path):
    assert f"{what} (.{name.split('.')[1].lower()}), which neither" in refusal(
        needs_conversion, tmp_path / name
    )


@pytest.mark.parametrize("suffix", [".vms", ".VMU"])
def test_a_list_of_files_needs_all_of_them(suffix, tmp_path):
    path = tmp_path / f"scan{suffix}"
    lines = [
        "[Virtual Microscope Specimen]",
        "ImageFile=scan.jpg",
        "ImageFile(1,0)=scan(1,0).jpg",
        "MapFile=map.jpg",
    ]
    path.write_text("\r\n".join(lines) + "\r\n")
    (tmp_path / "scan.jpg").touch()
    message = refusal(require_companions, path)
    assert "2 of the 3 that it names are not beside it (first: scan(1,0).jpg)" in message
    (tmp_path / "scan(1,0).jpg").touch()
    (tmp_path / "map.jpg").touch()
    require_companions(path)
