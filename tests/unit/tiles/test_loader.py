"""Tiles are loaded in order, a little ahead, by processes that end with whoever started them."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from ressat.base.errors import InputError
from ressat.slides.slide import Slide
from ressat.tiles import reading
from ressat.tiles.loader import tile_batches
from ressat.tiles.reader import read_tile
from ressat.tiles.reading import BATCHES_AHEAD
from ressat.tiles.tiling import TileGeometry

RGB = np.random.default_rng(0).integers(0, 200, (700, 900, 3), dtype=np.uint8)
GEOMETRY = TileGeometry(112, 224, 0, 224, 1.0)


@pytest.fixture
def slide(write_slide):
    return write_slide(RGB, downsamples=(2,))


@pytest.mark.parametrize("readers", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 4, 5, 64])
def test_batches_hold_every_tile_once_and_in_order(slide, batch_size, readers):
    coords = np.random.default_rng(1).integers(0, 700, (10, 2))
    batches = [batch.numpy() for batch in tile_batches(slide, coords, GEOMETRY, batch_size, readers)]
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    with Slide(slide) as opened:
        expected = [read_tile(opened, centre, GEOMETRY) for centre in coords]
    assert np.array_equal(np.concatenate(batches), expected)


def test_no_tiles_give_no_batches(slide):
    assert list(tile_batches(slide, np.empty((0, 2), int), GEOMETRY, 4)) == []


def test_reading_goes_on_while_a_batch_is_used_but_not_without_bound(slide, monkeypatch, tmp_path):
    # The tiles are read elsewhere: what was read is counted in a file.
    seen = tmp_path / "read"

    def counted(*_):
        with seen.open("a") as file:
            file.write("x")
        return np.zeros((1, 1, 3), np.uint8)

    monkeypatch.setattr(reading, "read_tile", counted)
    batches = tile_batches(slide, np.zeros((1000, 2)), GEOMETRY, 10)
    for used in range(1, 4):
        next(batches)
        ahead = 10 * (used + BATCHES_AHEAD)
        deadline = time.monotonic() + 10
        while seen.stat().st_size < ahead and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        assert seen.stat().st_size == ahead
    batches.close()


@pytest.mark.parametrize("readers", [1, 2])
def test_damage_met_by_a_reading_process_reaches_the_script(slide, monkeypatch, readers):
    def damaged(*_):
        raise InputError("damaged", section="S1")

    monkeypatch.setattr(Slide, "read", damaged)
    with pytest.raises(InputError, match=r"section S1: .*slide\.tiff: damaged"):
        list(tile_batches(slide, np.full((100, 2), 300), GEOMETRY, 8, readers))


@pytest.mark.parametrize("readers", [1, 3])
@pytest.mark.parametrize(
    ("end", "words"),
    [
        (signal.SIGKILL, "was killed, probably because memory ran out; give the job more memory"),
        (signal.SIGTERM, "ended with SIGTERM; run again"),
    ],
)
def test_a_reading_process_that_is_ended_ends_the_job_in_a_sentence(slide, end, words, readers):
    job = psutil.Process()
    # What other tests of this process have started, and libraries keep.
    others = set(job.children())
    batches = tile_batches(slide, np.full((400, 2), 300), GEOMETRY, 8, readers)
    next(batches)
    reader = [child for child in job.children() if child not in others][-1]
    reader.send_signal(end)
    start = time.monotonic()
    with pytest.raises(InputError, match=rf"slide\.tiff: a process that reads tiles {words}"):
        list(batches)
    assert time.monotonic() - start < 30
    assert set(job.children()) <= others


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (MemoryError(), InputError, "memory ran out"),
        (OSError(5, "Input/output error"), InputError, "the disk failed"),
        (ZeroDivisionError("by nothing"), RuntimeError, "(?s)a process that reads tiles failed.*by nothing"),
    ],
)
def test_what_fails_in_a_reading_process_is_told_by_the_job(slide, monkeypatch, error, kind, words):
    def fail(*_):
        raise error

    monkeypatch.setattr(reading, "read_tile", fail)
    with pytest.raises(kind, match=words):
        list(tile_batches(slide, np.full((40, 2), 300), GEOMETRY, 8))


@pytest.mark.parametrize("kilobytes", [4, 64])
def test_tiles_need_no_shared_memory_with_a_name(repository, slide, kilobytes):
    """As in a container whose /dev/shm is smaller than a batch."""
    script = f"""
import numpy as np
from ressat.tiles.loader import tile_batches
from ressat.tiles.tiling import TileGeometry
geometry = TileGeometry(112, 224, 0, 224, 1.0)
batches = tile_batches({str(slide)!r}, np.full((70, 2), 300), geometry, 32, readers=2)
print(sum(map(len, batches)))
"""
    small = f'mount -t tmpfs -o size={kilobytes}k tmpfs /dev/shm || exit 99; exec "$@"'
    job = subprocess.run(
        ["unshare", "-m", "sh", "-c", small, "sh", sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if job.returncode in (1, 99, 127) and not job.stdout and "Traceback" not in job.stderr:
        pytest.skip(f"no file system can be mounted here: {job.stderr.strip()}")
    assert job.stdout == "70\n", job.stderr


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_reading_processes_end_with_a_job_that_is_killed(repository, slide, end):
    script = f"""
import signal
import time
import numpy as np
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, if the tests run in the background
from ressat.tiles.loader import tile_batches
from ressat.tiles.tiling import TileGeometry
geometry = TileGeometry(112, 224, 0, 224, 1.0)
batches = tile_batches({str(slide)!r}, np.full((400, 2), 300), geometry, 8, readers=2)
next(batches)
print("reading", flush=True)
time.sleep(60)
"""
    env = os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")}
    job = subprocess.Popen(
        [sys.executable, "-c", script], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert job.stdout.readline() == "reading\n"
    readers = psutil.Process(job.pid).children()
    assert len(readers) == 2
    job.send_signal(end)
    job.wait(30)
    _, alive = psutil.wait_procs(readers, timeout=30)
    assert not alive
