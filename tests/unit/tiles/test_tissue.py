"""The mask holds tissue, and neither glass nor pen nor borders nor holes."""

import numpy as np
import openslide
import pandas as pd
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from ressat.tiles.tissue import box_fraction, tissue_mask

HEIGHT, WIDTH, MPP = 400, 600, 8.0
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH]
NOWHERE = np.zeros((HEIGHT, WIDTH), bool)
TISSUE = ((X - 320) / 180) ** 2 + ((Y - 200) / 120) ** 2 < 1
WHITE = (245, 245, 245)
CASTS = {
    "white": WHITE,
    "pink": (245, 225, 238),
    "darker pink": (228, 213, 227),
    "yellowish": (248, 242, 222),
    "bluish": (232, 238, 250),
    "greenish": (228, 240, 228),
    "very pink": (250, 210, 235),
}
INKS = {
    "blue": (40, 60, 170),
    "pale blue": (120, 170, 200),
    "deep blue": (20, 20, 200),
    "green": (45, 115, 100),
    "dark green": (30, 75, 60),
    "red": (210, 40, 40),
    "dark red": (150, 20, 30),
    "red with a little blue": (220, 30, 60),
    "black": (15, 15, 18),
    "worn black": (50, 40, 40),
}


def stroke(points, width=8):
    """How much of each pixel a pen covers, with a soft rim."""
    canvas = Image.new("L", (WIDTH * 4, HEIGHT * 4))
    ImageDraw.Draw(canvas).line([(x * 4, y * 4) for x, y in points], fill=255, width=width * 4, joint="curve")
    return ndimage.gaussian_filter(np.asarray(canvas.reduce(4)) / 255, 0.7)


ON_GLASS = stroke([(30, 30), (60, 200), (40, 370), (150, 380), (300, 385), (560, 370)])
ON_TISSUE = stroke([(200, 130), (420, 280)], width=6)


def inked(image, cover, ink):
    """Light that passes tissue and ink, one after the other."""
    return image * (1 - cover[..., None] + cover[..., None] * np.array(ink) / 255)


def away_from(covered):
    return ~ndimage.binary_dilation(covered, iterations=10)


@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_tissue_is_found_on_glass_of_any_cast(draw_tissue, grey_levels, cast, strength):
    mask = tissue_mask(grey_levels(draw_tissue(TISSUE, CASTS[cast], strength)), MPP)
    assert mask.dtype == bool
    assert mask[TISSUE].mean() > 0.99
    assert mask[~TISSUE].mean() < 0.01


@pytest.mark.parametrize("cast", ["white", "pink"])
@pytest.mark.parametrize("ink", INKS)
def test_pen_on_glass_is_not_tissue(draw_tissue, grey_levels, ink, cast):
    mask = tissue_mask(grey_levels(inked(draw_tissue(TISSUE, CASTS[cast]), ON_GLASS, INKS[ink])), MPP)
    assert mask[(ON_GLASS > 0.01) & ~TISSUE].mean() < 0.005, "with its rim"
    assert mask[~TISSUE].mean() < 0.01
    assert mask[TISSUE & away_from(ON_GLASS > 0.01)].mean() > 0.99


# Over tissue, pale ink and red ink with blue in it are too near to the colours of H&E.
@pytest.mark.parametrize("ink", sorted(set(INKS) - {"pale blue", "red with a little blue"}))
def test_tissue_under_pen_is_left_out(draw_tissue, grey_levels, ink):
    image = inked(draw_tissue(TISSUE, strength=0.7), ON_TISSUE, INKS[ink])
    mask = tissue_mask(grey_levels(image), MPP)
    assert mask[(ON_TISSUE > 0.5) & TISSUE].mean() < 0.05
    assert mask[TISSUE & away_from(ON_TISSUE > 0.01)].mean() > 0.99


def test_a_clump_of_dark_nuclei_is_tissue(draw_tissue, grey_levels):
    image = draw_tissue(TISSUE)
    clump = (X - 300) ** 2 + (Y - 200) ** 2 < 3**2  # 40 um across
    image[clump] = 20
    mask = tissue_mask(grey_levels(image), MPP)
    assert mask[clump].all()


@pytest.mark.parametrize("cast", CASTS)
def test_black_borders_are_not_tissue(draw_tissue, grey_levels, cast):
    image = draw_tissue(TISSUE, CASTS[cast])
    border = (Y < 45) | (X < 30) | (X > 590)
    image[border] = 4
    mask = tissue_mask(grey_levels(ndimage.gaussian_filter(image, (0.7, 0.7, 0))), MPP)
    assert not mask[ndimage.binary_dilation(border, iterations=3)].any()
    assert mask[TISSUE].mean() > 0.99
    assert mask[~TISSUE].mean() < 0.01


@pytest.mark.parametrize("cast", CASTS)
def test_white_holes_are_not_tissue_but_small_gaps_are(draw_tissue, grey_levels, cast):
    image = draw_tissue(TISSUE, CASTS[cast])
    hole = (X - 320) ** 2 + (Y - 200) ** 2 < 40**2
    vessel = (X - 420) ** 2 + (Y - 200) ** 2 < 3.3**2  # 50 um across
    crack = (np.abs(Y - 150) < 2) & (np.abs(X - 400) < 40)  # 24 um wide
    unscanned = (X > 480) & (Y > 330)
    image[hole] = image[unscanned] = 255
    image[vessel | crack] = CASTS[cast]
    mask = tissue_mask(grey_levels(image), MPP)
    assert mask[hole].mean() < 0.05
    assert not mask[unscanned].any()
    assert mask[vessel].all()
    assert mask[crack].all()
    assert mask[TISSUE & ~hole].mean() > 0.99


