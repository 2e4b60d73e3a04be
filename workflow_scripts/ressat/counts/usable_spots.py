"""What counts must be, whatever format they came in, and which spots are usable."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import sparse

from ressat.base.errors import InputError, about
from ressat.counts.barcodes import barcode_parts
from ressat.counts.spot_counts import SpotCounts
from ressat.counts.text_cells import refuse_repeated

WITHOUT_POSITION, OUTSIDE_TISSUE, ZERO_COUNTS = "without position", "outside tissue", "zero counts"
BEYOND_IMAGE = "beyond the image"
# Fewer spots allow neither training nor a test of a correlation.
MIN_USABLE_SPOTS = 20
# More than any section has in all: a damaged number.
LARGEST_COUNT = 10**9
# Above this share of spots without position, the positions are of another section, or the counts of several.
MOST_WITHOUT_POSITION = 0.2
# What Space Ranger adds to a barcode, and what some tools remove.
SUFFIX = re.compile(r"-\d+$")


def usable_spots(counts: SpotCounts) -> SpotCounts:
    """Check counts, and keep the spots under tissue that have any.

    Raises
    ------
    InputError
        See `check_values` and `under_tissue`; or if more than `MOST_WITHOUT_POSITION` of the spots with
        counts have no position, or fewer than `MIN_USABLE_SPOTS` remain.
    """
    with about(file=counts.file):
        check_values(counts)
        usable = under_tissue(counts)
        _refuse_unplaced(counts)
        _refuse_few(usable)
    return usable


def _refuse_few(counts: SpotCounts) -> None:
    if len(counts.spots) < MIN_USABLE_SPOTS:
        raise InputError(
            f"{len(counts.spots)} spots with counts",
            expected=f"at least {MIN_USABLE_SPOTS}, for training or for testing a correlation",
            action="leave the section out, or check that positions and counts are complete",
        )


def _refuse_unplaced(counts: SpotCounts) -> None:
    has_counts = np.asarray(counts.counts.sum(axis=1)).ravel() > 0
    unplaced = has_counts & ~counts.spots.isin(counts.places.index)
    number, total = int(unplaced.sum()), int(has_counts.sum())
    # If none has a position, they may be named in another way, which `under_tissue` looks into.
    if MOST_WITHOUT_POSITION * total < number < total:
        raise InputError(
            f"{number} of its {total} spots with counts have no position (first: "
            f"{counts.spots[unplaced.argmax()]})",
            expected=f"a position of at least {1 - MOST_WITHOUT_POSITION:.0%} of them",
            action="give counts and positions of the same section, and all its positions",
        )


def inside_image(coords: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Tell which places are in an image, boolean, shape (n,); NaN is not.

    Parameters
    ----------
    coords
        Level-0 x and y, shape (n, 2).
    size
        Width and height of the image.
    """
    return ((coords >= 0) & (coords < np.array(size))).all(axis=1)


def within_image(counts: SpotCounts, size: tuple[int, int]) -> SpotCounts:
    """Keep the spots whose centre is in the image, and count the others.

    Parameters
    ----------
    counts
        Usable spots.
    size
        Width and height of the slide, level-0 pixels.

    Raises
    ------
    InputError
        If fewer than `MIN_USABLE_SPOTS` remain.
    """
    inside = inside_image(counts.places.loc[counts.spots, ["x", "y"]].to_numpy(), size)
    beyond = int((~inside).sum())
    if not beyond:
        return counts
    remaining = replace(
        counts,
        spots=counts.spots[inside],
        counts=counts.counts[np.flatnonzero(inside)],
        left_out=counts.left_out | {BEYOND_IMAGE: beyond},
    )
    with about(file=counts.file):
        _refuse_few(remaining)
    return remaining


def with_counts_of(counts: SpotCounts, kept: np.ndarray) -> SpotCounts:
    """Keep some genes, and the spots that have counts of them.

    Parameters
    ----------
    counts
        Usable spots.
    kept
        Which genes, boolean, shape (genes,).

    Raises
    ------
    InputError
        If fewer than `MIN_USABLE_SPOTS` spots remain.
    """
    columns = np.flatnonzero(kept)
    part = counts.counts[:, columns].tocsr()
    has_counts = np.asarray(part.sum(axis=1)).ravel() > 0
    zero = counts.left_out.get(ZERO_COUNTS, 0) + int((~has_counts).sum())
    remaining = replace(
        counts,
        spots=counts.spots[has_counts],
        genes=counts.genes.iloc[columns].reset_index(drop=True),
        counts=part[np.flatnonzero(has_counts)],
        left_out=counts.left_out | {ZERO_COUNTS: zero},
    )
    with about(file=counts.file):
        _refuse_few(remaining)
    return remaining


