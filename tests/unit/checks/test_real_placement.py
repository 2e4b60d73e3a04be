"""On seven real sections: right places pass, and what is done to them is named."""

from dataclasses import replace

import numpy as np
import pytest

from ressat.base.errors import InputError, about
from ressat.checks.alignment import check_placement
from ressat.checks.placement import Fit, Placement
from ressat.checks.thumbnail import Thumbnail, thumbnail
from ressat.counts.format import CountsSource
from ressat.counts.reading import read_counts
from ressat.counts.spot_counts import SpotCounts
from ressat.counts.usable_spots import usable_spots
from ressat.tiles.tissue import tissue_mask

HER2ST, MOB = ("C2", "C3", "C4"), ("MOB1", "MOB2", "MOB3", "MOB4")
MPP = dict.fromkeys(HER2ST, 0.735) | dict.fromkeys(MOB, 4.73)
HIRES, LOWRES = 0.15, 0.045
# Two bulbs that lie nearly alike: one on the other's slide fits within a pitch of its own place.
UNDETECTED = {("MOB2", "MOB3"), ("MOB3", "MOB2")}
OTHERS = [(a, b) for group in (HER2ST, MOB) for a in group for b in group if a != b]

Section = tuple[Thumbnail, np.ndarray, SpotCounts]


@pytest.fixture(scope="module")
def sections(shared) -> dict[str, Section]:
    """Image, mask and usable spots of every section."""
    found = {}
    for name in (*HER2ST, *MOB):
        folder = shared / "data" / ("her2st" if name in HER2ST else "mob")
        her2st = {"counts": f"counts/{name}.tsv.gz", "spots": f"spots/{name}_selection.tsv"}
        mob = {"counts": f"{name}.tsv.gz", "spots": f"alignment_table_{name}.tsv"}
        files = {kind: folder / file for kind, file in (her2st if name in HER2ST else mob).items()}
        slide = folder / (f"images/{name}.jpg" if name in HER2ST else f"{name}.jpg")
        look = thumbnail(slide, 1200)
        spots = usable_spots(read_counts(CountsSource("legacy", files)))
        found[name] = look, tissue_mask(look.lowres, MPP[name] * look.downsample), spots
    return found


def check(slide: Section, spots: SpotCounts, change=lambda x, y, w, h: (x, y), scale: float = 1.0) -> Fit:
    look, mask, _ = slide
    coords = spots.places.loc[spots.spots, ["x", "y"]].to_numpy()
    moved = np.column_stack(change(*coords.T, *look.size))
    totals = np.asarray(spots.counts.sum(axis=1)).ravel()
    pitch = spots.array.pitch_px * scale
    placement = Placement(mask, look.lowres, look.downsample, look.size, moved, totals, pitch)
    array = replace(spots.array, pitch_px=pitch, hires_scale=HIRES, lowres_scale=LOWRES)
    return check_placement(placement, array=array, min_on_tissue=0.5)


@pytest.mark.parametrize("name", [*HER2ST, *MOB])
def test_spots_of_the_sections_own_slide_pass_in_silence(sections, name, caplog):
    fit = check(sections[name], sections[name][2])
    assert fit.share > 0.85
    assert fit.correlation > 0.4
    assert caplog.messages == []


WRONG = {
    "x and y are swapped": lambda x, y, w, h: (y, x),
    "the x axis is mirrored": lambda x, y, w, h: (w - x, y),
    "the y axis is mirrored": lambda x, y, w, h: (x, h - y),
    "the image is turned by 180 degrees": lambda x, y, w, h: (w - x, h - y),
}


@pytest.mark.parametrize("name", [*HER2ST, *MOB])
@pytest.mark.parametrize(("meaning", "change"), WRONG.items(), ids=WRONG)
def test_axes_that_were_changed_are_named(sections, name, meaning, change):
    with pytest.raises(InputError) as caught:
        check(sections[name], sections[name][2], change)
    assert f"probably {meaning}" in caught.value.problem


@pytest.mark.parametrize("name", [*HER2ST, *MOB])
@pytest.mark.parametrize(
    ("scale", "meaning"),
    [
        (HIRES, "the coordinates are pixels of the hires image"),
        (LOWRES, "the coordinates are pixels of the lowres image"),
        (2.5, "the image was exported 2.5"),
        (1 / HIRES, "the image is Space Ranger's hires image"),
    ],
)
def test_coordinates_of_another_resolution_are_named(sections, name, scale, meaning):
    with pytest.raises(InputError) as caught:
        check(sections[name], sections[name][2], lambda x, y, w, h: (x * scale, y * scale), scale)
    assert f"probably {meaning}" in caught.value.problem


@pytest.mark.parametrize(("spots", "slide"), [pair for pair in OTHERS if pair not in UNDETECTED])
def test_the_slide_of_another_section_is_refused(sections, spots, slide):
    with (
        pytest.raises(InputError, match=f"section {spots}: .* of its .* spots lie"),
        about(section=spots, file="slide.jpg"),
    ):
        check(sections[slide], sections[spots][2])


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", [*HER2ST, *MOB])
def test_spots_at_an_edge_that_the_scan_missed_are_a_warning_only(sections, name, axis, caplog):
    look, mask, spots = sections[name]
    coords = spots.places.loc[spots.spots, ["x", "y"]].to_numpy()
    missed = int(np.quantile(coords[:, axis], 0.04) / look.downsample) + 1
    offset = np.round(np.eye(2)[axis] * missed * look.downsample)
    mask, image = (np.delete(part, np.s_[:missed], 1 - axis) for part in (mask, look.lowres))
    size = tuple(int(edge) for edge in np.array(look.size) - offset)
    totals = np.asarray(spots.counts.sum(axis=1)).ravel()
    placement = Placement(mask, image, look.downsample, size, coords - offset, totals, spots.array.pitch_px)
    assert 0 < placement.outside < 0.1 * len(coords)
    assert check_placement(placement, array=spots.array, min_on_tissue=0.5).share > 0.85
    assert len(caplog.messages) == 1
    assert "spots lie outside the image" in caplog.text
