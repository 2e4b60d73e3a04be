"""Environment variables that every job starts with."""

import os
import re
import shlex
from collections.abc import Sequence

# Holds the command that the user gave, for what is written about how results were made.
COMMAND = "RESSAT_COMMAND"
# Options that say nothing of who ran it and where; the values of all others are left out.
TOLD = {
    "--cores", "-c", "--jobs", "-j", "--sdm", "--software-deployment-method", "--use-conda", "--keep-going",
    "-k", "--rerun-incomplete", "--forceall", "--forcerun", "-R", "--until", "--latency-wait", "--retries",
}  # fmt: skip
OPTION = re.compile(r"-[a-zA-Z]\d*|--[a-z0-9-]+")
# A number, a word, or a file below the study's own folders.
TOLD_VALUE = re.compile(r"[\w.-]+|(results|resources)/[\w./-]+")
LEFT_OUT = "..."
# What makes jobs faster or smaller, and changes nothing that they compute.
TUNING = {
    # Threads that wait for work must not burn the cores that other jobs compute on: training on a busy
    # machine then took ten times as long. Spinning for some microseconds is all that short steps gain from.
    "GOMP_SPINCOUNT": "1000",
    # Small freed pieces that glibc's cache holds back lie between the network's activations, where freed
    # places are then too small to be used again: on some runs `extract_features` grew to twice its size.
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
}


def set_job_environment(command: Sequence[str]) -> None:
    """Set what the user has not set, for the processes that this one starts.

    Parameters
    ----------
    command
        That of this process. A job's process, started by another, keeps the first one.
    """
    for name, value in TUNING.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault(COMMAND, shown_command(command))


def shown_command(command: Sequence[str]) -> str:
    """Return a command as it may be passed on: without paths, names of users and secrets.

    Parameters
    ----------
    command
        Snakemake and its arguments.

    Returns
    -------
    str
        Targets and known options with their values; of any other option its name, and `LEFT_OUT`.
    """
    shown, told = ["snakemake"], True
    for word in command[1:]:
        name, equals, value = word.partition("=")
        if word.startswith("-"):
            told = name in TOLD
            shown.append(name if OPTION.fullmatch(name) else LEFT_OUT)
            word = value if equals else ""
        if word:
            shown.append(word if told and TOLD_VALUE.fullmatch(word) and ".." not in word else LEFT_OUT)
    return " ".join(shlex.quote(word) if word != LEFT_OUT else word for word in shown)
