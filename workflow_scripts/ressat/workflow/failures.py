"""The jobs of a run that failed: what Snakemake's log does not list, and what is left to do without them.

Standard library only.
"""

import json
import os
from collections.abc import Iterable, Sequence, Set
from dataclasses import asdict, dataclass
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.fields import ANY_TEXT, ListOf, Optional, Record, check_field
from ressat.base.files import FORMAT_VERSION, check_version, write_text
from ressat.base.last_words import last_words

# Below the study's folder, or below the prefix of a module.
RECORD = "logs/failed.json"
# The wildcard of jobs for the comparison of encoders, and for their checks and weights.
ENCODER = "encoder"
NOT_STARTED = "it left no log in this run: it did not start; Snakemake's own messages above say more."
NOT_ACCEPTED = "its script finished, but Snakemake did not take its result; the messages above say why."
# What the record holds of each job.
STORED = Record(
    {
        **dict.fromkeys(("rule", "sentence", "log"), ANY_TEXT),
        **dict.fromkeys(("sample", "fold"), Optional(ANY_TEXT)),
        "outputs": ListOf(ANY_TEXT),
    }
)


@dataclass(frozen=True)
class Failure:
    """A job that failed.

    Attributes
    ----------
    rule
        Its rule; for a job about one encoder among several, with all that it is about.
    sample, fold
        The section and the fold that it worked on; None where it worked on all.
    sentence
        What was wrong.
    log
        Its log.
    outputs
        The files that it should have made: it is mended once they are there.
    """

    rule: str
    sample: str | None
    fold: str | None
    sentence: str
    log: str
    outputs: tuple[str, ...]

    @classmethod
    def of_job(
        cls, rule: str, wildcards: dict[str, str], log: str, outputs: Iterable[str], since: float
    ) -> "Failure":
        """Find out why a job failed.

        Parameters
        ----------
        rule, wildcards, log, outputs
            The job's.
        since
            When the run began, in seconds since the epoch: an older log is that of another run.
        """
        written = os.path.exists(log) and os.path.getmtime(log) >= since
        sentence = (last_words(log) or NOT_ACCEPTED) if written else NOT_STARTED
        # Snakemake's own kinds of text cannot be copied.
        names = {name: str(value) for name, value in wildcards.items()}
        files = tuple(str(output) for output in outputs)
        if ENCODER in names:
            # It takes nothing from sections and folds, whose results have no encoder in their paths.
            return cls(f"{rule} {'/'.join(names.values())}", None, None, sentence, str(log), files)
        return cls(rule, names.get("sample"), names.get("fold"), sentence, str(log), files)

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells jobs apart: section, fold and rule."""
        return self.sample or "", self.fold or "", self.rule

    @property
    def title(self) -> str:
        """The job's name for people."""
        return " ".join([self.rule, *filter(None, ["/".join(filter(None, [self.fold, self.sample]))])])

    @property
    def is_mended(self) -> bool:
        """Whether its results are there; Snakemake removes those of a job that it starts."""
        return all(os.path.exists(output) for output in self.outputs)


def failures_of(
    jobs: Sequence[tuple[str, dict[str, str], str, Iterable[str]]], since: float
) -> list[Failure]:
    """Return the failures in a job, or in a group of jobs of a cluster, which fails as one.

    Parameters
    ----------
    jobs
        Rule, wildcards, log and outputs of each.
    since
        See `Failure.of_job`.

    Returns
    -------
    list of Failure
        Of a group, those that were at work; if no log tells which, all that have not finished.
    """
    failures = [Failure.of_job(*job, since) for job in jobs]
    if len(failures) == 1:
        return failures
    unfinished = [failure for failure in failures if not failure.is_mended]
    return [failure for failure in unfinished if failure.sentence != NOT_STARTED] or unfinished


def still_failing(
    earlier: Iterable[Failure], failed: Iterable[Failure], planned: Set[str] | None
) -> list[Failure]:
    """Return the failures of earlier runs that hold after another one.

    Parameters
    ----------
    earlier, failed
        What failed in earlier runs, and in this one.
    planned
        All files of a run of the whole study, which forgets failures of jobs that the study no longer has;
        None for a run of a part.
    """
    again = {failure.key for failure in failed}
    return [
        failure
        for failure in earlier
        if failure.key not in again
        and not failure.is_mended
        and (planned is None or planned & set(failure.outputs))
    ]


def read_failures(file: str | Path) -> list[Failure]:
    """Read which jobs failed and are not mended yet; none where no run has failed.

    Raises
    ------
    InputError
        If the file is not what `write_failures` writes.
    """
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
        check_version(content, file)
        check_field(content["jobs"], ListOf(STORED), "jobs")
        failures = [Failure(**job | {"outputs": tuple(job["outputs"])}) for job in content["jobs"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, InputError) as error:
        raise InputError(
            "the list of failed jobs cannot be read",
            expected="what the last run wrote",
            action="remove it: the next run writes it anew",
            file=file,
        ) from error
    return [failure for failure in failures if not failure.is_mended]


def write_failures(file: str | Path, failures: Iterable[Failure]) -> None:
    """Write which jobs failed; none removes the file."""
    jobs = [asdict(failure) for failure in failures]
    if jobs:
        write_text(file, json.dumps({"jobs": jobs, "version": FORMAT_VERSION}, indent=2) + "\n")
    else:
        Path(file).unlink(missing_ok=True)
