"""What the check of a section found, for the steps after it and the study's table. Standard library only."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.fields import ANY_TEXT, ListOf, Number, Optional, Record
from ressat.base.files import FORMAT_VERSION, write_text
from ressat.base.own_file import read_json


@dataclass(frozen=True)
class CheckRecord:
    """A section that passed its check.

    Attributes
    ----------
    section
        Its name.
    width, height
        Of the slide's level 0, pixels.
    mpp, mpp_source
        um per level-0 pixel, and its source.
    tissue_mm2
        Area of the tissue on the slide.
    spots, genes
        How many are usable; None without counts.
    on_tissue
        Share of the spots that lie on tissue; None without counts.
    gene_changes
        How many genes were dropped or renamed; None without counts.
    warnings
        Sentences.
    beyond_image
        How many spots were left out because they lie beyond the image; None without counts.
    identity
        See `ressat.workflow.check_outcome.check_identity`.
    """

    section: str
    width: int
    height: int
    mpp: float
    mpp_source: str
    tissue_mm2: float
    spots: int | None
    genes: int | None
    on_tissue: float | None
    gene_changes: int | None
    warnings: list[str]
    beyond_image: int | None = None
    identity: str = ""

    def write(self, path: str | Path) -> None:
        """Write results/checks/{sample}.json, as a whole."""
        write_text(path, json.dumps(asdict(self) | {"version": FORMAT_VERSION}, indent=2) + "\n")

    @classmethod
    def read(cls, path: str | Path) -> "CheckRecord":
        """Read the file that `write` wrote.

        Raises
        ------
        InputError
            If it is damaged or of another version of the format.
        """
        content = read_json(path, STORED)
        del content["version"]
        return cls(**content)


NUMBER, COUNT, LENGTH = Number(0, 1e12), Number(0, 1e12, whole=True), Number(1, 1e9, whole=True)
STORED = Record(
    {
        "section": ANY_TEXT,
        "width": LENGTH,
        "height": LENGTH,
        "mpp": Number(1e-6, 1e6),
        "mpp_source": ANY_TEXT,
        "tissue_mm2": NUMBER,
        "spots": Optional(COUNT),
        "genes": Optional(COUNT),
        "on_tissue": Optional(Number(0, 1)),
        "gene_changes": Optional(COUNT),
        "warnings": ListOf(ANY_TEXT),
        "beyond_image": Optional(COUNT),
        "identity": ANY_TEXT,
    }
)
"""What the file holds, besides the version."""


@contextmanager
def keep_problems(log: Path) -> Iterator[list[InputError]]:
    """Write a section's problems next to the check's log: Snakemake removes the results of failed jobs.

    Parameters
    ----------
    log
        The check's log; the problems go into the JSON file of the same name, one sentence each. Without
        problems there is no such file.

    Yields
    ------
    list of InputError
        To be filled with problems found on the way; one that is raised is added after them.
    """
    file, problems = log.with_suffix(".json"), []
    file.unlink(missing_ok=True)
    try:
        yield problems
    except InputError as error:
        sentences = [str(problem) for problem in (*problems, error)]
        write_text(file, json.dumps(sentences, indent=2) + "\n")
        raise


def read_problems(path: str | Path) -> list[str]:
    """Read what `keep_problems` wrote; empty where there is no such file."""
    file = Path(path)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
