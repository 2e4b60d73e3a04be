"""Writing HDF5 files that are either whole or not there, on disks that may be full."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import h5py

from ressat.base.files import replacing
from ressat.base.machine import machine_trouble

_unclosed: list[h5py.File] = []


@contextmanager
def new_hdf5(path: str | os.PathLike) -> Iterator[h5py.File]:
    """Give a new HDF5 file to write to, which takes its name once it is whole (see `replacing`).

    Parameters
    ----------
    path
        The final path.

    Yields
    ------
    h5py.File
        Open for writing, under a temporary name.
    """
    with replacing(path) as temporary:
        # Without a cache of chunks: HDF5 2.0 destroys its memory where a compressed chunk cannot be written
        # out of there. What is written should be whole chunks, then, or they are compressed again and again.
        file = h5py.File(temporary, "w", rdcc_nbytes=0)
        try:
            yield file
            # Here and not while closing, since an error can still be told of here.
            file.flush()
        except BaseException as error:
            if machine_trouble(error):
                # HDF5 2.0 crashes where it closes a file that it could not write: the job ends without that.
                _unclosed.append(file)
            else:
                file.close()
            raise
        file.close()