def check_values(counts: SpotCounts) -> None:
    """Refuse values that cannot be raw counts, and spots that cannot be where they are.

    Raises
    ------
    InputError
        If a spot occurs twice, a count is negative, not whole or not finite (naming spot and gene), no
        spot has any, or neighbouring spots are not a pixel apart.
    """
    refuse_repeated(counts.spots)
    at = first_odd(counts.counts)
    if at is not None:
        raise odd_count(counts.counts, at, counts.spots, counts.genes["name"])
    if not counts.counts.data.any():
        raise _no_counts(counts, len(counts.spots))
    if not counts.array.pitch_px >= 1 and len(counts.places) > 1:
        raise InputError(
            f"neighbouring spots are {counts.array.pitch_px:.2g} px apart",
            expected="each spot at its own place, in full-resolution pixels",
            action="check the positions",
        )


def under_tissue(counts: SpotCounts) -> SpotCounts:
    """Keep the spots that have a position under tissue and counts, and count the others.

    Returns
    -------
    SpotCounts
        ``left_out`` with those without position, outside tissue and of zero counts, each spot under the
        first of these that applies.

    Raises
    ------
    InputError
        If no spot remains.
    """
    placed = counts.spots.isin(counts.places.index)
    if not placed.any():
        raise _no_position(counts)
    in_tissue = counts.places["in_tissue"].reindex(counts.spots).eq(1).to_numpy()
    has_counts = np.asarray(counts.counts.sum(axis=1)).ravel() > 0
    usable = in_tissue & has_counts
    left_out = {
        **counts.left_out,
        WITHOUT_POSITION: int((~placed).sum()),
        OUTSIDE_TISSUE: int((placed & ~in_tissue).sum()),
        ZERO_COUNTS: int((in_tissue & ~has_counts).sum()),
    }
    under = replace(
        counts, spots=counts.spots[usable], counts=counts.counts[np.flatnonzero(usable)], left_out=left_out
    )
    if not in_tissue.any():
        raise InputError(
            f"none of its {counts.total} spots lies under tissue ({left_out[OUTSIDE_TISSUE]} outside tissue, "
            f"{left_out[WITHOUT_POSITION]} without position)",
            expected="spots marked as under tissue",
            action="check that the positions belong to this section, and that tissue was detected",
        )
    if not usable.any():
        zero = left_out.pop(ZERO_COUNTS)
        raise _no_counts(under, zero)
    return under


def first_odd(counts: sparse.csr_matrix) -> int | None:
    """Return the index in ``counts.data`` of the first value that is not a count; None if all are counts."""
    values = counts.data
    # In parts: an array of bins has a hundred million values, and the masks would take as much again.
    for start in range(0, len(values), 1 << 20):
        part = values[start : start + (1 << 20)]
        # Not `>`, which nan would pass.
        odd = ~((part >= 0) & (part <= LARGEST_COUNT)) | (part != np.round(part))
        if odd.any():
            return start + int(odd.argmax())
    return None


def odd_count(
    counts: sparse.csr_matrix,
    at: int,
    spots: pd.Index,
    genes: pd.Series,
    *,
    meaning: str = "",
    action: str = "give raw counts, not normalised values",
) -> InputError:
    """Say which value is not a count.

    Parameters
    ----------
    counts
        Shape (spots, genes).
    at
        From `first_odd`.
    spots, genes
        Names.
    meaning
        What the values probably are.
    action
        What to do.
    """
    spot = spots[np.searchsorted(counts.indptr, at, side="right") - 1]
    gene = genes.iloc[counts.indices[at]]
    return InputError(
        f"a count of {counts.data[at]:g} (spot {spot}, gene {gene}){meaning}",
        expected="raw counts: whole numbers, 0 or more"
        + (f", at most {LARGEST_COUNT:g}" if counts.data[at] > LARGEST_COUNT else ""),
        action=action,
    )


def _no_counts(counts: SpotCounts, zero: int) -> InputError:
    others = "".join(f", {number} {reason}" for reason, number in counts.left_out.items() if number)
    return InputError(
        f"no spot with counts among {counts.total} ({zero} with zero counts{others})",
        expected="counts of spots under tissue",
        action="check that the counts belong to this section",
    )


def _no_position(counts: SpotCounts) -> InputError:
    def bare(names: pd.Index) -> set[str]:
        return {SUFFIX.sub("", str(name)) for name in names}

    agree = bare(counts.spots) & bare(counts.places.index)
    own, others = barcode_parts(counts.spots), barcode_parts(counts.places.index)
    if not agree and own is not None and others is not None and set(own["place"]) & set(others["place"]):
        around = [f"{parts['before'].iloc[0]}*{parts['behind'].iloc[0]}" for parts in (own, others)]
        return InputError(
            f"none of its {counts.total} spots (first: {counts.spots[0]}) has a position: the counts write "
            f"their barcodes as {around[0]} and the positions as {around[1]}",
            expected=f"spots named like those of the positions (first: {counts.places.index[0]})",
            action="remove from the barcodes what a tool wrote in front of or behind them",
        )
    return InputError(
        f"none of its {counts.total} spots (first: {', '.join(counts.spots[:1])}) has a position",
        expected=f"spots named like those of the positions (first: {', '.join(counts.places.index[:1])})",
        action="keep the barcode suffix -1 in both or in neither"
        if agree
        else "give counts and positions of the same section",
    )
