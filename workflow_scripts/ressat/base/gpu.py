"""GPUs of a machine: how many there are, and whose turn it is on which. Standard library only."""

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
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    gpus = re.findall(r"(?m)^GPU (\d+): .*\(UUID: (\S+)\)", listed.stdout)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return len(gpus)
    seen: set[str] = set()
    for name in visible.split(","):
        meant = {
            uuid for index, uuid in gpus if name.strip() == index or uuid.startswith(name.strip() or " ")
        }
        # As CUDA does: a name that is none, or stands there again, hides itself and all that follow.
        if len(meant) != 1 or meant <= seen:
            break
        seen |= meant
    return len(seen)


@cache
def claim_gpu(names: tuple[str, ...], folder: str | Path | None = None) -> int:
    """Take the first GPU that no other job of this user has, and keep it until the process ends.

    Snakemake bounds how many jobs of one run use a GPU, and cannot say which one each gets; and it knows
    nothing of a second run beside it. While all are taken, this waits.

    Parameters
    ----------
    names
        The GPUs to choose from, each by a name that is the same in every process.
    folder
        Where the locks are; default: the machine's folder of temporary files.

    Returns
    -------
    int
        Index of the GPU in ``names``. A second call of a process returns the same.
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
            logger.warning("waiting for a GPU: other jobs have all %d", len(names))
        waited = True
        time.sleep(RETRY_S)
