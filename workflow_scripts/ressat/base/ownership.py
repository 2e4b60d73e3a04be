"""A job ends with the run that started it, and gives way to a newer job. Standard library only."""

import ctypes
import logging
import os
import re
import select
import signal
import sys
import threading
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.last_words import STARTED, STOPPED

logger = logging.getLogger("ressat")

# The environment variable by which a job knows the Snakemake that started it.
RUN = "RESSAT_RUN"
# Of prctl(2): the signal that a process gets when the thread that started it ends.
_PR_SET_PDEATHSIG = 1
_START = re.compile(rf"\S+ \S+ [A-Z]+ {re.escape(STARTED)}")

# Log file and first line of the job that this process is, while it is one.
_claim: dict[Path, str] = {}


def process_name(pid: int | None = None) -> str | None:
    """Return a name that no other process of this machine ever has: its number, its start and its world.

    Parameters
    ----------
    pid
        Its number; by default that of this process.

    Returns
    -------
    str or None
        None if there is no such process, or where the operating system does not tell.
    """
    pid = os.getpid() if pid is None else pid
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        world = os.stat("/proc/self/ns/pid").st_ino
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    # The command, in brackets, may hold blanks and brackets itself.
    start = stat.rpartition(")")[2].split()[19]
    return f"{pid} {start} {world} {boot}"


def end_with_parent() -> None:
    """Let the kernel end this process at once when the thread that started it ends; on Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def end_with_run() -> None:
    """Let this process end when the Snakemake that started it, by way of a shell or not, ends; on Linux only.

    Raises
    ------
    InputError
        If that Snakemake has ended already.
    """
    run = os.environ.get(RUN)
    here = process_name()
    if not run or here is None or run.split()[2:] != here.split()[2:]:
        return  # not started by Snakemake, or by one that cannot be seen from here, as on another machine
    end_with_parent()
    pid = int(run.split()[0])
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        raise _orphaned() from None
    except OSError:
        return  # an old kernel
    # The number could be that of a later process.
    if process_name(pid) != run:
        os.close(descriptor)
        raise _orphaned()
    threading.Thread(target=_end_after, args=(descriptor,), daemon=True).start()


def claim_outputs(log_file: str | Path) -> None:
    """Make this process the owner of its job's outputs, until another process starts the log anew.

    Parameters
    ----------
    log_file
        The job's log, whose first line says who started it.
    """
    file = Path(log_file).absolute()
    _claim.clear()
    _claim[file] = _first_line(file)


def release_outputs() -> None:
    """End what `claim_outputs` began."""
    _claim.clear()


def has_claim() -> bool:
    """Tell whether this process is a job."""
    return bool(_claim)


def check_claim() -> None:
    """Refuse to go on if a newer process does the same job.

    Raises
    ------
    InputError
        If the log of this job was started anew.
    """
    for file, mine in _claim.items():
        now = _first_line(file)
        if now != mine and _START.match(now):
            who = now[_START.match(now).end() :].strip()
            raise InputError(
                f"a newer run has started this job again ({who})",
                expected="to be the only one that writes its results",
                action="nothing: this older job ends without touching them",
            )


def _first_line(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as log:
            return log.readline()
    except OSError:
        return ""


def _orphaned() -> InputError:
    return InputError(
        "the Snakemake that started this job has ended",
        expected="a run to do it for",
        action="nothing: the next run does it again",
    )


def _end_after(descriptor: int) -> None:
    """Wait for a process to end, and end this one."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    waiting.poll()
    # A result that nobody waits for would replace that of the next run.
    logger.error("%s%s", STOPPED, _orphaned())
    os.kill(os.getpid(), signal.SIGKILL)
