"""The machine's GPUs: how many there are, and which job gets which. Standard library only."""

import fcntl
import logging
import os
import re
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TextIO

from ressat.base.errors import InputError

logger = logging.getLogger("ressat")

RETRY_S = 1.0
# How long a job waits for others, which have their own limits of time: longer than the longest of them.
DEADLINE_S = 24 * 3600.0
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
def claim_gpu(
    names: tuple[str, ...], folder: str | Path | None = None, deadline_s: float = DEADLINE_S
) -> int:
    """Take the first GPU that no other job of this user has, and keep it until the process ends.

    Snakemake limits how many jobs of one run use a GPU, but it cannot say which GPU each job gets, and it
    does not know of a second run on the same machine. Waits while all GPUs are taken.

    Parameters
    ----------
    names
        The GPUs to choose from, each by a name that is the same in every process.
    folder
        Where the user's folder of lock files is; by default the machine's temporary folder.
    deadline_s
        How long to wait, in seconds.

    Returns
    -------
    int
        Index of the GPU in ``names``. A second call in the same process returns the same one.

    Raises
    ------
    InputError
        If the folder of lock files is not the user's own, or no GPU is free in time; says who has them.
    """
    locks = _own_folder(Path(folder or tempfile.gettempdir()))
    start = time.monotonic()
    waited = False
    while True:
        holders: list[str] = []
        for index, name in enumerate(names):
            file = _opened(locks / f"gpu-{name}.lock")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holders.append(_holder(file))
                file.close()
                continue
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            _held.append(file)
            return index
        who = ", ".join(holders)
        if not waited:
            logger.warning("waiting for a GPU: other jobs are using all %d (%s)", len(names), who)
        waited = True
        if time.monotonic() - start > deadline_s:
            raise InputError(
                f"no GPU was given back within {deadline_s / 3600:.3g} h by {who}",
                expected="other jobs to end",
                action="wait for them, or end them if they hang, and run again",
            )
        time.sleep(RETRY_S)


def _own_folder(parent: Path) -> Path:
    """The folder of this user's locks, in which nobody else can put a file or a link."""
    folder = parent / f"ressat-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or state.st_mode & 0o077:
        kind = (
            "a link"
            if stat.S_ISLNK(state.st_mode)
            else "a folder"
            if stat.S_ISDIR(state.st_mode)
            else "a file"
        )
        raise InputError(
            f"{kind} of user {state.st_uid} with the permissions {stat.S_IMODE(state.st_mode):o} "
            "stands where the locks of GPUs belong",
            expected=f"a folder of user {os.getuid()} with the permissions 700",
            action="have it removed, or set TMPDIR to a folder of your own",
            file=folder,
        )
    return folder


def _opened(path: Path) -> TextIO:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "r+")


def _holder(file: TextIO) -> str:
    """Who has a lock: a process and, where it can be seen, its script."""
    pid = file.read(20).strip()
    if not pid.isdecimal():
        return "an unknown process"
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        words = []
    script = next((re.sub(r"^tmp\w+\.", "", Path(word).name) for word in words if word.endswith(".py")), "")
    return f"process {pid}" + (f", {script}" if script else "")
