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
from ressat.tiles import loader
from ressat.tiles.loader import BATCHES_AHEAD, tile_batches
from ressat.tiles.reader import read_tile
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

    monkeypatch.setattr(loader, "read_tile", counted)
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
    with pytest.raises(InputError, match="section S1: damaged"):
        list(tile_batches(slide, np.full((100, 2), 300), GEOMETRY, 8, readers))


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_reading_processes_end_with_a_job_that_is_killed(repository, slide, end):
    script = f"""
import time
import numpy as np
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
