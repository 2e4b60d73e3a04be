"""A drawn section looks like H&E, is what it says it is, and opens in OpenSlide."""

import dataclasses

import numpy as np
import openslide
import pytest
import tifffile
from scipy.spatial import cKDTree

from ressat.simulate.tissue import Tissue, TissueSettings, draw_tissue, write_slide

SMALL = TissueSettings(seed=3, rows=7, cols=6, mpp=1.0)


@pytest.fixture(scope="module")
def tissue() -> Tissue:
    return draw_tissue(SMALL)


def optical_density(pixels: np.ndarray) -> np.ndarray:
    return -np.log((pixels.astype(float) + 1) / 241)


def test_the_same_seed_gives_the_same_pixels_and_another_seed_another_section(tissue):
    again, other = draw_tissue(SMALL), draw_tissue(dataclasses.replace(SMALL, seed=4))
    assert tissue.image.tobytes() == again.image.tobytes()
    np.testing.assert_array_equal(tissue.nuclei, again.nuclei)
    assert (tissue.image != other.image).mean() > 0.5
    assert (tissue.inside != other.inside).mean() > 0.01


def test_the_seed_gives_the_same_tissue_at_another_resolution(tissue):
    finer = draw_tissue(dataclasses.replace(SMALL, mpp=0.5))
    height, width = (length // 2 for length in finer.inside.shape)
    inside = tissue.inside[:height, :width]
    assert (finer.inside[: 2 * height : 2, : 2 * width : 2] != inside).mean() < 0.01
    assert len(finer.nuclei) == pytest.approx(len(tissue.nuclei), rel=0.02)
    eosin = finer.eosin[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean((1, 3))
    assert np.corrcoef(eosin[inside], tissue.eosin[:height, :width][inside])[0, 1] > 0.9


def test_tissue_lies_on_white_ground_with_white_holes_in_it(tissue):
    edge = np.ones(tissue.inside.shape, bool)
    edge[3:-3, 3:-3] = False
    assert not tissue.inside[edge].any()
    assert np.percentile(tissue.image[~tissue.inside], 1) > 225
    assert 0.6 < tissue.inside.mean() < 0.9
    white = (tissue.image > 225).all(-1) & tissue.inside
    assert 0.005 < white.mean() < 0.2


def test_nuclei_and_eosin_are_where_the_section_says(tissue):
    column, row = (tissue.nuclei / SMALL.mpp).astype(int).T
    assert tissue.inside[row, column].all()
    red = tissue.image[..., 0].astype(float)
    assert red[row, column].mean() < red[tissue.inside].mean() - 25
    assert (tissue.eosin[~tissue.inside] == 0).all()
    away = cKDTree(tissue.nuclei).query(np.argwhere(tissue.inside)[:, ::-1] + 0.5)[0] > 9
    green = optical_density(tissue.image[tissue.inside][away])[:, 1]
    assert np.corrcoef(green, tissue.eosin[tissue.inside][away])[0, 1] > 0.9


def test_nuclei_do_not_lie_on_top_of_each_other(tissue):
    nearest = cKDTree(tissue.nuclei).query(tissue.nuclei, k=2)[0][:, 1]
    assert nearest.min() > 4


def test_density_and_eosin_vary_within_every_section():
    for seed in (1, 2):
        settings = dataclasses.replace(SMALL, seed=seed)
        drawn = draw_tissue(settings)
        squares = [length // 112 for length in drawn.inside.shape]
        size = [112 * n for n in squares]
        blocks = np.histogram2d(*drawn.nuclei.T[::-1], bins=squares, range=[(0, length) for length in size])[
            0
        ]
        eosin = drawn.eosin[: size[0], : size[1]].reshape(squares[0], 112, squares[1], 112).mean((1, 3))
        whole = (
            drawn.inside[: size[0], : size[1]].reshape(squares[0], 112, squares[1], 112).mean((1, 3)) > 0.9
        )
        for values in (blocks[whole], eosin[whole]):
            low, high = np.percentile(values, [10, 90])
            assert high > 1.7 * low


def test_every_section_has_a_stain_of_its_own():
    colours = []
    for seed in (1, 2, 3):
        drawn = draw_tissue(dataclasses.replace(SMALL, seed=seed))
        density = optical_density(drawn.image[drawn.inside]).mean(0)
        colours.append(density)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(colours[first] - colours[second]).max() > 0.02


@pytest.mark.parametrize("mpp", [0.5, 0.2527])
def test_openslide_opens_the_slide_with_its_levels_and_mpp(tmp_path, tissue, mpp):
    write_slide(tmp_path / "slide.tiff", tissue.image, mpp)
    with openslide.OpenSlide(tmp_path / "slide.tiff") as slide:
        assert slide.dimensions == tissue.image.shape[1::-1]
        assert float(slide.properties[openslide.PROPERTY_NAME_MPP_X]) == pytest.approx(mpp, rel=1e-4)
        assert float(slide.properties[openslide.PROPERTY_NAME_MPP_Y]) == pytest.approx(mpp, rel=1e-4)
        assert slide.level_count >= 2
        assert slide.level_downsamples[1] == pytest.approx(2, rel=0.01)
        whole = np.asarray(slide.read_region((0, 0), 0, slide.dimensions))[..., :3].astype(float)
        half = np.asarray(slide.read_region((0, 0), 1, slide.level_dimensions[1]))[..., :3].astype(float)
    assert np.abs(whole - tissue.image).mean() < 3
    height, width = half.shape[:2]
    averaged = whole[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3).mean((1, 3))
    skipped = whole[: 2 * height : 2, : 2 * width : 2]
    assert np.abs(averaged - half).mean() < min(3, 0.6 * np.abs(skipped - half).mean())


def test_the_slide_states_its_resolution_per_centimetre_in_256_px_tiles(tmp_path, tissue):
    write_slide(tmp_path / "slide.tiff", tissue.image, 0.5)
    with tifffile.TiffFile(tmp_path / "slide.tiff") as tiff:
        first = tiff.pages[0]
        assert first.tags["ResolutionUnit"].value == tifffile.RESUNIT.CENTIMETER
        numerator, denominator = first.tags["XResolution"].value
        assert numerator / denominator == pytest.approx(20000)
        assert first.tile == (256, 256)
        assert [page.is_reduced for page in tiff.pages] == [False] + [True] * (len(tiff.pages) - 1)
