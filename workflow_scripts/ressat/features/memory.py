"""Keeping freed memory in the process for its next use, where the C library can be told to."""

import ctypes

# Of mallopt(3): how much freed memory is kept at most, and from which size on memory is mapped on its own.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
# A threshold that is never reached; and the largest that glibc accepted before 2.35.
OUT_OF_REACH, MOST_BEFORE = 2**31 - 1, 2**25


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees.

    By default glibc returns large blocks to the system, and requests them again, page by page, for the next
    layer of the network, which takes up to a third of its forward pass on a CPU.

    Returns
    -------
    bool
        Whether it now does; False where the C library is not glibc, or is an old one.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    if not mallopt(M_MMAP_THRESHOLD, OUT_OF_REACH):
        mallopt(M_MMAP_THRESHOLD, MOST_BEFORE)
        return False
    return bool(mallopt(M_TRIM_THRESHOLD, OUT_OF_REACH))
