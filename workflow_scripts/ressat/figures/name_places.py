"""Where names go next to points, so that none hides a point, a line or another name."""

from collections.abc import Sequence

import numpy as np

# Where a name may go: how far from its point, in line heights, and in which direction; nearest first, and
# right before left.
DISTANCES = (0.2, 0.5, 0.9, 1.4, 2.0, 2.8, 3.6, 4.5, 6.0, 8.0)
ANGLES = np.radians(
    [0, 45, -45, 22.5, -22.5, 67.5, -67.5, 90, -90, 135, -135, 112.5, -112.5, 157.5, -157.5, 180]
)
# On the sides of a square, not on a circle: a name is a box.
DIRECTIONS = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
DIRECTIONS /= np.abs(DIRECTIONS).max(axis=1, keepdims=True)
# In line heights: a name further than the first from its point gets a line to it, and stays further than the
# second from other points.
WITH_LINE, OFF_OTHERS = 0.9, 0.5
# At how many places a line between a point and its name is checked for crossings.
PLACES_ON_LINE = 24


def name_places(
    points: np.ndarray,
    named: Sequence[int],
    sizes: Sequence[tuple[float, float]],
    bounds: tuple[float, float, float, float],
    radius: float,
    line: np.ndarray | None = None,
) -> list[tuple[float, float] | None]:
    """Find a place for the name of some points, one after another.

    Parameters
    ----------
    points
        All points, shape (points, 2), in any unit that the other values are in too.
    named
        Which of them have a name, the most important first.
    sizes
        Width and height of each name.
    bounds
        Left, bottom, right and top of the available area.
    radius
        Of a point.
    line
        Further places that no name may hide, shape (places, 2).

    Returns
    -------
    list of tuple or None
        The left bottom corner of each name; None where there is no room for it, or none that a straight
        line can reach from the point without crossing another point, another name or its line.
    """
    dots, along = _around(points, radius), _around(np.empty((0, 2)) if line is None else line, 0.0)
    names, lines = np.empty((0, 4)), np.empty((0, 4))
    places = []
    for index, (width, height) in zip(named, sizes, strict=True):
        size, point = np.array([width, height]), points[index]
        # The boxes' centres, so that their sides are at the distance from the point.
        reach = [size / 2 + radius + distance * height for distance in DISTANCES]
        boxes = np.concatenate([_around(point + DIRECTIONS * one, size / 2) for one in reach])
        free = boxes[_within(boxes, bounds) & ~_overlap(boxes, np.concatenate([dots, along, names, lines]))]
        place = None
        for box in free:
            if not _belongs(box, points, index, height):
                continue
            on_line = _around(
                np.linspace(point, point.clip(box[:2], box[2:]), PLACES_ON_LINE)[1:-1], height / 20
            )
            if not _overlap(on_line, np.concatenate([np.delete(dots, index, axis=0), names, lines])).any():
                place = float(box[0]), float(box[1])
                names, lines = np.vstack([names, box]), np.concatenate([lines, on_line])
                break
        places.append(place)
    return places


def _belongs(box: np.ndarray, points: np.ndarray, index: int, height: float) -> bool:
    """Tell whether a name in this box clearly belongs to its point and no other."""
    away = np.abs(points - points.clip(box[:2], box[2:])).max(axis=1)
    others = np.delete(away, index).min(initial=np.inf)
    return away[index] < others if away[index] <= WITH_LINE * height else others > OFF_OTHERS * height


def _around(centres: np.ndarray, half: float | np.ndarray) -> np.ndarray:
    """Boxes around centres: left, bottom, right, top."""
    return np.column_stack([centres - half, centres + half])


def _within(boxes: np.ndarray, bounds: tuple[float, float, float, float]) -> np.ndarray:
    left, bottom, right, top = bounds
    return (boxes[:, 0] >= left) & (boxes[:, 1] >= bottom) & (boxes[:, 2] <= right) & (boxes[:, 3] <= top)


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Tell for each box whether it overlaps any of the others."""
    one, other = boxes[:, None], others[None]
    together = (one[..., :2] < other[..., 2:]) & (one[..., 2:] > other[..., :2])
    return together.all(axis=-1).any(axis=-1)
