"""Whether the levels of a pyramid show the same picture: a few places of each are read and compared."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ressat.base.errors import InputError

logger = logging.getLogger("ressat")

# Least edge of a place, in level-0 pixels and in pixels of the low-resolution image: a pixel more or less,
# as levels are rounded, then changes its mean colour little.
PLACE_PX, PLACE_LOWRES_PX = 256, 4
# In each of so many parts of the image along an edge, the place that differs most from those around it is
# compared, where a shift shows, and the middle one, where tissue may be that the coarse level lacks. In each
# of the second number the darkest one is, where tissue may be that the fine level lacks.
PARTS, DARK_PARTS = 4, 2
# Grey levels of 255 by which the mean colours of a place may differ, and those within which all are one.
# Levels that were made from one another differ by at most 4.
MOST_DIFFERENCE, ONE_COLOUR = 30, 12
# One place may be a fault of a scanner; from this number on the levels contradict each other.
REFUSED_PLACES = 2
LIGHT, DARK = 225, 30
# Of the finest level all places are compared; of the others, to save time, one in so many.
ONE_IN = 3


@dataclass(frozen=True)
class Level:
    """A level of a pyramid.

    Attributes
    ----------
    number
        0 for full resolution.
    size
        Width and height in its own pixels.
    downsample
        Level-0 pixels per pixel.
    read
        Returns RGB, uint8, shape (h, w, 3), of a region: its corner x, y in level-0 pixels, its width and
        height in pixels of this level.
    """

    number: int
    size: tuple[int, int]
    downsample: float
    read: Callable[[int, int, int, int], np.ndarray]


def check_levels(lowres: np.ndarray, downsample: float, source: Level, others: Sequence[Level]) -> None:
    """Refuse a pyramid whose levels show different pictures, and warn where one place differs.

    Tissue and spots are looked at on a coarse level, and the colours of tiles come from a finer one: if one
    of them is blank, or of another image, the results are of nothing.

    Parameters
    ----------
    lowres
        The low-resolution image, uint8, shape (h, w, 3).
    downsample
        Its level-0 pixels per pixel.
    source
        The level that it was made from.
    others
        The levels to compare with it.

    Raises
    ------
    InputError
        If the mean colours of two or more places differ.
    """
    if not others:
        return
    height, width = lowres.shape[:2]
    edge = max(PLACE_LOWRES_PX, -(-PLACE_PX // round(max(1, downsample))))
    edge = min(edge, height // (2 * PARTS), width // (2 * PARTS))
    if edge < PLACE_LOWRES_PX:  # too small an image: a pixel more or less would count
        return
    places = _places(lowres, edge)
    near = [_near_means(lowres, row, column, edge) for row, column in places]
    corners = [(round(column * downsample), round(row * downsample)) for row, column in places]
    for order, level in enumerate(others):
        px = round(edge * downsample / level.downsample)
        if px < edge:  # coarser than the image that it is compared with
            continue
        step = ONE_IN if order else 1
        here, at = near[::step], corners[::step]
        there = [level.read(*corner, px, px).reshape(-1, 3).mean(axis=0) for corner in at]
        apart = [np.abs(means - mean).max(axis=1).min() for means, mean in zip(here, there, strict=True)]
        first = next((corner for corner, one in zip(at, apart, strict=True) if one > MOST_DIFFERENCE), None)
        number = int((np.array(apart) > MOST_DIFFERENCE).sum())
        if number >= REFUSED_PLACES:
            raise _contradiction(level, source, np.array(there), np.array(here)[:, 0], number, first)
        if number:
            logger.warning(
                "levels %d and %d of the slide differ at level-0 pixel x=%d, y=%d: look at it there",
                level.number, source.number, *first,
            )  # fmt: skip


def _places(lowres: np.ndarray, edge: int) -> list[tuple[int, int]]:
    """Row and column of the first pixel of each place to compare."""
    rows, columns = lowres.shape[0] // edge, lowres.shape[1] // edge
    blocks = lowres[: rows * edge, : columns * edge].astype(np.float32)
    green = blocks.reshape(rows, edge, columns, edge, 3).mean(axis=(1, 3))[..., 1]
    around = np.pad(green, 1, mode="edge")
    neighbours = np.stack([around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]])
    contrast = np.abs(neighbours - green).max(axis=0)
    every = np.zeros_like(green)
    best = dict.fromkeys(
        [*_best_of_parts(contrast, PARTS), *_best_of_parts(every, PARTS), *_best_of_parts(-green, DARK_PARTS)]
    )
    return [(row * edge, column * edge) for row, column in best]


def _best_of_parts(values: np.ndarray, parts: int) -> list[tuple[int, int]]:
    """Row and column of the largest value in each of parts x parts rectangles; of equals, the middle one."""
    best = []
    rows, columns = (np.array_split(np.arange(edge), parts) for edge in values.shape)
    for row in rows:
        for column in columns:
            if not row.size or not column.size:
                continue
            part = values[np.ix_(row, column)]
            equal = np.argwhere(part == part.max())
            y, x = equal[np.abs(equal - (np.array(part.shape) - 1) / 2).sum(axis=1).argmin()]
            best.append((int(row[y]), int(column[x])))
    return best


def _near_means(lowres: np.ndarray, row: int, column: int, edge: int) -> np.ndarray:
    """Mean colours of a place and of the same a pixel aside, shape (n, 3): levels are rounded."""
    steps = sorted(((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)), key=lambda step: step != (0, 0))
    height, width = lowres.shape[:2]
    corners = [(max(0, min(row + y, height - edge)), max(0, min(column + x, width - edge))) for y, x in steps]
    return np.array([lowres[y : y + edge, x : x + edge].reshape(-1, 3).mean(axis=0) for y, x in corners])


def _contradiction(
    level: Level, source: Level, there: np.ndarray, here: np.ndarray, number: int, first: tuple[int, int]
) -> InputError:
    """Say which of two levels is blank, or else that they are of different pictures."""
    blank = [
        (colour, one, other)
        for colour, one, other in ((_one_colour(there), level, source), (_one_colour(here), source, level))
        if colour
    ]
    if len(blank) == 1:
        ((colour, one, other),) = blank
        problem = f"its {_name(one)} is {colour} throughout, unlike its {_name(other)}"
        whole = other
    else:
        one, whole = (level, source) if level.number else (source, level)
        problem = (
            f"its {_name(one)} does not show what its {_name(whole)} shows: {number} of {len(here)} places "
            f"differ in colour, the first at level-0 pixel x={first[0]}, y={first[1]}"
        )
    again = "export the slide again"
    return InputError(
        problem,
        expected="the same picture at every level of the pyramid",
        action=again if whole.number else f"{again}, or, if its level 0 is whole, save that level alone",
    )


def _one_colour(means: np.ndarray) -> str:
    if np.ptp(means, axis=0).max() > ONE_COLOUR:
        return ""
    return "white" if means.min() > LIGHT else "black" if means.max() < DARK else "of one colour"


def _name(level: Level) -> str:
    return f"level {level.number} ({level.size[0]} x {level.size[1]} px)"
