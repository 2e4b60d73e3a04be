"""What the features of an encoder cost: time and disk."""

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from ressat.features.cache import Features


def features_cost(caches: Sequence[str | Path], benchmarks: Iterable[str | Path]) -> dict[str, float]:
    """Return time and disk that the features of some sections took.

    Parameters
    ----------
    caches
        Their files.
    benchmarks
        Snakemake's records of the jobs that made them.

    Returns
    -------
    dict of str, float
        ``tiles_per_s``, of the whole jobs with their start, on whatever machine they ran, over those whose
        record is there, NaN without any; and ``kb_per_tile``, kB (10^3 bytes) of disk a tile.
    """
    tiles = [len(Features.read(file).coords) for file in caches]
    seconds = [_seconds(file) for file in benchmarks]
    with_time = [(number, time) for number, time in zip(tiles, seconds, strict=True) if time]
    total = sum(time for _, time in with_time)
    return {
        "tiles_per_s": sum(number for number, _ in with_time) / total if total else math.nan,
        "kb_per_tile": sum(Path(file).stat().st_size for file in caches) / sum(tiles) / 1e3,
    }


def _seconds(benchmark: str | Path) -> float | None:
    """Seconds of a job; None where its record is gone, or was not written."""
    try:
        with open(benchmark, newline="", encoding="utf-8") as file:
            return float(next(csv.DictReader(file, delimiter="\t"))["s"])
    except (OSError, StopIteration, KeyError, ValueError, TypeError):
        return None
