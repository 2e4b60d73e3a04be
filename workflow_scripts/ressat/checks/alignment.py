"""The geometry gate: is a slide's scale known, and do the spots belong to this slide?"""

import logging
import math

from ressat.base.errors import InputError
from ressat.base.visium import PITCH_UM, SPACE_RANGER_SPOT_UM, SPOT_UM
from ressat.checks.placement import Alternative, Fit, Placement
from ressat.checks.scale_sources import SCALE_FACTORS, SHEET, SLIDE_TAGS, SPOT_PITCH, resolve_scale
from ressat.counts.spot_counts import SpotArray
from ressat.counts.usable_spots import MIN_USABLE_SPOTS
from ressat.slides.scale import Scale

logger = logging.getLogger("ressat")

# Distance between the spots of legacy ST's two arrays, um (Stahl et al. 2016, and the later 2k arrays).
LEGACY_PITCH_UM = {"1k": 200.0, "2k": 150.0}
# The spot diameter that Space Ranger writes is about 65 um in one version and 55 um in another.
SPOT_DIAMETER_UM = (SPOT_UM, SPACE_RANGER_SPOT_UM)
DIAMETER_TOLERANCE, PITCH_TOLERANCE = 0.05, 0.1

# Other places must fit this much better than those given, on the scale of `Fit.total`, to be considered the
# true ones. The nearest miss among seven real sections: 0.01.
BETTER_TOTAL = 0.25
# If spots lie outside the image, which few right ones do, this much is enough, whatever the shares; but two
# deviations of the correlation of so many spots by chance, 1 / sqrt(n) each.
BETTER_TOTAL_BEYOND, DEVIATIONS = 0.1, 2
# Unless fewer of the spots lie on tissue there than of those inside the image: a symmetric piece of tissue
# that the image cuts fits the spots nearly as well when it is turned.
LESS_SHARE = 0.03
# And this much more of the spots must lie on tissue there, or of the tissue under spots.
BETTER_SHARE, BETTER_COVER = 0.1, 0.25

# Above this share of spots outside, the image is not that of the coordinates. A scan that misses an edge of
# the capture area cuts a row or two of 78, or a column or two of 64: 1 to 3 %. A tenth would be eight rows.
MOST_OUTSIDE = 0.1
# Below this share of spots on tissue, a warning says so if the study allows it.
LOW_SHARE = 0.5


def section_scale(*, sheet: float | None, tags: float | None, array: SpotArray | None) -> Scale:
    """Find a slide's scale, and compare all its sources with each other.

    Parameters
    ----------
    sheet, tags
        um/px from the sheet's column ``mpp`` and from the slide's own tags.
    array
        What the counts' files say about the array; None without counts.

    Raises
    ------
    InputError
        See `resolve_scale`.
    """
    if array is None:
        return resolve_scale({SHEET: sheet, SLIDE_TAGS: tags})
    pitch = array.pitch_um / array.pitch_px if array.pitch_um else None
    sources = {SHEET: sheet, SPOT_PITCH: pitch, SCALE_FACTORS: array.mpp, SLIDE_TAGS: tags}
    scale = resolve_scale(sources, hires=array.hires_scale, lowres=array.lowres_scale, advice=_advice(array))
    _cross_check(array, scale.mpp)
    return scale


def check_placement(
    placement: Placement,
    *,
    array: SpotArray,
    min_on_tissue: float,
) -> Fit:
    """Refuse spots that do not belong where they are said to lie, naming what is probably wrong.

    Parameters
    ----------
    placement
        The spots on the slide.
    array
        What the counts' files say about the array.
    min_on_tissue
        Share of the spots that must lie on tissue. At 0, a poor fit and spots outside are only a warning.

    Returns
    -------
    Fit
        How well the spots inside the image fit.

    Raises
    ------
    InputError
        If many spots lie outside the image, too few of the others lie on tissue, or other places fit clearly
        better.
    """
    better_total, is_beyond = BETTER_TOTAL, placement.outside > 0
    if is_beyond:
        _check_outside(placement, array, min_on_tissue)
        placement = placement.within()
        better_total = max(BETTER_TOTAL_BEYOND, DEVIATIONS / math.sqrt(placement.compared))
    fit = placement.fit
    alternatives = placement.alternatives(array.hires_scale, array.lowres_scale)
    better = [one for one in alternatives if one.fit.total >= fit.total + better_total]
    if is_beyond:
        better = [one for one in better if one.fit.share >= fit.share - LESS_SHARE]
    sure = [one for one in better if is_beyond or _is_sure(one, fit)]
    problem = f"{fit.share:.0%} of its {placement.spots} spots lie on tissue"
    if min_on_tissue > 0 and (sure or fit.share < min_on_tissue):
        raise _misplaced(placement, problem, sure or better)
    if sure or better:
        logger.warning("%s; look at the overlay, for it may be that %s", problem, (sure or better)[0].meaning)
    elif fit.share < LOW_SHARE:
        logger.warning("%s; look at the overlay", problem)
    return fit


