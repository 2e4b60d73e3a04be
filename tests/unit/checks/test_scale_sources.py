"""The scale is the first of its sources, and all of them agree."""

import math

import pytest

from ressat.base.errors import InputError, about
from ressat.checks.scale_sources import SHEET, SLIDE_TAGS, SPOT_PITCH, resolve_scale, scale_meaning
from ressat.slides.scale import Scale


def resolve(sheet=None, pitch=None, tags=None, **options):
    sources = {SHEET: sheet, SPOT_PITCH: pitch, SLIDE_TAGS: tags}
    with about(section="C2", file="slides/C2.svs"):
        return resolve_scale(sources, **options)


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({"sheet": 0.50, "pitch": 0.51, "tags": 0.49}, Scale(0.50, "sheet")),
        ({"pitch": 0.51, "tags": 0.50}, Scale(0.51, "spot pitch")),
        ({"sheet": 0.50, "tags": 0.51}, Scale(0.50, "sheet")),
        ({"tags": 0.25}, Scale(0.25, "slide tags")),
    ],
)
def test_the_sheet_comes_before_the_spots_and_these_before_the_tags(sources, expected):
    assert resolve(**sources) == expected


def test_without_any_source_the_sheets_column_is_asked_for():
    with pytest.raises(InputError, match=r"^section C2: slides/C2\.svs: its scale .*; add the column mpp"):
        resolve()


@pytest.mark.parametrize(
    ("sources", "figures"),
    [
        ({"sheet": 0.5, "tags": 0.25}, "sheet 0.5, slide tags 0.25 um/px"),
        ({"pitch": 0.7353, "tags": 0.5}, "spot pitch 0.7353, slide tags 0.5 um/px"),
        ({"sheet": 0.5, "pitch": 0.51, "tags": 0.54}, "sheet 0.5, spot pitch 0.51, slide tags 0.54 um/px"),
    ],
)
def test_sources_that_contradict_each_other_are_refused_with_their_figures(sources, figures):
    with pytest.raises(InputError, match=r"section C2: slides/C2\.svs: .*contradict") as caught:
        resolve(**sources)
    assert figures in str(caught.value)
    assert "expected agreement within 5%" in str(caught.value)


@pytest.mark.parametrize(
    ("pitch", "meaning"),
    [
        (0.5 / 0.15, "the coordinates are pixels of the hires image (tissue_hires_scalef 0.15)"),
        (0.5 * 2, "the coordinates are pixels of an image 2 times smaller"),
        (0.5 * 0.4, "the image was exported 2.5 times smaller"),
        (0.5 * 1.1, "was exported at another scale"),
    ],
)
def test_what_a_contradiction_of_the_pitch_means_is_said(pitch, meaning):
    with pytest.raises(InputError, match="contradict") as caught:
        resolve(pitch=pitch, tags=0.5, hires=0.15, lowres=0.045)
    assert meaning in caught.value.problem.split("it seems that ")[1]


def test_where_the_pitch_agrees_no_coordinates_are_suspected():
    with pytest.raises(InputError) as caught:
        resolve(sheet=0.4, pitch=0.5, tags=0.62)
    assert "coordinates" not in caught.value.problem


@pytest.mark.parametrize(
    ("sources", "odd", "action"),
    [
        ({"sheet": 0.25, "pitch": 0.5, "tags": 0.5}, "sheet", "correct mpp in the sheet"),
        ({"sheet": 0.5, "pitch": 0.5, "tags": 0.25}, "slide tags", "correct the slide tags, or remove it"),
    ],
)
def test_the_one_source_that_all_others_contradict_is_named(sources, odd, action):
    with pytest.raises(InputError, match=f"all but the {odd} agree") as caught:
        resolve(**sources, hires=0.08, lowres=0.6667)
    assert caught.value.action == action


def test_images_of_space_ranger_are_known_by_their_scales_both_ways():
    assert "pixels of the hires image" in scale_meaning(1 / 0.149, 0.15, 0.045)[0]
    assert "the image is Space Ranger's lowres image" in scale_meaning(0.0455, 0.15, 0.045)[0]


@pytest.mark.parametrize("mpp", [35.28, 0.01, 0.0, -0.5, math.nan, math.inf])
def test_a_scale_of_no_microscope_is_refused_with_its_figure(mpp):
    with pytest.raises(InputError, match=rf"section C2: .*sheet {mpp:.4g} um/px; expected 0\.1 to 10\.0"):
        resolve(sheet=mpp)
