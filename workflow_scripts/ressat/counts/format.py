"""What every format of counts has, and where the counts of a section are. Standard library only."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Files = dict[str, Path | list[Path]]


@dataclass(frozen=True)
class CountsSource:
    """Where a section's counts are, and how they are read.

    Attributes
    ----------
    format
        Name of a member of `ressat.counts.formats.registry.FORMATS`.
    files
        All files to read, by what they are.
    options
        Further settings from the sheet, by column: those that the format understands and the section sets.
    """

    format: str
    files: Mapping[str, Any]
    options: Mapping[str, str | int | Path] = field(default_factory=dict)


class CountsFormat(ABC):
    """A format of counts, as far as known without reading the files; `ressat.counts.readers` reads them.

    Attributes
    ----------
    name
        In code and results.
    title
        In messages, with an article.
    columns
        Columns of the sheet, besides ``expression``, that it understands.
    words, citation
        For the report's methods.
    """

    name: str
    title: str
    columns: frozenset[str]
    words: str
    citation: str

    @abstractmethod
    def recognises(self, path: Path) -> bool:
        """Tell whether a path of the column ``expression`` is of this format, by names alone."""

    def refuse_other(self, path: Path) -> None:  # noqa: B027 (most formats know no other data by their names)
        """Say what a path is of which files are missing, where it is known.

        Raises
        ------
        InputError
            If it is known; names what to give in its place.
        """

    @abstractmethod
    def files(self, path: Path, options: Mapping[str, str | int | Path]) -> Files:
        """List the files to read.

        Raises
        ------
        InputError
            If the sheet lacks a setting that is needed to read them, or has one that does not fit.
        """
