"""What the check of a section found, for the steps after it and the study's table. Standard library only."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ressat import keys
from ressat.errors import InputError
from ressat.files import check_version, write_text


@dataclass(frozen=True)
class Checked:
    """A section that passed its check.

    Attributes
    ----------
    section
        Its name.
    width, height
        Of the slide's level 0, pixels.
    mpp, mpp_source
        um per level-0 pixel, and where that is taken from.
    tissue_mm2
        Area of the tissue on the slide.
    spots, genes
        How many there are that can be used; None without counts.
    on_tissue
        Share of the spots that lie on tissue; None without counts.
    gene_changes
        How many genes were dropped or renamed; None without counts.
    warnings
        Sentences.
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

    def write(self, path: str | Path) -> None:
        """Write results/checks/{sample}.json, as a whole."""
        write_text(path, json.dumps(asdict(self) | {"version": keys.FORMAT_VERSION}, indent=2) + "\n")

    @classmethod
    def read(cls, path: str | Path) -> "Checked":
        """Read the file that `write` wrote.

        Raises
        ------
        InputError
            If it is of another version of the format.
        """
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        check_version(content, path)
        del content["version"]
        return cls(**content)


def write_problems(path: str | Path, problems: Sequence[InputError]) -> None:
    """Write logs/check_section/{sample}.json: what is wrong with a section, one sentence each.

    Beside the log, since Snakemake removes a failed job's results. Without problems there is no such file.
    """
    if problems:
        write_text(path, json.dumps([str(problem) for problem in problems], indent=2) + "\n")
    else:
        Path(path).unlink(missing_ok=True)


def read_problems(path: str | Path) -> list[str]:
    """Read what `write_problems` wrote; empty where there is no such file."""
    file = Path(path)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
