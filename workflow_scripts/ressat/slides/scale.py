"""A slide's scale: how many um a pixel is, and which pyramid level suits a resolution."""

from collections.abc import Sequence
from dataclasses import dataclass

# Resolution tags outside this range (um/px) are leftovers of a screen or printer, not a microscope's.
MPP_RANGE = (0.1, 10.0)
# Pixel sizes may differ by this much before they count as contradictory.
MPP_TOLERANCE = 0.05


def best_level(downsamples: Sequence[float], downsample: float) -> int:
    """Return the coarsest pyramid level that is at least as fine as wanted.

    Parameters
    ----------
    downsamples
        Level-0 pixels per pixel of each level, ascending, along an edge.
    downsample
        The downsample wanted; below 1 gives level 0.
    """
    # Levels are often a hair off (4.0003): without slack, a request for 4 would read level 0.
    return max(
        (level for level, of_level in enumerate(downsamples) if of_level <= downsample * 1.005), default=0
    )


@dataclass(frozen=True)
class Scale:
    """A slide's scale, in um per level-0 pixel, and where it was taken from."""

    mpp: float
    source: str


def believable_mpp(across: float, down: float) -> float | None:
    """Return the pixel size on which both axes agree.

    Parameters
    ----------
    across, down
        Width and height of a pixel in um.

    Returns
    -------
    float or None
        Their mean; None where one lies outside `MPP_RANGE`, as leftovers of a screen or printer do, or
        where the pixel is not square within `MPP_TOLERANCE`.
    """
    smaller, larger = min(across, down), max(across, down)
    square = MPP_RANGE[0] <= smaller <= larger <= min(MPP_RANGE[1], smaller * (1 + MPP_TOLERANCE))
    return (across + down) / 2 if square else None
