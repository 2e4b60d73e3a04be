"""A slide's scale: how many um a pixel is, and which pyramid level suits a resolution."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ressat.errors import InputError

# Resolution tags outside this range (um/px) are leftovers of a screen or printer, not a microscope's.
MPP_RANGE = (0.1, 10.0)
# Sources of the scale may differ by this much before they are held to contradict each other.
MPP_TOLERANCE = 0.05


def best_level(downsamples: Sequence[float], wanted: float) -> int:
    """Return the coarsest pyramid level that is at least as fine as wanted.

    Parameters
    ----------
    downsamples
        Level-0 pixels per pixel of each level, ascending, along an edge.
    wanted
        The downsample that would suit; below 1 gives level 0.
    """
    # Levels are often a hair off (4.0003): without slack, a wish for 4 would read level 0.
    return max((level for level, found in enumerate(downsamples) if found <= wanted * 1.005), default=0)


@dataclass(frozen=True)
class Scale:
    """A slide's scale, in um per level-0 pixel, and where it was taken from."""

    mpp: float
    source: str


def resolve_scale(
    section: str,
    slide: str | Path,
    *,
    sheet: float | None,
    pitch: float | None,
    tags: float | None,
) -> Scale:
    """Choose a slide's scale among its sources, and hold them against each other.

    Parameters
    ----------
    section, slide
        For messages.
    sheet
        um/px from the sheet's column ``mpp``.
    pitch
        um/px from the distance between spots, where the array's pitch is known (Visium).
    tags
        um/px from the slide's own tags.

    Returns
    -------
    Scale
        The first of sheet, spot pitch and tags that is present.

    Raises
    ------
    InputError
        If there is no source at all, one lies outside `MPP_RANGE`, or two differ by more
        than `MPP_TOLERANCE`.
    """
    named = {"sheet": sheet, "spot pitch": pitch, "slide tags": tags}
    present = {source: mpp for source, mpp in named.items() if mpp is not None}
    if not present:
        raise InputError(
            "its scale (um per pixel) is in neither the sheet nor the slide's tags, nor known from the spots",
            expected="one of them",
            action="add the column mpp to the sheet, with the um/px of the full-resolution image",
            section=section,
            file=slide,
        )
    figures = ", ".join(f"{source} {mpp:.4g}" for source, mpp in present.items())
    low, high = MPP_RANGE
    if any(not low <= mpp <= high for mpp in present.values()):
        raise InputError(
            f"a scale of {figures} um/px",
            expected=f"{low} to {high} um/px",
            action="correct the column mpp, or check that spot coordinates are full-resolution pixels",
            section=section,
            file=slide,
        )
    if max(present.values()) > min(present.values()) * (1 + MPP_TOLERANCE):
        raise InputError(
            f"the sources of its scale contradict each other: {figures} um/px",
            expected=f"agreement within {MPP_TOLERANCE:.0%}",
            action="check that the coordinates are pixels of this very image, and correct mpp in the sheet",
            section=section,
            file=slide,
        )
    source, mpp = next(iter(present.items()))
    return Scale(mpp, source)
