import logging

import numpy as np
import pytest

from ressat.errors import InputError
from ressat.slide_checks import check_colour, check_spots_on_tissue, check_tissue


def test_a_grey_scan_is_refused_and_a_pale_stain_is_not():
    grey = np.repeat(np.arange(250, dtype=np.uint8)[:, None, None], 3, axis=2)
    with pytest.raises(InputError, match=r"section S: S\.svs: a slide without colour"):
        check_colour("S", "S.svs", grey)
    pale = grey.copy()
    pale[100] = (230, 215, 228)
    check_colour("S", "S.svs", pale)


def test_a_blank_slide_and_one_of_crumbs_are_told_apart():
    with pytest.raises(InputError, match="no tissue was found"):
        check_tissue("S", "S.svs", np.zeros((9, 9), bool), 0.5, 0)
    with pytest.raises(InputError, match="no tile of the grid has 50%"):
        check_tissue("S", "S.svs", np.eye(9, dtype=bool), 0.5, 0)
    check_tissue("S", "S.svs", np.ones((9, 9), bool), 0.5, 4)


def test_spots_on_glass_are_refused_and_few_on_tissue_are_doubted(caplog):
    with pytest.raises(InputError, match="none of its 5 spots lies on tissue"):
        check_spots_on_tissue("S", "S.svs", np.zeros(5))
    logging.getLogger("ressat").propagate = True
    with caplog.at_level(logging.WARNING, logger="ressat"):
        check_spots_on_tissue("S", "S.svs", np.array([0.9, 0.9, 0.9, 0.1]))
        assert caplog.records == []
        check_spots_on_tissue("S", "S.svs", np.array([0.9, 0.1, 0.1]))
    assert "may belong to another image" in caplog.text
