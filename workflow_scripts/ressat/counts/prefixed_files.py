"""Files of a run by how their names end: downloads put a sample's name before. Standard library only."""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from itertools import combinations
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.names import is_hidden

# What may part a prefix from a name.
SEPARATORS = ("_", "-", ".")
# Files of a matrix that is a folder; features were called genes at first.
PARTS = {
    "matrix": ("matrix.mtx.gz", "matrix.mtx"),
    "features": ("features.tsv.gz", "features.tsv", "genes.tsv.gz", "genes.tsv"),
    "barcodes": ("barcodes.tsv.gz", "barcodes.tsv"),
}
# Lists of genes are among people's own files too; these are not.
TELLING = ("matrix", "barcodes")
RAW = "raw"
# Words of a prefix that tell files of one sample apart, not samples.
KINDS = {RAW, "filtered", "feature", "gene", "bc", "matrix", "matrices", "mex", "spatial", "outs"}


def visible_names(folder: Path) -> set[str]:
    """Return the names in a folder that are not hidden; none if it cannot be read."""
    try:
        return {name for name in os.listdir(folder) if not is_hidden(name)}
    except (OSError, ValueError):  # missing, not a folder, not readable, or not a valid name
        return set()


def prefix_of(name: str, endings: Iterable[str]) -> str | None:
    """Return what stands before one of some endings, empty for the name alone; None for another name."""
    for ending in endings:
        if name == ending:
            return ""
        if name.endswith(tuple(mark + ending for mark in SEPARATORS)):
            return name.removesuffix(ending)
    return None


def matrix_parts(folder: Path) -> dict[str, Path] | None:
    """Find the three files of a matrix in a folder, all with one prefix or all without.

    Parameters
    ----------
    folder
        Its hidden files are left out.

    Returns
    -------
    dict of str, Path or None
        By the names of `PARTS`, those of the filtered matrix where there is a raw one too. A missing file
        gets the prefix of the others and its usual name. None if there is no matrix.

    Raises
    ------
    InputError
        If there are files of several samples, or several matrices of one.
    """
    groups: dict[str, dict[str, str]] = {}
    for part, endings in PARTS.items():
        for ending in endings:
            for name in sorted(visible_names(folder)):
                prefix = prefix_of(name, [ending])
                if prefix is not None:
                    groups.setdefault(prefix.rstrip("_-. "), {}).setdefault(part, name)
    if len(groups.get("", ())) == len(PARTS):
        return {part: folder / name for part, name in groups[""].items()}
    groups = {prefix: parts for prefix, parts in groups.items() if any(part in parts for part in TELLING)}
    filtered = {prefix: parts for prefix, parts in groups.items() if RAW not in _words(prefix)}
    groups = groups if len({_sample(prefix) for prefix in groups}) > 1 else filtered or groups
    if len(groups) > 1:
        raise InputError(
            f"files of {len(groups)} matrices, with the prefixes {_listed(groups)}",
            expected="one matrix.mtx, features.tsv and barcodes.tsv, with one prefix or none",
            action="give each section a folder of its own",
            file=folder,
        )
    for prefix, parts in groups.items():
        if "matrix" in parts:
            before = prefix_of(parts["matrix"], PARTS["matrix"])
            return {part: folder / parts.get(part, f"{before}{names[0]}") for part, names in PARTS.items()}
        raise InputError(
            f"{', '.join(parts.values())} without a matrix",
            expected=f"{prefix}{'_' * bool(prefix)}{PARTS['matrix'][0]} beside it",
            action="copy it there",
            file=folder,
        )
    return None


def refuse_two_samples(files: Mapping[str, Path], endings: Collection[str]) -> None:
    """Refuse files of which the prefixes name two samples.

    Parameters
    ----------
    files
        What was found, by what it is.
    endings
        How names of such files and of their folders end, without prefix.

    Raises
    ------
    InputError
        Naming two files that do not belong together.
    """
    first: dict[tuple[str, ...], Path] = {}
    for file in files.values():
        for name in (file.name, file.parent.name):
            sample = _sample(prefix_of(name, endings) or "")
            if sample:
                first.setdefault(sample, file)
    for one, other in combinations(sorted(first, key=len), 2):
        # A longer prefix may say more of the same sample.
        if other[: len(one)] != one:
            raise InputError(
                f"files of two samples, {first[one].name} and {first[other].name}",
                expected="files with one prefix, or without",
                action="give each section a folder of its own, or rename files that belong together",
                file=first[other].parent,
            )


def _words(prefix: str) -> list[str]:
    return [word for word in re.split(r"[_.\- ]+", prefix) if word]


def _sample(prefix: str) -> tuple[str, ...]:
    """The words of a prefix that name the sample."""
    return tuple(word for word in _words(prefix) if word.lower() not in KINDS)


def _listed(prefixes: Iterable[str]) -> str:
    return ", ".join(prefix or "(none)" for prefix in sorted(prefixes))
