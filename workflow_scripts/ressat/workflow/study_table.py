"""The table that `snakemake check` prints: what the checks of all sections found. Standard library only."""

import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.keys import LAYER_WIDTHS
from ressat.checks.checked import Checked, read_problems
from ressat.workflow.study import Study

CHECKED, GENES = "results/checks/{}.json", "results/checks/{}.genes.json"
PROBLEMS, GENE_PROBLEMS = "logs/check_section/{}.json", "logs/check_genes/{}.json"
HEADER = ("section", "role", "slide, px", "um/px", "spots", "genes", "on tissue", "disk", "found")

# Bytes that results take: features of a tile, in half precision and with its place and colours; a predicted
# value with its layers and baselines, per fold; a pixel of a slide that is rewritten; pictures of a section.
FEATURE_BYTES = 2 * sum(LAYER_WIDTHS.values()) + 200
VALUE_BYTES = 4 * 12
REWRITTEN_BYTES = 1.0
PICTURES_BYTES = 1e7


def study_table(study: Study, folder: str | Path, gpus: int) -> str:
    """Say what the checks of all sections found, in words for the screen.

    Parameters
    ----------
    study
        Whose sections were checked.
    folder
        The study's.
    gpus
        How many GPUs were seen on this machine.

    Returns
    -------
    str
        A row per section, all problems and warnings in full, the disk space needed and the GPUs seen.
    """
    folder = Path(folder)
    passed: dict[str, Checked] = {}
    problems: dict[str, list[str]] = {}
    for name in study.sections:
        problems[name] = read_problems(folder / PROBLEMS.format(name))
        try:
            if not problems[name]:
                passed[name] = Checked.read(folder / CHECKED.format(name))
        except (OSError, ValueError, InputError):
            log = _log(PROBLEMS, name)
            problems[name] = [f"section {name}: its check has not ended; {log} has more if it began."]
    for name in study.sections:
        problems[name] += _genes(study, folder, name, passed)
    sizes = {name: _bytes_needed(study, passed[name]) for name in passed}
    rows = [HEADER, *(_row(study, name, passed.get(name), sizes, problems[name]) for name in study.sections)]
    wrong = [sentence for name in study.sections for sentence in problems[name]]
    doubts = [f"section {name}: {text}" for name, one in passed.items() for text in one.warnings]
    free = shutil.disk_usage(folder).free
    parts = [
        _aligned(rows),
        _listed("Problems", wrong),
        _listed("Warnings", doubts),
        _disk(sum(sizes.values()), free, len(passed), len(study.sections)),
        f"GPUs seen on this machine: {gpus}"
        + ("" if gpus else "; features and training run on its processor"),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _genes(study: Study, folder: Path, name: str, passed: dict[str, Checked]) -> list[str]:
    """What is wrong with the names of a section's genes; where they could not be compared, why."""
    found = read_problems(folder / GENE_PROBLEMS.format(name))
    compared = (folder / GENES.format(name)).exists()
    if found or compared or name not in study.counts or name not in passed:
        return found
    reference = study.counts_reference
    if reference not in passed:
        return [
            f"section {name}: its genes were not compared, for section {reference}, their reference, "
            "has problems."
        ]
    return [
        f"section {name}: its genes were not compared; {_log(GENE_PROBLEMS, name)} has more if that began."
    ]


def _log(problems: str, name: str) -> str:
    return str(Path(problems.format(name)).with_suffix(".log"))


def _bytes_needed(study: Study, checked: Checked) -> float:
    """Estimate what a section's results take, rather too much than too little."""
    name, config = checked.section, study.config
    # Tiles of a hexagonal grid have an area of sqrt(3)/2 times the square of their distance.
    per_mm2 = 1e6 / (math.sqrt(3) / 2 * config["tiling"]["grid_um"] ** 2)
    tiles = checked.spots if checked.spots is not None else checked.tissue_mm2 * per_mm2
    folds = sum(sample == name for _, sample in study.predicted)
    rewritten = REWRITTEN_BYTES * checked.width * checked.height if name in study.converted else 0.0
    counted = sum(os.path.getsize(file) for file in study.counts_paths(name))
    return (
        tiles * (FEATURE_BYTES + folds * config["genes"]["number"] * VALUE_BYTES)
        + rewritten
        + counted
        + PICTURES_BYTES
    )


def _row(
    study: Study, name: str, checked: Checked | None, sizes: Mapping[str, float], problems: list[str]
) -> tuple[str, ...]:
    role = study.sections[name].role
    number = len(problems)
    found = f"{number} problem{'s' * (number > 1)}" if number else "ok"
    if checked is None:
        return name, role, "", "", "", "", "", "", found
    if not number and checked.warnings:
        found += f", {len(checked.warnings)} warning{'s' * (len(checked.warnings) > 1)}"
    return (
        name,
        role,
        f"{checked.width} x {checked.height}",
        f"{checked.mpp:.4g} ({checked.mpp_source})",
        "" if checked.spots is None else str(checked.spots),
        "" if checked.genes is None else str(checked.genes),
        "" if checked.on_tissue is None else f"{checked.on_tissue:.0%}",
        _size(sizes[name]),
        found,
    )


def _aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _listed(title: str, sentences: list[str]) -> str:
    return (
        "\n".join([f"{title}: {len(sentences)}", *(f"- {text}" for text in sentences)]) if sentences else ""
    )


def _disk(needed: float, free: float, passed: int, sections: int) -> str:
    if not passed:
        return f"Disk space: {_size(free)} free"
    of = "" if passed == sections else f" for {passed} of {sections} sections, those without problems"
    warning = "; make room, or move the study" if needed > free else ""
    return f"Disk space: about {_size(needed)} needed{of}, {_size(free)} free{warning}"


def _size(number: float) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{max(number / 1e6, 1):.0f} MB"
