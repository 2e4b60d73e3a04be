"""Environment variables that every job starts with, read by its libraries before its script runs."""

import os

JOB_ENVIRONMENT = {
    # Threads that wait for work must not burn the cores that other jobs compute on: training on a busy
    # machine then took ten times as long. Spinning for some microseconds is all that short steps gain from.
    "GOMP_SPINCOUNT": "1000",
    # glibc gives large pieces of freed memory back to the system, and fetches them anew, page by page, for
    # the next layer of the network: a third of the forward pass on a CPU. In bytes, both out of reach.
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
}


def set_job_environment() -> None:
    """Set what the user has not set, for the processes that this one starts."""
    for name, value in JOB_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
