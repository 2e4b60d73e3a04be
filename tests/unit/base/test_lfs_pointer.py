"""A file that Git has not fetched is told as that, and nothing else is taken for one."""

import pytest

from ressat.base.errors import InputError
from ressat.base.lfs_pointer import refuse_pointer

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


@pytest.mark.parametrize("text", [POINTER.format("4d7a" * 16, 734003200), POINTER.format("00ff" * 16, 5)])
def test_a_pointer_is_named_with_the_size_of_the_file(text, tmp_path):
    path = tmp_path / "slide.ndpi"
    path.write_text(text)
    size = text.split()[-1]
    with pytest.raises(
        InputError, match=rf"ndpi: a Git LFS pointer, not .* \({size} bytes\); .*; run git lfs pull"
    ):
        refuse_pointer(path)


@pytest.mark.parametrize("content", [b"", b"version 1\n", b"II*\0version https://git-lfs.github.com/spec/v1"])
def test_another_file_passes(content, tmp_path):
    path = tmp_path / "slide.tif"
    path.write_bytes(content)
    refuse_pointer(path)
    path.write_text(POINTER.format("a", 1) + "x" * 2000)  # a text about pointers
    refuse_pointer(path)


@pytest.mark.parametrize("name", ["gone.tif", "."])
def test_what_is_no_file_is_left_to_others(name, tmp_path):
    refuse_pointer(tmp_path / name)
