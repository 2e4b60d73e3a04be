"""Colours that are no H&E because of how they were stored, and those of H&E that must pass."""

import numpy as np
import pytest
from PIL import Image

from ressat.base.errors import InputError
from ressat.checks.stain_colours import refuse_misread, warn_of_other_colours

MASK = np.zeros((300, 400), bool)
MASK[50:250, 40:330] = True
# Optical density of stains in R, G, B, shape (3, 2): mostly haematoxylin, mostly eosin.
BLUISH = np.array([[0.65, 0.55], [0.70, 0.75], [0.29, 0.38]])
PINK = np.array([[0.20, 0.15], [0.80, 0.95], [0.52, 0.50]])


@pytest.fixture(params=["usual", "bluish", "pink", "yellow_glass", "no_glass"])
def section(request, draw_tissue, grey_levels):
    mask = np.ones_like(MASK) if request.param == "no_glass" else MASK
    options = {
        "bluish": {"stains": BLUISH},
        "pink": {"stains": PINK},
        "yellow_glass": {"glass": (243, 238, 215)},
    }
    return grey_levels(draw_tissue(mask, **options.get(request.param, {}))), mask


def test_sections_of_all_colours_of_the_stain_pass(section, caplog):
    image, mask = section
    refuse_misread(image)
    warn_of_other_colours(image, mask)
    assert not caplog.records


def test_colour_differences_marked_as_rgb_are_refused(section):
    misread = np.asarray(Image.fromarray(section[0]).convert("YCbCr"))
    with pytest.raises(
        InputError, match=r"\(YCbCr\) that are marked as RGB: its lightest pixels have red \d+, green 1"
    ):
        refuse_misread(misread)


@pytest.mark.parametrize("stains", [BLUISH, PINK], ids=["bluish", "pink"])
def test_red_and_blue_in_each_others_place_are_a_warning(stains, draw_tissue, grey_levels, caplog):
    image = grey_levels(draw_tissue(MASK, stains=stains[:, :1] * [[1, 1]]))
    warn_of_other_colours(image, MASK)
    right = caplog.text
    warn_of_other_colours(image[..., ::-1], MASK)
    assert (right, "red and blue may be swapped" in caplog.text) == ("", True)


def test_a_brown_stain_is_a_warning_and_crumbs_are_none(draw_tissue, grey_levels, caplog):
    brown = np.array([[0.27, 0.27], [0.57, 0.57], [0.78, 0.78]])
    image = grey_levels(draw_tissue(MASK, stains=brown))
    warn_of_other_colours(image, np.zeros_like(MASK))
    assert not caplog.records
    warn_of_other_colours(image, MASK)
    assert "or it is another stain" in caplog.text
