"""Running one side of a benchmark as a process of its own, and watching its memory."""

import os
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import psutil

sys.path.append(str(Path(__file__).resolve().parent.parent / "workflow_scripts"))
from ressat.workflow.job_environment import TUNING

POLL_S = 0.5


def run(command: list[str], as_job: bool = False) -> tuple[str, float]:
    """Run a command; give what it printed, and the peak memory in GB of it and its children.

    Memory is polled: all that is resident of the command, and of its children what they do not share. Linux
    only. Where the command fails, the benchmark ends with what it complained of. ``as_job`` gives it the
    variables that the workflow's jobs start with.
    """
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as complained:
        process = subprocess.Popen(
            command, stdout=printed, stderr=complained, text=True, env=os.environ | (TUNING if as_job else {})
        )
        watched = psutil.Process(process.pid)
        peak, ended = 0, threading.Event()
        while process.poll() is None:
            peak = max(peak, _memory(watched))
            ended.wait(POLL_S)
        complained.seek(0)
        if process.returncode:
            sys.exit(complained.read())
        printed.seek(0)
        return printed.read(), peak / 1e9


def _memory(process: psutil.Process) -> int:
    total = 0
    with suppress(psutil.Error):
        total = process.memory_info().rss
        for child in process.children(recursive=True):
            with suppress(psutil.Error):
                total += child.memory_full_info().uss
    return total
