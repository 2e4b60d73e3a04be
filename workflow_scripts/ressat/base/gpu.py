"""The machine's GPUs: how many there are, and which job gets which. Standard library only."""

import fcntl
import logging
import os
import re
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TextIO

logger = logging.getLogger("ressat")

RETRY_S = 1.0
# A lock lives as long as its file is open: until the process ends, whatever ends it.
_held: list[TextIO] = []


def count_gpus() -> int:
    """Count the GPUs of this machine that a process started here may use, without loading torch.

    Returns
    -------
    int
        Those that ``nvidia-smi`` lists and CUDA_VISIBLE_DEVICES does not hide; 0 where there is no driver.
    """
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    gpus = re.findall(r"(?m)^GPU (\d+): .*\(UUID: (\S+)\)", listing.stdout)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return len(gpus)
    visible_gpus: set[str] = set()
    for name in visible.split(","):
        meant = {
            uuid for index, uuid in gpus if name.strip() == index or uuid.startswith(name.strip() or " ")
        }
        # As CUDA does: an unknown, ambiguous or repeated name hides itself and all names after it.
        if len(meant) != 1 or meant <= visible_gpus:
            break
        visible_gpus |= meant
    return len(visible_gpus)


@cache
def claim_gpu(names: tuple[str, ...], folder: str | Path | None = None) -> int:
    """Take the first GPU that no other job of this user has, and keep it until the process ends.

    Snakemake limits how many jobs of one run use a GPU, but it cannot say which GPU each job gets, and it
    does not know of a second run on the same machine. Waits while all GPUs are taken.

    Parameters
    ----------
    names
        The GPUs to choose from, each by a name that is the same in every process.
    folder
        Where the lock files are; by default the machine's temporary folder.

    Returns
    -------
    int
        Index of the GPU in ``names``. A second call in the same process returns the same one.
    """
    folder, waited = Path(folder or tempfile.gettempdir()), False
    while True:
        for index, name in enumerate(names):
            file = (folder / f"ressat-{os.getuid()}-gpu-{name}.lock").open("a")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                continue
            _held.append(file)
            return index
        if not waited:
            logger.warning("waiting for a GPU: other jobs are using all %d", len(names))
        waited = True
        time.sleep(RETRY_S)