@pytest.mark.parametrize("strength", [0.6, 1.0, 1.6])
def test_a_slide_full_of_tissue_is_all_tissue(draw_tissue, grey_levels, strength):
    assert tissue_mask(grey_levels(draw_tissue(~NOWHERE, strength=strength)), MPP).mean() > 0.99


@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("falloff", [0, 0.05, 0.1])
def test_an_empty_slide_has_no_tissue_even_if_it_is_lit_unevenly(grey_levels, cast, falloff):
    light = 1 - falloff * ((X / WIDTH - 0.5) ** 2 + (Y / HEIGHT - 0.5) ** 2) * 2
    image = light[..., None] * np.array(CASTS[cast])
    assert not tissue_mask(grey_levels(image, noise=3), MPP).any()


@pytest.mark.parametrize("grey_level", [0, 128, 240, 255])
def test_an_image_of_one_colour_has_no_tissue(grey_level):
    assert not tissue_mask(np.full((50, 60, 3), grey_level, np.uint8), MPP).any()


def test_dust_is_not_tissue_but_a_small_biopsy_is(draw_tissue, grey_levels):
    dust, biopsy = (X - 100) ** 2 + (Y - 100) ** 2 < 5**2, (X - 300) ** 2 + (Y - 200) ** 2 < 20**2
    mask = tissue_mask(grey_levels(draw_tissue(dust | biopsy)), MPP)
    assert not mask[dust].any()
    assert mask[biopsy].mean() > 0.95


def picture(path):
    """A low-resolution picture, and how many of its own pixels one of them stands for."""
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(path) as image:
        width = image.width
        image.draft("RGB", (1600, 1600))
        image.thumbnail((1600, 1600))
        return np.asarray(image.convert("RGB")), width / image.width


# um/px, and the share of the picture that the mask takes.
SECTIONS = {
    "C2": (0.735, 0.16, 0.25),
    "C3": (0.735, 0.16, 0.25),
    "C4": (0.735, 0.16, 0.25),
    "MOB1": (4.73, 0.10, 0.20),
    "MOB4": (4.73, 0.08, 0.18),
}


@pytest.mark.parametrize("section", SECTIONS)
def test_spots_that_were_annotated_as_tissue_are_tissue(shared, section):
    mpp, least, most = SECTIONS[section]
    slide, spots = {
        True: (f"her2st/images/{section}.jpg", f"her2st/spots/{section}_selection.tsv"),
        False: (f"mob/{section}.jpg", f"mob/alignment_table_{section}.tsv"),
    }[section.startswith("C")]
    image, downsample = picture(shared / "data" / slide)
    mask = tissue_mask(image, mpp * downsample)
    assert least < mask.mean() < most

    table = pd.read_csv(shared / "data" / spots, sep="\t")
    places = table[["pixel_x", "pixel_y"]].to_numpy().T / downsample
    found = box_fraction(mask, *places, 112 / mpp / downsample) >= 0.5
    under_tissue = table.selected.to_numpy() == 1
    assert found[under_tissue].mean() > 0.9
    if section.startswith("MOB"):  # whose table has all spots of the array
        assert found[~under_tissue].mean() < 0.01


# um/px of the level read, and the share of tissue as judged by eye.
SLIDES = {"cmu-1-small-region": (0.499, 0.30, 0.45), "tcga-cr-7395-01a-01-ts1": (4.0, 0.55, 0.70)}


@pytest.mark.parametrize("name", SLIDES)
def test_tissue_of_real_slides_takes_its_share(shared, name):
    mpp, least, most = SLIDES[name]
    with openslide.OpenSlide(shared / "data" / "wsi" / f"{name}.svs") as slide:
        level = slide.level_count - 1
        image = slide.read_region((0, 0), level, slide.level_dimensions[level]).convert("RGB").reduce(2)
    assert least < tissue_mask(np.asarray(image), mpp * 2).mean() < most


def test_a_box_is_covered_by_its_share_of_tissue():
    mask = np.zeros((40, 60), bool)
    mask[10:30, 20:50] = True
    x, y = np.array([35, 20, 20, 5, 0, 59.5]), np.array([20, 20, 10, 5, 0, 39.5])
    shares = box_fraction(mask, x, y, 10)
    assert shares.dtype == np.float32
    assert shares.tolist() == [1, 0.5, 0.25, 0, 0, 0]


def test_what_lies_outside_the_image_is_not_covered():
    shares = box_fraction(np.ones((40, 60), bool), np.array([0, 60, 30, -50]), np.array([0, 20, 40, 20]), 10)
    assert shares.tolist() == [0.25, 0.5, 0.5, 0]


@pytest.mark.parametrize("edge", [0.3, 1.4, 3.4, 3.5, 7.7, 20.2])
def test_a_box_in_the_midst_of_tissue_is_wholly_covered_wherever_it_starts(edge):
    places = np.random.default_rng(0).uniform(15, 85, (2, 500))
    assert (box_fraction(np.ones((100, 100), bool), *places, edge) == 1).all()


def test_shares_are_those_of_the_pixels_counted_one_by_one():
    rng = np.random.default_rng(0)
    mask = ndimage.gaussian_filter(rng.normal(size=(80, 90)), 4) > 0
    places = rng.integers(6, 74, (2, 50))
    counted = [mask[y - 6 : y + 6, x - 6 : x + 6].mean() for x, y in places.T]
    assert box_fraction(mask, *places, 12) == pytest.approx(np.array(counted))
