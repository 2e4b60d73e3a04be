"""The geometry gate: what is known of scale and places agrees, or the section stops with the figures."""

import numpy as np
import pytest

from ressat.base.errors import InputError, about
from ressat.checks.alignment import check_placement, section_scale
from ressat.checks.placement import Placement
from ressat.counts.spot_counts import SpotArray
from ressat.slides.scale import Scale

VISIUM = SpotArray(
    "visium", pitch_px=200, spot_px=130, pitch_um=100, spot_um=65, hires_scale=0.2, lowres_scale=0.06
)
LEGACY = SpotArray("legacy", pitch_px=272, spot_px=136)
UNKNOWN = SpotArray("unknown", pitch_px=200, spot_px=100)


def scale(array: SpotArray | None, sheet: float | None = None, tags: float | None = None) -> Scale:
    return section_scale(sheet=sheet, tags=tags, array=array)


def test_visium_needs_no_scale_but_its_pitch():
    assert scale(VISIUM) == Scale(0.5, "spot pitch")


def test_the_sheet_decides_for_legacy_arrays():
    assert scale(LEGACY, sheet=0.735) == Scale(0.735, "sheet")


def test_bins_state_their_scale_and_it_is_compared():
    bins = SpotArray("visium_hd", pitch_px=29.2, spot_px=29.2, pitch_um=8, mpp=0.274)
    assert scale(bins) == Scale(pytest.approx(8 / 29.2), "spot pitch")
    wrong = SpotArray("visium_hd", pitch_px=29.2, spot_px=29.2, pitch_um=8, mpp=0.5)
    with pytest.raises(InputError, match=r"spot pitch 0\.274, scale factors 0\.5 um/px"):
        scale(wrong)


@pytest.mark.parametrize(
    ("array", "advice"),
    [
        (
            LEGACY,
            "0.735 for legacy ST's 1k arrays (200 um between spots) or 0.551 for legacy ST's 2k arrays (",
        ),
        (UNKNOWN, "0.5 for Visium (100 um between spots)"),
        (None, "with the um/px of the full-resolution image"),
    ],
)
def test_without_any_source_the_sheet_is_told_what_to_add(array, advice):
    with pytest.raises(InputError, match="its scale") as caught:
        scale(array)
    assert advice in caught.value.action


@pytest.mark.parametrize("mpp", [0.735, 0.551, 0.76])
def test_a_legacy_pitch_of_either_array_passes_in_silence(mpp, caplog):
    scale(LEGACY, sheet=mpp)
    assert caplog.messages == []


def test_a_legacy_pitch_of_no_array_is_a_warning(caplog):
    scale(LEGACY, sheet=0.4)
    assert "neighbouring spots are 109 um apart at 0.4 um/px" in caplog.text


def test_the_diameter_of_spots_is_a_cross_check_only(caplog):
    other_run = SpotArray("visium", pitch_px=200, spot_px=19.5, pitch_um=100, spot_um=65)
    assert scale(other_run).mpp == 0.5
    assert "gives spots of 10 um" in caplog.text


@pytest.fixture
def check(uneven_slide, spots_on_it):
    def check(change=lambda x, y: (x, y), min_on_tissue=0.5, scaled=1.0, array=VISIUM, cut=(0, 0)):
        """Check spots after a change, on the slide without its first columns and rows, in pixels."""
        mask, image = (np.ascontiguousarray(one[cut[1] // 10 :, cut[0] // 10 :]) for one in uneven_slide)
        coords, counts = spots_on_it
        moved = np.column_stack(change(*coords.T))
        placement = Placement(
            mask, image, 10.0, (9000 - cut[0], 7000 - cut[1]), moved, counts, array.pitch_px * scaled
        )
        with about(section="A1", file="A1.svs"):
            return check_placement(placement, array=array, min_on_tissue=min_on_tissue)

    return check


def test_spots_in_their_places_pass_in_silence(check, caplog):
    assert check().share > 0.9
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("change", "scaled", "words"),
    [
        (lambda x, y: (y, x), 1, "probably x and y are swapped; once corrected"),
        (lambda x, y: (9000 - x, y), 1, "probably the x axis is mirrored"),
        (lambda x, y: (x, 7000 - y), 1, "probably the y axis is mirrored"),
        (lambda x, y: (x * 0.2, y * 0.2), 0.2, "probably the coordinates are pixels of the hires image"),
        (lambda x, y: (x * 0.06, y * 0.06), 0.06, "probably the coordinates are pixels of the lowres image"),
        (lambda x, y: (x + 1000, y + 600), 1, "probably the image is cropped, or of another section"),
    ],
)
def test_misplaced_spots_are_refused_and_the_cause_named(check, change, scaled, words):
    with pytest.raises(
        InputError, match=r"section A1: A1\.svs: \d+% of its \d+ spots lie on tissue"
    ) as caught:
        check(change, scaled=scaled)
    assert words in caught.value.problem
    assert caught.value.action


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, y: (x * 5, y * 5), "the image is Space Ranger's hires image (tissue_hires_scalef 0.2)"),
        (lambda x, y: (x + 8000, y), None),
    ],
)
def test_spots_outside_the_image_are_refused_with_the_bounds(check, change, words):
    scaled = 5 if words else 1
    with pytest.raises(InputError, match=r"spots lie outside the image \(spots x \d+ to \d+") as caught:
        check(change, scaled=scaled)
    assert "image 9000 x 7000 px" in caught.value.problem
    assert words is None or f"probably {words}" in caught.value.problem


