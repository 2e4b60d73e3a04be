"""Processes that read tiles into memory which they share with this one.

The memory is mapped before the processes are forked and has no name. So it is no file in /dev/shm, which has
64 MB in a container by default, and nothing can be left behind or be lost on the way.
"""

import mmap
import multiprocessing
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import TypeVar

import numpy as np

from ressat.base.errors import InputError
from ressat.base.machine import machine_trouble
from ressat.base.ownership import end_with_parent
from ressat.slides.slide import Slide
from ressat.tiles.reader import read_tile
from ressat.tiles.tiling import TileGeometry

# How many batches each process reads ahead: enough to never let the network wait, few enough to stay small.
BATCHES_AHEAD = 2
# How long a process that is about to end may take until this one can say how it ended.
END_S = 5.0

Batch = TypeVar("Batch")


class TileReaders:
    """Processes that read batches of tiles in turns, each through its own handle of the slide.

    Other ways of starting processes than fork import the script again, against which Snakemake's scripts have
    no guard. The processes hold a copy of everything this one has in memory when they start.

    Parameters
    ----------
    slide
        The slide's file.
    batches
        Level-0 centres of each batch, shape (b, 2).
    geometry
        How tiles of this slide are read.
    number
        How many processes read.
    """

    def __init__(
        self, slide: str | Path, batches: Sequence[np.ndarray], geometry: TileGeometry, number: int
    ) -> None:
        self.slide, self.batches, self.geometry = slide, batches, geometry
        self.number = min(number, len(batches))
        self.processes: list[ForkProcess] = []
        self.connections: list[Connection] = []
        if not batches:
            return
        shape = (max(map(len, batches)), geometry.tile_px, geometry.tile_px, 3)
        shape = (self.number, BATCHES_AHEAD, *shape)
        memory = mmap.mmap(-1, int(np.prod(shape)))
        self.memory = np.frombuffer(memory, np.uint8).reshape(shape)
        for index in range(self.number):
            self._start(index)

    def batches_read(self, copy: Callable[[np.ndarray], Batch]) -> Iterator[Batch]:
        """Yield copies of the batches, in order.

        Parameters
        ----------
        copy
            Makes the copy of a batch, uint8 (b, tile_px, tile_px, 3), whose memory is then used again.

        Raises
        ------
        InputError
            If the slide is damaged at a tile, or a process is killed.
        RuntimeError
            If a process fails otherwise.
        """
        try:
            for batch, centres in enumerate(self.batches):
                index = batch % self.number
                self._wait(index)
                copied = copy(self._place(batch)[: len(centres)])
                following = batch + self.number * BATCHES_AHEAD
                if following < len(self.batches):
                    self._request(index, following)
                yield copied
        finally:
            self.close()

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.join(END_S)
        for connection in self.connections:
            connection.close()

    def _place(self, batch: int) -> np.ndarray:
        """The shared memory for a batch."""
        return self.memory[batch % self.number, batch // self.number % BATCHES_AHEAD]

    def _start(self, index: int) -> None:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        # A reader must not keep open what belongs to others, or it would not see that they have ended.
        inherited = [*self.connections, ours]
        process = context.Process(target=self._read, args=(theirs, inherited), daemon=True)
        process.start()
        theirs.close()
        self.processes.append(process)
        self.connections.append(ours)
        for batch in range(index, len(self.batches), self.number)[:BATCHES_AHEAD]:
            self._request(index, batch)

    def _request(self, index: int, batch: int) -> None:
        # If the process has ended, the next wait says how.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connections[index].send(batch)

    def _wait(self, index: int) -> None:
        """Wait for a process's next batch."""
        process, connection = self.processes[index], self.connections[index]
        wait([connection, process.sentinel])
        failure: InputError | str | None = None
        try:
            if not connection.poll():
                raise EOFError
            failure = connection.recv()
        except (EOFError, ConnectionResetError):
            process.join(END_S)
            failure = _end(process.exitcode)
        if isinstance(failure, InputError):
            raise failure
        if failure is not None:
            raise RuntimeError(f"a process that reads tiles failed:\n{failure}")

    def _read(self, requests: Connection, inherited: Sequence[Connection]) -> None:
        """Read the batches that are asked for, in the process; say None for each, or what is wrong."""
        end_with_parent()
        # Ctrl-C reaches all processes of a terminal: the job is the one that ends the others.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for connection in inherited:
            connection.close()
        with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the job has ended
            failure: InputError | str | None = None
            try:
                with Slide(self.slide) as slide:
                    while True:
                        batch = requests.recv()
                        place = self._place(batch)
                        for number, centre in enumerate(self.batches[batch]):
                            place[number] = read_tile(slide, centre, self.geometry)
                        requests.send(None)
            except (EOFError, BrokenPipeError, ConnectionResetError):
                raise
            except InputError as error:
                failure = error
            except Exception as error:  # whatever it is, the job has to be told
                failure = machine_trouble(error) or traceback.format_exc()
            requests.send(failure)


def _end(exitcode: int | None) -> InputError:
    """Say what happened to a process that ended without a word."""
    if exitcode == -signal.SIGKILL:
        return InputError(
            "a process that reads tiles was killed, probably because memory ran out",
            action="give the job more memory (mem_mb on a cluster, the limit of a container), lower "
            "features.batch_size, or run fewer jobs at a time (a lower --cores)",
        )
    how = f"status {exitcode}" if exitcode is None or exitcode >= 0 else signal.Signals(-exitcode).name
    return InputError(
        f"a process that reads tiles ended with {how}",
        action="run again; if it happens again, the slide probably has damaged tiles: open it in a viewer",
    )
