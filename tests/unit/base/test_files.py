"""A file is whole or not there, whoever is killed while writing it."""

import hashlib
import os
import socket
import subprocess
import sys

import pytest

from ressat.base.errors import InputError
from ressat.base.files import FORMAT_VERSION, check_version, replacing, sha256, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def part_of(path, pid, host=None):
    return path.with_name(f".{path.name}.{host or socket.gethostname()}.{pid}.part")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "C2.h5"
    path.write_text("old")
    return path


@pytest.fixture
def dead_pid():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.fixture
def living_pid():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def test_the_new_file_takes_the_old_ones_place_when_it_is_whole(path):
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent
        inode = temporary.stat().st_ino
    assert path.read_text() == "new"
    assert path.stat().st_ino == inode, "renamed, not copied"
    assert names(path.parent) == ["C2.h5"]


def test_folders_are_made(tmp_path):
    write_text(tmp_path / "results" / "stain" / "C2.json", "{\u00b5}")
    assert (tmp_path / "results" / "stain" / "C2.json").read_bytes() == "{\u00b5}".encode()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_the_old_file_and_nothing_else(path, error):
    def write_half():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_text() == "old"
    assert names(path.parent) == ["C2.h5"]


def test_a_block_that_writes_nothing_is_an_error_and_leaves_the_old_file(path):
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert path.read_text() == "old"


def test_a_killed_process_leaves_the_old_file_and_the_next_one_cleans_up(repository, path):
    script = f"""
import time
from ressat.base.files import replacing
with replacing({str(path)!r}) as temporary:
    temporary.write_text("half")
    print("written", flush=True)
    time.sleep(60)
"""
    env = os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")}
    with subprocess.Popen([sys.executable, "-c", script], env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"written\n"
        process.kill()
    assert path.read_text() == "old"
    assert len(names(path.parent)) == 2
    write_text(path, "new")
    assert names(path.parent) == ["C2.h5"]
    assert path.read_text() == "new"


def test_leftovers_of_the_dead_are_removed_and_those_of_the_living_are_kept(path, dead_pid, living_pid):
    kept = [
        part_of(path, living_pid),
        part_of(path, dead_pid, host="another-host"),
        part_of(path, dead_pid, host=socket.gethostname() + ".another"),
        part_of(path.with_name("C3.h5"), dead_pid),
        path.with_name(f".{path.name}.{socket.gethostname()}.of-a-user.part"),
    ]
    for leftover in [*kept, part_of(path, dead_pid)]:
        leftover.write_text("half")
    write_text(path, "new")
    assert names(path.parent) == sorted(["C2.h5", *(leftover.name for leftover in kept)])


def test_an_orphan_that_goes_on_writing_does_not_touch_the_new_file(repository, path):
    script = f"""
from ressat.base.files import replacing
with replacing({str(path)!r}) as temporary, open(temporary, "w") as file:
    file.write("orphan")
    file.flush()
    print("written", flush=True)
    input()
    file.write("more")
    file.flush()
    raise SystemExit("killed in the end")
"""
    env = os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", script], env=env, **pipes) as process:
        assert process.stdout.readline() == b"written\n"
        write_text(path, "new")
        assert path.read_text() == "new"
        process.communicate(b"\n", timeout=30)
    assert path.read_text() == "new"
    assert names(path.parent) == ["C2.h5"]


def test_the_checksum_is_that_of_the_content(tmp_path):
    content = os.urandom(300_000)
    (tmp_path / "file").write_bytes(content)
    assert sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_this_version_of_the_formats_is_accepted_and_others_are_not():
    check_version({"version": FORMAT_VERSION}, "C2.h5")
    for attrs in ({}, {"version": 0}, {"version": FORMAT_VERSION + 1}):
        expected = rf"^C2\.h5: file format version .*; expected version {FORMAT_VERSION}; remove"
        with pytest.raises(InputError, match=expected):
            check_version(attrs, "C2.h5")
