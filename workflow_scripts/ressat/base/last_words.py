"""What a job said last, by its log file. Standard library only."""

import re
from pathlib import Path

# How the lines of a log begin that tell a job's beginning and its end; see `ressat.base.joblog`.
STARTED, FINISHED, STOPPED = "started ", "finished after ", "stopped: "
BUG = "failed with an error that is not the input's fault"
# The last line of a traceback: the error's class and its words.
_ERROR = re.compile(r"^[A-Za-z_][\w.]*(: .*)?$")
_RECORD = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ ")


def last_words(log_file: str | Path) -> str:
    """Return the sentence with which a job that did not succeed ended.

    Parameters
    ----------
    log_file
        The job's log, of whose last run it tells.

    Returns
    -------
    str
        The sentence of its error; what most probably happened if it ended without one; empty if it finished.
    """
    try:
        text = Path(log_file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "it left no log: it did not start, or could not write one; Snakemake's own messages say more."
    records = _records(text)
    for record in reversed(records):
        first, *trace = record
        if first.startswith(STOPPED):
            return first.removeprefix(STOPPED)
        if first.startswith(FINISHED):
            return ""
        if first == BUG:
            error = next((line for line in reversed(trace) if _ERROR.match(line)), "")
            return f"{BUG}{f', {error}' if error else ''}; its log has the whole trace."
    return _killed(records)


def _records(text: str) -> list[list[str]]:
    """Lines of each record, the first without time and level."""
    records: list[list[str]] = []
    for line in text.splitlines():
        message = _RECORD.sub("", line, count=1)
        if message != line:
            records.append([message])
        elif records:
            records[-1].append(line)
    return records


def _killed(records: list[list[str]]) -> str:
    rule = next((first.split()[1] for first, *_ in records if first.startswith(STARTED)), "RULE")
    return (
        "it was killed before it could say why, probably for lack of memory: give it more (on a cluster "
        f"--set-resources {rule}:mem_mb=..., in a container a higher limit), or run fewer jobs at a time "
        "(a lower --cores); a time limit of the cluster, or someone who ended it, looks the same."
    )
