"""Writing HDF5 files that are either complete or absent, even on a full disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import h5py

from ressat.base.files import replacing
from ressat.base.machine import machine_trouble

_unclosed: list[h5py.File] = []


@contextmanager
def new_hdf5(path: str | os.PathLike) -> Iterator[h5py.File]:
    """Open a new HDF5 file to write to; it gets its name once it is complete (see `replacing`).

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
        # No chunk cache: HDF5 2.0 corrupts its memory if it cannot write a compressed chunk out of the cache.
        # So callers should write whole chunks, or each chunk is compressed again and again.
        file = h5py.File(temporary, "w", rdcc_nbytes=0)
        try:
            yield file
            # Flush before closing, because an error can still be reported here.
            file.flush()
        except BaseException as error:
            if machine_trouble(error):
                # HDF5 2.0 crashes on closing a file that it could not write, so leave it open until exit.
                _unclosed.append(file)
            else:
                file.close()
            raise
        file.close()
