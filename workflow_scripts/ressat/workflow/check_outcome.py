"""What a run of Snakemake did about the checks of a study. Standard library only."""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.files import check_version
from ressat.workflow.study import Study

CHECKED, GENES = "results/checks/{}.json", "results/checks/{}.genes.json"
PROBLEMS, GENE_PROBLEMS = "logs/check_section/{}.json", "logs/check_genes/{}.json"
LOG, GENE_LOG = "logs/check_section/{}.log", "logs/check_genes/{}.log"
ENCODER, ENCODER_LOG = "results/encoders/{}.json", "logs/check_encoder/{}.log"
GENE_SETS, GENE_SETS_LOG = "results/signatures/known.json", "logs/check_signatures.log"

# By path: time of change, inode and size. Together they change whenever a file is written, and the clocks of
# two machines are not compared.
FileStates = dict[str, tuple[int, int, int]]


@dataclass(frozen=True)
class CheckOutcome:
    """Which of the files that checks write are of the present sheet and files.

    Results and logs of earlier runs may be of another sheet, and stay if a check is stopped or never starts.

    Attributes
    ----------
    passed
        Results of checks that Snakemake made in this run or found up to date.
    logs
        Files in logs that this run wrote.
    """

    passed: frozenset[str]
    logs: frozenset[str]

    @classmethod
    def of_run(cls, passed: Iterable[str], before: FileStates, after: FileStates) -> "CheckOutcome":
        """Compare the logs' states before and after a run; see `log_states`."""
        written = {file for file, state in after.items() if before.get(file) != state}
        return cls(frozenset(passed), frozenset(written))


def log_states(study: Study, folder: str | Path) -> FileStates:
    """Return the states of all logs that checks of the study's sections and encoders have left so far.

    Parameters
    ----------
    study
        The study.
    folder
        Its folder.
    """
    states: FileStates = {}
    files = [
        pattern.format(name)
        for name in study.sections
        for pattern in (PROBLEMS, GENE_PROBLEMS, LOG, GENE_LOG)
    ]
    files += [*(ENCODER_LOG.format(name) for name in study.checked_encoders), GENE_SETS_LOG]
    for file in files:
        try:
            stat = (Path(folder) / file).stat()
        except OSError:
            continue
        states[file] = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
    return states


def check_identity(study: Study, sample: str) -> str:
    """Return a hash of what a section's check looks at: its files by name, and how they are read.

    It goes into the check's record. So a record of another sheet is known as such even if Snakemake's own
    notes are lost, as in a copied study.
    """
    section, counts = study.sections[sample], study.counts.get(sample)
    looked_at = {
        "slide": section.slide,
        "counts": counts and {"format": counts.format, "files": counts.files, "options": counts.options},
        "mpp": section.mpp,
        "ids": counts and study.config["genes"]["ids"],
        "min_on_tissue": counts and study.config["tiling"]["min_on_tissue"],
    }
    text = json.dumps(looked_at, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def records_of_other_sheets(study: Study, folder: str | Path) -> list[str]:
    """List the files in results/checks that are of another sheet, or cannot be read.

    Parameters
    ----------
    study, folder
        As for `log_states`.
    """
    other = []
    for name in study.sections:
        reference = study.counts_reference if name != study.counts_reference else None
        same = {CHECKED.format(name): ("identity", check_identity(study, name))}
        if name in study.counts:
            same[GENES.format(name)] = ("compared_with", reference)
        for file, (entry, expected) in same.items():
            with suppress(FileNotFoundError):
                if _entry(Path(folder) / file, entry) != expected:
                    other.append(file)
    return other


def _entry(file: Path, name: str) -> object:
    """An entry of a record; the file's name, which no entry equals, if it is no record."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        check_version(content, file)
        return content.get(name)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, AttributeError, InputError):
        return file
