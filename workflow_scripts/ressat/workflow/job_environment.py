"""Environment variables that every job starts with."""

import getpass
import os
import re
import shlex
from collections.abc import Sequence

from ressat.base.ownership import RUN, process_name

# Holds the user's command, for the record of how results were made.
COMMAND = "RESSAT_COMMAND"
# Options that do not reveal who ran it and where; the values of all others are left out.
SAFE_OPTIONS = {
    "--cores", "-c", "--jobs", "-j", "--sdm", "--software-deployment-method", "--use-conda", "--keep-going",
    "-k", "--rerun-incomplete", "--forceall", "--forcerun", "-R", "--until", "--latency-wait", "--retries",
}  # fmt: skip
OPTION = re.compile(r"-[a-zA-Z]\d*|--[a-z0-9-]+")
# A number, a word, or a file below the study's own folders.
SAFE_VALUE = re.compile(r"[\w.-]+|(results|resources)/[\w./-]+")
LEFT_OUT = "..."
# Makes jobs faster or smaller without changing what they compute.
TUNING = {
    # Threads that wait for work must not burn the cores that other jobs compute on: when they did, training
    # on a busy machine took ten times as long. Short steps need only some microseconds of spinning.
    "GOMP_SPINCOUNT": "1000",
    # Small freed blocks that glibc keeps in its cache lie between the network's activations and leave gaps
    # too small to be used again: in some runs `extract_features` grew to twice its size.
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
}


def set_job_environment(command: Sequence[str]) -> None:
    """Set the variables that the user has not set, for the processes that this one starts.

    Parameters
    ----------
    command
        The command of this process. The process of a job, started by another, keeps the first command.
    """
    for name, value in TUNING.items():
        os.environ.setdefault(name, value)
    # Always of this process: if it is a job of another, its own jobs end with it.
    os.environ[RUN] = process_name() or ""
    os.environ.setdefault(COMMAND, shown_command(command))
    # Snakemake, torch and others ask for the user's name, which a user id of a container's --user has not.
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["LOGNAME"] = f"uid{os.getuid()}"


def shown_command(command: Sequence[str]) -> str:
    """Return a command in a form that is safe to share: without paths, user names and secrets.

    Parameters
    ----------
    command
        Snakemake and its arguments.

    Returns
    -------
    str
        Targets and known options with their values; for any other option its name and `LEFT_OUT`.
    """
    words, is_safe = ["snakemake"], True
    for word in command[1:]:
        name, equals, value = word.partition("=")
        if word.startswith("-"):
            is_safe = name in SAFE_OPTIONS
            words.append(name if OPTION.fullmatch(name) else LEFT_OUT)
            word = value if equals else ""
        if word:
            words.append(word if is_safe and SAFE_VALUE.fullmatch(word) and ".." not in word else LEFT_OUT)
    return " ".join(shlex.quote(word) if word != LEFT_OUT else word for word in words)
