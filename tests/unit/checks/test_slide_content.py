import numpy as np
import pytest

from ressat.base.errors import InputError, about
from ressat.checks.slide_content import check_colour, check_tiles, check_tiles_of_spots, check_tissue


def test_a_grey_scan_is_refused_and_a_pale_stain_is_not():
    grey = np.repeat(np.arange(250, dtype=np.uint8)[:, None, None], 3, axis=2)
    with (
        pytest.raises(InputError, match=r"section S: S\.svs: the slide is grey"),
        about(section="S", file="S.svs"),
    ):
        check_colour(grey)
    pale = grey.copy()
    pale[100] = (230, 215, 228)
    check_colour(pale)


def test_a_blank_slide_and_one_of_crumbs_are_told_apart():
    with pytest.raises(InputError, match="no tissue was found"):
        check_tissue(np.zeros((9, 9), bool))
    check_tissue(np.eye(9, dtype=bool))
    with pytest.raises(InputError, match="no tile of the grid has 50%"):
        check_tiles(0, 0.5)
    check_tiles(4, 0.5)


@pytest.mark.parametrize("share", [0, 0.5])
def test_a_blank_slide_is_a_warning_if_the_user_says_so(share, caplog):
    mask = np.zeros((9, 9), bool)
    mask[:, : round(9 * share)] = True
    check_tissue(mask, only_warn=True)
    assert ("no tissue was found on the slide: look at it" in caplog.text) == (share == 0)


@pytest.mark.parametrize(
    ("checked", "now", "said"), [(0.99, 0.0, "99% .* 0% do"), (0.6, 0.2, "60% .* 20% do")]
)
def test_tiles_on_glass_contradict_a_check_that_saw_tissue(checked, now, said):
    tissue = np.linspace(0, 1, 100) < now
    with pytest.raises(InputError, match=f"{said} in the image that its tiles are laid on"):
        check_tiles_of_spots(tissue.astype(np.float32), checked)


@pytest.mark.parametrize(("checked", "now"), [(0.99, 0.95), (0.99, 0.6), (0.3, 0.0), (None, 0.0)])
def test_tiles_that_agree_with_the_check_or_cannot_be_compared_pass(checked, now):
    check_tiles_of_spots((np.linspace(0, 1, 100) < now).astype(np.float32), checked)
