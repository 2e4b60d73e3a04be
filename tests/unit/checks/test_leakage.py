import re
from dataclasses import replace

import anndata
import numpy as np
import pandas as pd
import pytest

from ressat.base.errors import InputError
from ressat.base.files import FORMAT_VERSION, UNS
from ressat.checks.leakage import Content, check_fold
from ressat.slides.scale import Scale
from ressat.tiles.table import Tiles
from ressat.tiles.tiling import TileGeometry

GRID = np.stack(np.meshgrid(np.arange(5), np.arange(5)), -1).reshape(-1, 2) * 200


def content(section: str, side: str = "train", **changes: object) -> Content:
    same = Content(
        section, section[0], side, f"slide {section}", f"image {section}", spots(section), 900.0, GRID, 224
    )
    return replace(same, **changes)


def spots(section: str) -> np.ndarray:
    """Fingerprints of 40 spots, others for each section."""
    return np.arange(40) + 1000 * int.from_bytes(section.encode(), "big")


LEARNT = [content("A1"), content("A2"), content("B1")]


def test_different_sections_of_different_patients_pass():
    table = check_fold("without_C", [*LEARNT, content("C1", "test")], within_patient=False)
    assert table.to_dict("list") == {
        "section": ["A1", "A2", "B1", "C1"],
        "patient": ["A", "A", "B", "C"],
        "side": ["train", "train", "train", "test"],
        "slide_sha256": ["slide A1", "slide A2", "slide B1", "slide C1"],
        "counts_sha256": table["counts_sha256"].tolist(),
        "median_counts": [900.0] * 4,
    }
    assert table["counts_sha256"].nunique() == 4


def test_a_patient_on_both_sides_is_refused_but_where_the_study_allows_it():
    sections = [*LEARNT, content("A3", "test")]
    message = "sections A1 and A3 share the patient A and are on both sides of fold holdout"
    with pytest.raises(InputError, match=message):
        check_fold("holdout", sections, within_patient=False)
    assert len(check_fold("holdout", sections, within_patient=True)) == 4


@pytest.mark.parametrize(("one", "other"), [("Zoë", "Zoe\u0308"), ("K 1", "k1\u200b")])
def test_a_patient_in_another_form_is_the_same_patient(one, other):
    sections = [content("A1", patient=one), content("B1", "test", patient=other)]
    with pytest.raises(InputError, match="sections A1 and B1 share the patient"):
        check_fold("holdout", sections, within_patient=False)


@pytest.mark.parametrize("within_patient", [False, True])
@pytest.mark.parametrize("part", ["slide", "image"])
def test_a_slide_under_another_name_is_refused(part, within_patient):
    copy = content("C1", "test", **{part: getattr(LEARNT[0], part)})
    with pytest.raises(InputError, match="A1 and C1 share their slide, with overlapping tiles") as caught:
        check_fold("holdout", [*LEARNT, copy], within_patient=within_patient)
    assert caught.value.action == "correct or remove one of A1 and C1 in the sample sheet"


def test_counts_under_another_name_are_refused():
    with pytest.raises(InputError, match="B1 and C1 share the counts of 40 spots and are on both sides"):
        check_fold("holdout", [*LEARNT, content("C1", "test", counts=spots("B1"))], within_patient=False)


def test_two_arrays_on_one_slide_are_not_the_same():
    apart = content("C1", "test", slide="slide A1", tiles=np.add(GRID, (5000, 0)))
    assert len(check_fold("holdout", [*LEARNT, apart], within_patient=False)) == 4
    near = replace(apart, tiles=np.add(GRID, (1000, 0)))
    with pytest.raises(InputError, match="share their slide"):
        check_fold("holdout", [*LEARNT, near], within_patient=False)


def test_copies_among_training_sections_are_refused():
    with pytest.raises(
        InputError, match=re.escape("A1 and D1 share the counts of 40 spots and are both on the train side")
    ):
        check_fold("all", [*LEARNT, content("D1", counts=spots("A1"))], within_patient=False)


def test_counts_read_in_another_way_are_still_the_same():
    """Another mask leaves out some spots, another export changes their order."""
    partly = np.r_[spots("B1")[:3:-1], spots("C1")[:9]]
    with pytest.raises(InputError, match="B1 and C1 share the counts of 36 spots"):
        check_fold("holdout", [*LEARNT, content("C1", "test", counts=partly)], within_patient=False)
    few = np.r_[spots("B1")[:4], spots("C1")[:36]]
    assert len(check_fold("holdout", [*LEARNT, content("C1", "test", counts=few)], within_patient=False)) == 4


def test_content_is_read_from_the_files_of_a_section(tmp_path):
    lowres = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    tiles = Tiles(
        "A1", GRID, np.array([str(i) for i in range(len(GRID))]), np.ones(len(GRID)), lowres, 8.0,
        Scale(0.5, "sheet"), TileGeometry(112.0, 224, 0, 224, 1.0), 110.0, 0, "f" * 64,
    )  # fmt: skip
    tiles.write(tmp_path / "A1.h5")
    obs = pd.DataFrame(
        {"fingerprint": spots("A1"), "n_counts": np.arange(40.0)}, index=[str(i) for i in range(40)]
    )
    uns = {UNS: {"version": FORMAT_VERSION}}
    anndata.AnnData(np.ones((40, 2)), obs=obs, uns=uns).write_h5ad(tmp_path / "A1.h5ad")
    read = Content.read(tmp_path / "A1.h5", tmp_path / "A1.h5ad", patient="A", side="train")
    assert (read.section, read.slide, read.tile_px) == ("A1", "f" * 64, 224)
    np.testing.assert_array_equal(read.counts, spots("A1"))
    assert read.median_counts == 19.5
    replace(tiles, fingerprint="other", scale=Scale(0.4, "sheet")).write(tmp_path / "copy.h5")
    assert (
        Content.read(tmp_path / "copy.h5", tmp_path / "A1.h5ad", patient="A", side="train").image
        == read.image
    )
