"""Which source of a slide's scale is used, and what is wrong where several contradict each other."""

from collections.abc import Mapping
from statistics import mean

from ressat.base.errors import InputError
from ressat.slides.scale import MPP_RANGE, MPP_TOLERANCE, Scale

# A scale this close to that of a Space Ranger image counts as the same.
SAME_SCALE = 0.04
# Nobody exports images at such scales; spots on the slide of another section often fit better at one of them.
ANOTHER_SECTION = (0.7, 1.4)
# Sources of a scale, as messages call them.
SHEET, SPOT_PITCH, SCALE_FACTORS, SLIDE_TAGS = "sheet", "spot pitch", "scale factors", "slide tags"


def resolve_scale(
    sources: Mapping[str, float | None],
    *,
    hires: float | None = None,
    lowres: float | None = None,
    advice: str = "",
) -> Scale:
    """Choose a slide's scale among its sources, and compare them with each other.

    Parameters
    ----------
    sources
        um/px by source, the most trusted first; None where a source does not state it. `SPOT_PITCH` is
        the scale that follows from the distance between spots.
    hires, lowres
        Pixels of Space Ranger's images per pixel of the full-resolution image, where known.
    advice
        What to write into the sheet if there is no source at all, where that can be guessed.

    Returns
    -------
    Scale
        That of the first source that states it.

    Raises
    ------
    InputError
        If there is no source at all, one lies outside `MPP_RANGE`, or two differ by more
        than `MPP_TOLERANCE`.
    """
    present = {source: mpp for source, mpp in sources.items() if mpp is not None}
    if not present:
        raise InputError(
            "its scale (um per pixel) is in neither the sheet nor the slide's tags, nor known from the spots",
            expected="one of them",
            action="add the column mpp to the sheet, with the um/px of the full-resolution image" + advice,
        )
    figures = ", ".join(f"{source} {mpp:.4g}" for source, mpp in present.items())
    low, high = MPP_RANGE
    if any(not low <= mpp <= high for mpp in present.values()):
        raise InputError(
            f"a scale of {figures} um/px",
            expected=f"{low} to {high} um/px",
            action="correct the column mpp, or check that spot coordinates are full-resolution pixels",
        )
    if max(present.values()) > min(present.values()) * (1 + MPP_TOLERANCE):
        problem = f"the sources of its scale contradict each other: {figures} um/px"
        action = "correct mpp in the sheet, or the slide's tags, whichever is wrong"
        odd = _odd_one(present)
        if odd == SPOT_PITCH or (len(present) == 2 and SPOT_PITCH in present):
            others = mean(mpp for source, mpp in present.items() if source != SPOT_PITCH)
            meaning, action = scale_meaning(present[SPOT_PITCH] / others, hires, lowres)
            problem += f"; it seems that {meaning}"
            action += f"; or correct the {' and the '.join(name for name in present if name != SPOT_PITCH)}"
        elif odd is not None:
            problem += f"; all but the {odd} agree"
            action = f"correct mpp in the {odd}" if odd == SHEET else f"correct the {odd}, or remove it"
        raise InputError(
            problem,
            expected=f"agreement within {MPP_TOLERANCE:.0%}",
            action=action,
        )
    source, mpp = next(iter(present.items()))
    return Scale(mpp, source)


def _odd_one(present: Mapping[str, float]) -> str | None:
    """Name the one source that all others, two or more that agree, contradict; None if there is none."""
    for source in present:
        others = [mpp for name, mpp in present.items() if name != source]
        if len(others) > 1 and max(others) <= min(others) * (1 + MPP_TOLERANCE):
            return source
    return None


def scale_meaning(factor: float, hires: float | None, lowres: float | None) -> tuple[str, str]:
    """Say what is wrong where coordinates have to be multiplied by a factor to fit an image.

    Parameters
    ----------
    factor
        Above 0.
    hires, lowres
        Pixels of Space Ranger's images per pixel of the full-resolution image, where known.

    Returns
    -------
    tuple of str
        What is wrong, as a clause, and what to do, as an imperative.
    """
    for name, scale in (("hires", hires), ("lowres", lowres)):
        if scale and abs(factor * scale - 1) <= SAME_SCALE:
            return (
                f"the coordinates are pixels of the {name} image (tissue_{name}_scalef {scale:.4g})",
                "give coordinates in pixels of the full-resolution image",
            )
        if scale and abs(factor / scale - 1) <= SAME_SCALE:
            return (
                f"the image is Space Ranger's {name} image (tissue_{name}_scalef {scale:.4g}), and the "
                "coordinates are pixels of the full-resolution image",
                "give the full-resolution image that Space Ranger was run with",
            )
    low, high = ANOTHER_SECTION
    if low < factor < high:
        return (
            "the image is of another section, or was exported at another scale (spots fit it better with "
            f"coordinates times {factor:.3g})",
            "give the exact image that the coordinates were made for, or correct the scale",
        )
    if factor > 1:
        return (
            f"the coordinates are pixels of an image {factor:.3g} times smaller (hires or lowres, say)",
            "give coordinates in pixels of this image",
        )
    return (
        f"the image was exported {1 / factor:.3g} times smaller than the one the coordinates are pixels of",
        "give the full-resolution image that the coordinates were made for",
    )
