import bz2
import gzip
import random
import zipfile

import pytest

from ressat.base.errors import InputError, about
from ressat.counts import compression
from ressat.counts.compression import read_bytes


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_packed_is_told_by_the_content(tmp_path, name, packed):
    (tmp_path / name).write_bytes(gzip.compress(b"content") if packed else b"content")
    assert read_bytes(str(tmp_path / name)) == b"content"


def test_a_byte_order_mark_is_no_content(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfcontent")
    assert read_bytes(str(tmp_path / "a")) == b"content"


def refusal(file: object) -> str:
    with pytest.raises(InputError) as caught, about(section="S1"):
        read_bytes(str(file))
    assert str(caught.value).startswith(f"section S1: {file}: ")
    assert caught.value.action
    return caught.value.problem


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0), b"\xef\xbb\xbf\n \n"])
def test_an_empty_file_is_refused(tmp_path, content):
    (tmp_path / "a.gz").write_bytes(content)
    assert refusal(tmp_path / "a.gz") == "an empty file"


def test_a_damaged_archive_is_refused(tmp_path):
    whole = gzip.compress(random.Random(1).randbytes(5000))
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    for content in (whole[: len(whole) // 2], whole[:5], bytes(damaged), whole + b"more"):
        (tmp_path / "a.gz").write_bytes(content)
        assert refusal(tmp_path / "a.gz").startswith("it cannot be read (")


def test_other_archives_are_refused_by_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.gz", "w") as archive:
        archive.writestr("a", "content")
    assert refusal(tmp_path / "a.gz") == "a zip archive"
    (tmp_path / "a.gz").write_bytes(bz2.compress(b"content"))
    assert refusal(tmp_path / "a.gz") == "a bzip2 archive"


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    assert refusal(tmp_path) == "it cannot be read (Is a directory)"
    assert refusal(tmp_path / "none") == "it cannot be read (No such file or directory)"


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (PermissionError(13, "Permission denied"), "permission is denied"),
        (OSError(24, "Too many open files"), "too many files are open"),
        (IsADirectoryError(21, "Is a directory"), "it cannot be read (Is a directory)"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_for_its_reason(tmp_path, monkeypatch, error, problem):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr("builtins.open", refuse)  # root may read any
    assert refusal(tmp_path / "a") == problem


@pytest.mark.parametrize("content", [b"0\t" * 500_000, b"\n" * 1_000_000])
def test_what_unpacks_to_far_more_than_a_table_can_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.setattr(compression, "ALWAYS_FITS", 100_000)
    (tmp_path / "a.gz").write_bytes(gzip.compress(content))
    assert "of it unpack to more than" in refusal(tmp_path / "a.gz")
    table = b"".join(b"GENE%d\t%d\n" % (number, number % 7) for number in range(50_000))
    (tmp_path / "a.gz").write_bytes(gzip.compress(table))
    assert read_bytes(str(tmp_path / "a.gz")) == table


@pytest.mark.parametrize("error", [MemoryError(), OSError(5, "Input/output error")])
def test_trouble_of_the_machine_is_no_damage(tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    (tmp_path / "a.gz").write_bytes(gzip.compress(b"content"))
    monkeypatch.setattr(compression._Unpacked, "readinto", fail)
    with pytest.raises((InputError, MemoryError)) as caught:
        read_bytes(str(tmp_path / "a.gz"))
    assert "again" not in str(caught.value) or "run again" in str(caught.value)