def _check_outside(placement: Placement, array: SpotArray, min_on_tissue: float) -> None:
    """Refuse many spots outside the image, naming what is probably wrong; warn of few, which are left out."""
    (x0, y0), (x1, y1) = placement.bounds
    width, height = placement.size
    problem = (
        f"{placement.outside} of its {placement.spots} spots lie outside the image (spots x {x0:.0f} to "
        f"{x1:.0f}, y {y0:.0f} to {y1:.0f}; image {width} x {height} px)"
    )
    fit, few = placement.fit, placement.outside <= MOST_OUTSIDE * placement.spots
    alternatives = placement.alternatives(array.hires_scale, array.lowres_scale)
    if few:
        # The image turned so that all spots lie inside, and fit no worse, is the more likely one.
        better = [one for one in alternatives if one.kind == "turned" and one.fit.total >= fit.total]
    else:
        better = [one for one in alternatives if one.fit.share > fit.share and one.kind != "shifted"]
    if few and not better:
        logger.warning("%s and are left out", problem)
        return
    if min_on_tissue > 0 or placement.spots - placement.outside < MIN_USABLE_SPOTS:
        raise _misplaced(placement, problem, better)
    hint = f"; it may be that {better[0].meaning}" if better else ""
    logger.warning("%s and are left out; look at the overlay%s", problem, hint)


def _is_sure(alternative: Alternative, fit: Fit) -> bool:
    """Tell whether places fit better than chance explains: among many, some correlate better by chance."""
    rise = alternative.fit.share - fit.share
    covers = alternative.kind == "scaled" and alternative.fit.covered - fit.covered >= BETTER_COVER
    return rise >= BETTER_SHARE or (covers and rise >= -BETTER_SHARE)


def _misplaced(placement: Placement, problem: str, better: list[Alternative]) -> InputError:
    if better:
        best = better[0]
        problem += f"; probably {best.meaning}; once corrected, {best.fit.share:.0%} would lie on tissue"
        action = best.action
    else:
        action = "give the image that the coordinates were made for"
        if not placement.outside:
            action += (
                "; if it is, and its tissue is too pale to tell from glass, lower tiling.min_on_tissue "
                "in config.yaml"
            )
    return InputError(
        problem,
        expected="spot coordinates in pixels of this exact image, and spots on tissue",
        action=action,
    )


def _advice(array: SpotArray) -> str:
    """What the sheet's mpp would be, guessed from the usual distances between spots."""
    if not array.pitch_px > 0:
        return ""
    usual = {f"legacy ST's {name} arrays": um for name, um in LEGACY_PITCH_UM.items()}
    if array.platform != "legacy":
        usual = {"Visium": PITCH_UM}
    guesses = [
        f"{um / array.pitch_px:.3g} for {name} ({um:.0f} um between spots)" for name, um in usual.items()
    ]
    return f": {' or '.join(guesses)}"


def _cross_check(array: SpotArray, mpp: float) -> None:
    """Warn where the array's figures look odd at this scale, which they do not decide."""
    pitch = array.pitch_px * mpp
    usual = LEGACY_PITCH_UM.values()
    if array.platform == "legacy" and not any(abs(pitch / um - 1) <= PITCH_TOLERANCE for um in usual):
        logger.warning(
            "neighbouring spots are %.0f um apart at %.4g um/px; legacy ST has 200 um (1k arrays) or 150 um "
            "(2k arrays): check mpp in the sheet",
            pitch,
            mpp,
        )
    low, high = SPOT_DIAMETER_UM
    diameter = array.spot_px * mpp
    if array.spot_um and not low * (1 - DIAMETER_TOLERANCE) <= diameter <= high * (1 + DIAMETER_TOLERANCE):
        logger.warning(
            "scalefactors_json.json gives spots of %.0f um at %.4g um/px, where Space Ranger writes %.0f to "
            "%.0f: the file may be of another run",
            diameter,
            mpp,
            low,
            high,
        )
