"""Keeping freed memory in the process for its next use, where the C library can be told to."""

import ctypes

# Of mallopt(3): from how many bytes on memory is fetched piece by piece, and given back when it is freed.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
# Out of reach; and the most that glibc took before 2.35.
OUT_OF_REACH, MOST_BEFORE = 2**31 - 1, 2**25


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees.

    By default glibc gives large pieces back to the system, and fetches them anew, page by page, for the next
    layer of the network, which takes up to a third of its forward pass on a CPU.

    Returns
    -------
    bool
        Whether that is so now; False where the C library is not glibc, or an old one.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    if not mallopt(M_MMAP_THRESHOLD, OUT_OF_REACH):
        mallopt(M_MMAP_THRESHOLD, MOST_BEFORE)
        return False
    return bool(mallopt(M_TRIM_THRESHOLD, OUT_OF_REACH))
