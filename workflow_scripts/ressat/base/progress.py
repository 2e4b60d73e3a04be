"""Progress of a long job: a bar on a terminal, some plain lines in a log."""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

logger = logging.getLogger("ressat")

LINES = 10

Batch = TypeVar("Batch")


def progress(
    batches: Iterable[Batch], total: int, size: Callable[[Batch], int], title: str, unit: str
) -> Iterator[Batch]:
    """Pass batches on, and report progress.

    Parameters
    ----------
    batches
        What to process.
    total
        Sum of all batches' sizes.
    size
        Gives a batch's size.
    title, unit
        What is processed, and what is counted, e.g. ``"C2"`` and ``"tile"``.
    """
    done, lines = 0, 0
    with tqdm(total=total, desc=title, unit=unit, disable=not sys.stderr.isatty()) as bar:
        for batch in batches:
            yield batch
            done += size(batch)
            bar.update(size(batch))
            if done * LINES >= total * (lines + 1):
                lines = done * LINES // total
                logger.info("%s: %d of %d %ss", title, done, total, unit)