def test_the_user_can_make_warnings_of_it(check, caplog):
    assert check(lambda x, y: (9000 - x, y), min_on_tissue=0).share < 0.9
    assert "look at the overlay, for it may be that the x axis is mirrored" in caplog.text


@pytest.mark.parametrize("edge", [(0, 700), (900, 0), (700, 500)])
def test_few_spots_beyond_the_image_are_a_warning(check, spots_on_it, edge, caplog):
    coords = spots_on_it[0]
    outside = int((coords < edge).any(axis=1).sum())
    assert 0 < outside < 0.1 * len(coords)
    fit = check(lambda x, y: (x - edge[0], y - edge[1]), cut=edge)
    assert fit.share > 0.9
    assert len(caplog.messages) == 1
    assert f"{outside} of its {len(coords)} spots lie outside the image (spots x " in caplog.text
    assert caplog.messages[0].endswith("px) and are left out")


@pytest.mark.parametrize("edge", [(0, 1400), (2000, 0)])
def test_many_spots_beyond_the_image_are_refused_or_left_out_as_the_user_says(check, edge, caplog):
    def cut_off(**how):
        return check(lambda x, y: (x - edge[0], y - edge[1]), cut=edge, **how)

    with pytest.raises(InputError, match="spots lie outside the image"):
        cut_off()
    assert cut_off(min_on_tissue=0).share > 0.9
    assert "and are left out; look at the overlay" in caplog.text


@pytest.mark.parametrize("move", [(0, -700), (-900, 0), (-700, -500)])
def test_few_spots_beyond_an_image_that_is_not_theirs_are_refused(check, spots_on_it, move):
    """The spots lie beyond the edge because they are shifted, and the slide is whole."""
    outside = int(((spots_on_it[0] + move) < 0).any(axis=1).sum())
    assert 0 < outside < 0.1 * len(spots_on_it[0])
    with pytest.raises(InputError, match="spots lie on tissue; probably the image is cropped"):
        check(lambda x, y: (x + move[0], y + move[1]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, y: (y, x), "probably x and y are swapped"),
        (lambda x, y: (6000 - y, x), "probably the image is turned by 90 degrees counter-clockwise"),
    ],
)
def test_few_spots_beyond_an_image_that_is_turned_are_refused(uneven_slide, spots_on_it, change, words):
    """Few spots lie outside, because the tissue is hardly wider than this image is high."""
    mask, image = (np.ascontiguousarray(one[:600]) for one in uneven_slide)
    coords, counts = spots_on_it
    turned = np.column_stack(change(*coords.T))
    placement = Placement(mask, image, 10.0, (9000, 6000), turned, counts, VISIUM.pitch_px)
    assert 0 < placement.outside < 0.1 * placement.spots
    with pytest.raises(InputError, match="spots lie outside the image") as caught:
        check_placement(placement, array=VISIUM, min_on_tissue=0.5)
    assert words in caught.value.problem


@pytest.mark.parametrize("change", [lambda x, y: (x + 9000, y), lambda x, y: (x, y - 8000)])
def test_spots_that_all_lie_outside_are_refused_whatever_the_user_says(check, change):
    with pytest.raises(InputError, match="spots lie outside the image"):
        check(change, min_on_tissue=0)


@pytest.mark.parametrize("cover", [1, 0.3])
def test_few_spots_on_tissue_are_a_warning_if_the_user_says_so(uneven_slide, spots_on_it, cover, caplog):
    mask, image = uneven_slide
    pale = mask & (np.arange(mask.shape[1]) < cover * 0)
    placement = Placement(pale, np.full_like(image, 240), 10.0, (9000, 7000), *spots_on_it, VISIUM.pitch_px)
    assert check_placement(placement, array=VISIUM, min_on_tissue=0).share == 0
    assert "0% of its" in caplog.text
    assert "spots lie on tissue; look at the overlay" in caplog.text
