"""Pipes, sockets and devices are refused unopened; links that lead nowhere are named."""

import os
import socket
from pathlib import Path

import pytest

from ressat.base.errors import InputError
from ressat.base.path_kind import dead_link, refuse_special


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


SPECIAL = {
    "a named pipe (FIFO)": fifo,
    "a socket": unix_socket,
    "a character device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("what", SPECIAL)
@pytest.mark.parametrize("name", ["s.h5ad", "genes.txt"])
def test_what_is_no_file_is_refused_unopened(what, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # names of sockets must be short
    SPECIAL[what](Path(name))
    with pytest.raises(InputError) as caught:
        refuse_special(name)
    assert str(caught.value).startswith(f"{name}: {what}, not a file; expected a file on a disk; ")


@pytest.mark.parametrize("name", ["file", "folder", "nothing", "x" * 5000, "a\0b"])
def test_all_else_is_left_to_what_reads_it(name, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    refuse_special(f"{tmp_path}/{name}")


def test_the_link_that_leads_nowhere_is_named(tmp_path):
    (tmp_path / "slides").symlink_to("/mnt/gone")
    (tmp_path / "a.svs").symlink_to("b.svs")
    (tmp_path / "b.svs").symlink_to("a.svs")
    said = f"{tmp_path}/slides is a link to /mnt/gone, which is not there"
    assert dead_link(tmp_path / "slides/S1.svs") == said
    assert dead_link(tmp_path / "slides/deeper/S1.svs") == said
    assert dead_link(tmp_path / "a.svs") == "it is a link to b.svs, which is not there"
    assert dead_link(tmp_path / "c.svs") is None
