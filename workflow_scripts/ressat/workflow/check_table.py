"""The table that `snakemake check` prints: what the checks of all sections found. Standard library only."""

import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ressat.base.errors import InputError
from ressat.base.last_words import last_words
from ressat.checks.record import CheckRecord, read_problems
from ressat.encoders.record import EncoderRecord
from ressat.workflow.check_outcome import (
    CHECKED,
    ENCODER,
    ENCODER_LOG,
    GENE_LOG,
    GENE_PROBLEMS,
    GENE_SETS,
    GENE_SETS_LOG,
    GENES,
    LOG,
    PROBLEMS,
    CheckOutcome,
)
from ressat.workflow.study import Study

HEADER = ("section", "role", "slide, px", "um/px", "spots", "genes", "on tissue", "disk", "found")

# Bytes that results take: per tile, its place and colours (its features in half precision come on top); per
# predicted value and fold, its layers and baselines; per pixel of a rewritten slide; per section, pictures.
TILE_BYTES = 200
VALUE_BYTES = 4 * 12
REWRITTEN_BYTES = 1.0
PICTURES_BYTES = 1e7


def study_table(study: Study, folder: str | Path, gpus: int, outcome: CheckOutcome) -> str:
    """Return what the checks of all sections found, as text for the screen.

    Parameters
    ----------
    study
        The study whose sections were checked.
    folder
        The study's folder.
    gpus
        How many GPUs were seen on this machine.
    outcome
        Which results and logs are of the present sheet and files; no others are read.

    Returns
    -------
    str
        A row per section, all problems and warnings in full, the encoder with its licence, the disk space
        needed and the GPUs seen.
    """
    folder = Path(folder)
    records: dict[str, CheckRecord | None] = {}
    problems: dict[str, list[str]] = {}
    for name in study.sections:
        records[name], problems[name] = _section(folder, name, outcome)
    records = {name: record for name, record in records.items() if record}
    for name in study.sections:
        problems[name] += _genes(study, folder, name, records, outcome)
    sizes = {name: _bytes_needed(study, records[name]) for name in records}
    rows = [HEADER, *(_row(study, name, records.get(name), sizes, problems[name]) for name in study.sections)]
    wrong = [sentence for name in study.sections for sentence in problems[name]]
    doubts = [f"section {name}: {text}" for name, one in records.items() for text in one.warnings]
    encoders = [_encoder(folder, name, outcome) for name in study.checked_encoders]
    wrong += [one for one in encoders if isinstance(one, str)]
    wrong += _gene_sets(study, folder, outcome)
    loaded = [one for one in encoders if isinstance(one, EncoderRecord)]
    doubts += [warning for one in loaded for warning in one.warnings]
    free = shutil.disk_usage(folder).free
    parts = [
        _aligned(rows),
        _paragraph("Problems", wrong),
        _paragraph("Warnings", doubts),
        "\n".join(f"Encoder: {one.sentence}" for one in loaded),
        _disk(sum(sizes.values()), free, len(records), len(study.sections)),
        f"GPUs seen on this machine: {gpus}" + ("" if gpus else "; features and training run on its CPU"),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(folder: Path, name: str, outcome: CheckOutcome) -> tuple[CheckRecord | None, list[str]]:
    """The record of a section that passed; else its problems, or why there are none."""
    record, problems = CHECKED.format(name), PROBLEMS.format(name)
    if record in outcome.passed:
        try:
            return CheckRecord.read(folder / record), []
        except (OSError, ValueError, TypeError, InputError) as error:
            return None, [f"section {name}: {record} cannot be read ({error}): remove it, and check again."]
    if problems in outcome.logs:
        return None, read_problems(folder / problems)
    return None, [f"section {name}: its check {_unfinished(LOG.format(name), outcome)}"]


def _genes(
    study: Study, folder: Path, name: str, records: dict[str, CheckRecord], outcome: CheckOutcome
) -> list[str]:
    """Problems with a section's gene names, or why they could not be compared."""
    if GENES.format(name) in outcome.passed or name not in study.counts:
        return []
    if GENE_PROBLEMS.format(name) in outcome.logs:
        return read_problems(folder / GENE_PROBLEMS.format(name))
    if name not in records:
        return []
    reference = study.counts_reference
    if reference not in records:
        return [
            f"section {name}: its genes were not compared because section {reference}, their "
            "reference, has problems."
        ]
    return [f"section {name}: the check of its genes {_unfinished(GENE_LOG.format(name), outcome)}"]


def _encoder(folder: Path, name: str, outcome: CheckOutcome) -> EncoderRecord | str:
    """The record of an encoder that passed; else its problem."""
    record, log = ENCODER.format(name), ENCODER_LOG.format(name)
    if record in outcome.passed:
        try:
            return EncoderRecord.read(folder / record)
        except (OSError, ValueError, TypeError, InputError) as error:
            return f"encoder {name}: {record} cannot be read ({error}): remove it, and check again."
    if log in outcome.logs and (sentence := last_words(folder / log)):
        return f"encoder {name}: {sentence}"
    return f"encoder {name}: its check {_unfinished(log, outcome)}"


def _gene_sets(study: Study, folder: Path, outcome: CheckOutcome) -> list[str]:
    """The problem with the study's gene sets, if they have any."""
    if not study.config.get("signatures") or not study.counts or GENE_SETS in outcome.passed:
        return []
    if GENE_SETS_LOG in outcome.logs and (sentence := last_words(folder / GENE_SETS_LOG)):
        return [f"signatures: {sentence}"]
    return [f"signatures: their check {_unfinished(GENE_SETS_LOG, outcome)}"]


def _unfinished(log: str, outcome: CheckOutcome) -> str:
    """What became of a check that neither passed nor named a problem."""
    if log in outcome.logs:
        return f"was stopped or killed, for lack of memory perhaps, or failed as the end of {log} says."
    return (
        "did not run, since Snakemake stopped before: check again, with --keep-going to check all sections."
    )


def _bytes_needed(study: Study, checked: CheckRecord) -> float:
    """Estimate the disk space that a section's results take; too high rather than too low."""
    name, config = checked.section, study.config
    # On a hexagonal grid a tile has an area of sqrt(3)/2 times the squared distance of neighbours.
    per_mm2 = 1e6 / (math.sqrt(3) / 2 * config["tiling"]["grid_um"] ** 2)
    tiles = checked.spots if checked.spots is not None else checked.tissue_mm2 * per_mm2
    folds = sum(sample == name for _, sample in study.predicted)
    rewritten = REWRITTEN_BYTES * checked.width * checked.height if name in study.converted else 0.0
    # Encoders that are only compared read no section without counts.
    read = study.encoders if name in study.counts else study.encoders_read
    features = 2 * sum(sum(study.encoders[one].description.layers.values()) for one in read)
    counts = sum(os.path.getsize(file) for file in study.counts_paths(name))
    return (
        tiles * (features + TILE_BYTES + folds * config["genes"]["number"] * VALUE_BYTES)
        + rewritten
        + counts
        + PICTURES_BYTES
    )


def _row(
    study: Study, name: str, checked: CheckRecord | None, sizes: Mapping[str, float], problems: list[str]
) -> tuple[str, ...]:
    role = study.sections[name].role
    number = len(problems)
    outcome = f"{number} problem{'s' * (number > 1)}" if number else "ok"
    if checked is None:
        return name, role, "", "", "", "", "", "", outcome
    if not number and checked.warnings:
        outcome += f", {len(checked.warnings)} warning{'s' * (len(checked.warnings) > 1)}"
    return (
        name,
        role,
        f"{checked.width} x {checked.height}",
        f"{checked.mpp:.4g} ({checked.mpp_source})",
        "" if checked.spots is None else _spots(checked),
        "" if checked.genes is None else str(checked.genes),
        "" if checked.on_tissue is None else f"{checked.on_tissue:.0%}",
        _size(sizes[name]),
        outcome,
    )


def _spots(checked: CheckRecord) -> str:
    """How many spots are used, and how many are left out because they lie beyond the image."""
    return f"{checked.spots}" + (f" (+ {checked.beyond_image} beyond image)" if checked.beyond_image else "")


def _aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _paragraph(title: str, sentences: list[str]) -> str:
    return (
        "\n".join([f"{title}: {len(sentences)}", *(f"- {text}" for text in sentences)]) if sentences else ""
    )


def _disk(needed: float, free: float, checks: int, sections: int) -> str:
    if not checks:
        return f"Disk space: {_size(free)} free"
    of = "" if checks == sections else f" for {checks} of {sections} sections, those without problems"
    warning = "; make room, or move the study" if needed > free else ""
    return f"Disk space: about {_size(needed)} needed{of}, {_size(free)} free{warning}"


def _size(number: float) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{max(number / 1e6, 1):.0f} MB"
