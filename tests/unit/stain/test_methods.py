"""Normalisation is Macenko's and Reinhard's, to the grey level, and says where it cannot be trusted."""

import numpy as np
import openslide
import pytest
from PIL import Image
from torchstain.base.normalizers import MacenkoNormalizer

from ressat.stain.method import MIN_PIXELS, StainFitError
from ressat.stain.methods.macenko import MacenkoStains
from ressat.stain.methods.registry import METHODS
from ressat.stain.methods.reinhard import ReinhardStatistics
from ressat.stain.tissue_pixels import tissue_pixels

NAMES = ["macenko", "reinhard"]
MACENKO, REINHARD = (METHODS.load(name) for name in NAMES)
OTHER_STAINS = [[0.55, 0.10], [0.75, 0.90], [0.37, 0.42]]
FULL = np.ones((300, 300), bool)
RGB_CUBE = np.stack(np.meshgrid(*[np.arange(0, 256, 5)] * 3), -1).reshape(-1, 3).astype(np.uint8)


@pytest.fixture
def section(draw_tissue, grey_levels):
    return grey_levels(draw_tissue(FULL))


@pytest.fixture
def reference(draw_tissue, grey_levels):
    return grey_levels(draw_tissue(FULL, stains=OTHER_STAINS, strength=1.3, seed=1))


def normalised(method, image, reference_stains):
    return method.transform(method.fit(image.reshape(-1, 3)), reference_stains).apply(image)


def assert_agrees_with_torchstain(image):
    expected, _, _ = MacenkoNormalizer(backend="numpy").normalize(I=image, stains=False)
    found = normalised(MACENKO, image, MACENKO.published)
    assert found.shape == image.shape
    assert np.abs(found.astype(int) - expected).max() <= 1


# Top left corners, in level-0 pixels, of tiles that show tissue.
REAL_TILES = {
    "wsi/cmu-1-small-region.svs": [(600, 900), (500, 1500), (400, 2000), (900, 2300)],
    "wsi/tcga-cr-7395-01a-01-ts1.svs": [(1300, 1800), (2200, 1000), (2600, 2100)],
    "her2st/images/C2.jpg": [(6500, 3500), (5000, 5000), (4000, 5600)],
}


@pytest.mark.parametrize("name", REAL_TILES)
def test_macenko_agrees_with_torchstain_on_real_tiles(shared, name):
    path = shared / "data" / name
    if path.suffix == ".svs":
        with openslide.OpenSlide(path) as slide:
            tiles = [slide.read_region(corner, 0, (512, 512)).convert("RGB") for corner in REAL_TILES[name]]
    else:
        Image.MAX_IMAGE_PIXELS = None
        with Image.open(path) as image:
            tiles = [image.crop((x, y, x + 512, y + 512)) for x, y in REAL_TILES[name]]
    for tile in tiles:
        assert_agrees_with_torchstain(np.asarray(tile))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("glass", [0, 100])
def test_macenko_agrees_with_torchstain_on_drawn_tissue(draw_tissue, grey_levels, seed, glass):
    tissue = FULL.copy()
    tissue[:, :glass] = False
    assert_agrees_with_torchstain(grey_levels(draw_tissue(tissue, seed=seed), seed=seed))


@pytest.mark.parametrize("flip", [1, -1])
def test_known_stains_are_found_haematoxylin_first(draw_tissue, grey_levels, flip):
    stains = np.array(OTHER_STAINS) / np.linalg.norm(OTHER_STAINS, axis=0)
    pixels = grey_levels(draw_tissue(FULL, (240, 240, 240), stains=stains[:, ::flip])).reshape(-1, 3)
    found = MACENKO.fit(pixels)
    cosines = (found.vectors * stains).sum(axis=0)
    assert np.linalg.norm(found.vectors, axis=0) == pytest.approx(1)
    assert np.degrees(np.arccos(cosines)).max() < 7
    assert found.angle_degrees == pytest.approx(np.degrees(np.arccos(stains[:, 0] @ stains[:, 1])), abs=10)


@pytest.mark.parametrize("signs", [(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, -1, -1)])
def test_the_stains_do_not_depend_on_the_signs_that_eigenvectors_come_with(section, monkeypatch, signs):
    pixels, eigh = section.reshape(-1, 3), np.linalg.eigh
    expected = MACENKO.fit(pixels)
    monkeypatch.setattr(np.linalg, "eigh", lambda matrix: (eigh(matrix)[0], eigh(matrix)[1] * signs))
    found = MACENKO.fit(pixels)
    assert np.allclose(found.vectors, expected.vectors)
    assert np.allclose(found.max_concentrations, expected.max_concentrations)


def assert_same_grey_levels(found, exact):
    """Grey levels are cut off: only a value next to a whole number may fall either side of it."""
    exact = np.clip(exact, 0, 255)
    differs = found != np.floor(exact)
    assert np.abs(exact - np.round(exact))[differs].max(initial=0) < 1e-6


def test_macenko_is_its_formula(section, reference):
    source, target = MACENKO.fit(section.reshape(-1, 3)), MACENKO.fit(reference.reshape(-1, 3))
    density = -np.log((RGB_CUBE.astype(float) + 1) / 240)
    amounts = np.linalg.lstsq(source.vectors, density.T, rcond=None)[0]
    amounts *= (target.max_concentrations / source.max_concentrations)[:, None]
    found = MACENKO.transform(source, target).apply(RGB_CUBE)
    assert found.dtype == np.uint8
    assert_same_grey_levels(found, 240 * np.exp(-target.vectors @ amounts).T)


def to_lab(rgb):
    """Reinhard's l-alpha-beta, written out, with the floor that the logarithm needs."""
    red, green, blue = np.moveaxis(np.asarray(rgb, float), -1, 0)
    long = np.log(0.3811 * red + 0.5783 * green + 0.0402 * blue + 1)
    middle = np.log(0.1967 * red + 0.7244 * green + 0.0782 * blue + 1)
    short = np.log(0.0241 * red + 0.1288 * green + 0.8444 * blue + 1)
    lightness = (long + middle + short) / np.sqrt(3)
    yellow_blue, red_green = (long + middle - 2 * short) / np.sqrt(6), (long - middle) / np.sqrt(2)
    return np.stack([lightness, yellow_blue, red_green], -1)


def from_lab(lab):
    lightness, yellow_blue, red_green = np.moveaxis(lab, -1, 0)
    long = lightness / np.sqrt(3) + yellow_blue / np.sqrt(6) + red_green / np.sqrt(2)
    middle = lightness / np.sqrt(3) + yellow_blue / np.sqrt(6) - red_green / np.sqrt(2)
    short = lightness / np.sqrt(3) - 2 * yellow_blue / np.sqrt(6)
    cones = np.exp(np.stack([long, middle, short], -1))
    weights = [[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]]
    return np.linalg.solve(weights, cones.reshape(-1, 3).T).T.reshape(cones.shape)


def test_reinhard_is_its_formula(section, reference):
    source, target = (REINHARD.fit(image.reshape(-1, 3)) for image in (section, reference))
    lab = (to_lab(RGB_CUBE) - source.mean) / source.sd * target.sd + target.mean
    assert_same_grey_levels(REINHARD.transform(source, target).apply(RGB_CUBE), from_lab(lab))


def test_reinhard_gives_the_references_mean_and_deviation(section, reference):
    target = REINHARD.fit(reference.reshape(-1, 3))
    tissue = tissue_pixels(section.reshape(-1, 3))
    lab = to_lab(normalised(REINHARD, tissue, target))
    assert lab.mean(axis=0) == pytest.approx(target.mean, abs=0.02)
    assert lab.std(axis=0) == pytest.approx(target.sd, rel=0.06)
    assert np.abs(to_lab(tissue).mean(axis=0) - target.mean).max() > 0.2, "and had not"


def test_macenko_gives_the_references_stains(section, reference):
    target = MACENKO.fit(reference.reshape(-1, 3))
    found = MACENKO.fit(normalised(MACENKO, section, target).reshape(-1, 3))
    assert np.abs(found.vectors - target.vectors).max() < 0.05
    assert found.max_concentrations == pytest.approx(target.max_concentrations, rel=0.05)


@pytest.mark.parametrize("method", [MACENKO, REINHARD], ids=NAMES)
def test_what_has_the_references_stains_already_is_left_as_it_is(section, method):
    found = normalised(method, section, method.fit(section.reshape(-1, 3))).astype(int)
    # Macenko keeps what lies in the plane of the two stains; across it there is only noise.
    assert np.abs(found - section).mean() < (1.5 if method is MACENKO else 1.01)


@pytest.mark.parametrize("method", [MACENKO, REINHARD], ids=NAMES)
def test_any_shape_is_transformed_pixel_by_pixel(section, method):
    to_published = method.transform(method.fit(section.reshape(-1, 3)), method.published)
    assert np.array_equal(
        to_published.apply(section).reshape(-1, 3), to_published.apply(section.reshape(-1, 3))
    )
    assert np.array_equal(to_published.apply(section[3, 5]), to_published.apply(section)[3, 5])


@pytest.mark.parametrize("method", [MACENKO, REINHARD], ids=NAMES)
def test_glass_is_left_out_of_the_fit(section, method):
    white = np.full((50_000, 3), 245, np.uint8)
    alone, beside_glass = (
        method.fit(section.reshape(-1, 3)),
        method.fit(np.vstack([section.reshape(-1, 3), white])),
    )
    if method is MACENKO:
        assert np.allclose(alone.vectors, beside_glass.vectors)
    else:
        assert np.allclose([*alone.mean, *alone.sd], [*beside_glass.mean, *beside_glass.sd])


def one_stain(vector, noise):
    amounts = np.random.default_rng(0).gamma(2, 0.4, (50_000, 1))
    return 240 * np.exp(-amounts * np.array(vector)), noise


def flat(noise):
    return np.full((50_000, 3), (150.0, 90, 160)), noise


def speckled_grey():
    """Density that varies across the colours only: along no stain, but from one to the other."""
    red, blue = np.random.default_rng(0).normal(0, 0.15, (2, 50_000))
    return 240 * np.exp(-0.7 - np.stack([red, -red - blue, blue], -1)), 0


def specks_on_faint_colour():
    """So little tissue that the 99th percentile of the stains is that of the faintly coloured glass."""
    amounts = np.random.default_rng(0).uniform(0, 1.5, (3_000, 2))
    faint = np.full((400_000, 2), 0.08)
    return 240 * np.exp(-np.vstack([amounts, faint]) @ [(0.65, 0.70, 0.29), (0.20, 0.80, 0.55)]), 0


# Grey levels and the camera's noise on them, and why the fit is refused.
REFUSED = {
    "haematoxylin alone": (MACENKO, *one_stain((0.65, 0.70, 0.29), 0), "one stain only"),
    "haematoxylin alone, noise 3": (MACENKO, *one_stain((0.65, 0.70, 0.29), 3), "one stain only"),
    "eosin alone, noise 3": (MACENKO, *one_stain((0.20, 0.80, 0.55), 3), "one stain only"),
    "constant": (MACENKO, *flat(0), "one stain only"),
    "constant, noise 3": (MACENKO, *flat(3), "one stain only"),
    "constant for Reinhard": (REINHARD, *flat(0), "one colour only"),
    "constant for Reinhard, noise 1": (REINHARD, *flat(1), "one colour only"),
    "constant for Reinhard, noise 3": (REINHARD, *flat(3), "one colour only"),
    "speckled grey": (MACENKO, *speckled_grey(), "not those of an H&E section"),
    "specks on faint colour": (MACENKO, *specks_on_faint_colour(), "degenerate stain matrix: .* amplified"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_fitted_is_refused_with_the_reason(grey_levels, name):
    method, levels, noise, reason = REFUSED[name]
    with pytest.raises(StainFitError, match=reason):
        method.fit(grey_levels(levels, noise))


@pytest.mark.parametrize("method", [MACENKO, REINHARD], ids=NAMES)
@pytest.mark.parametrize("count", [0, 1, MIN_PIXELS - 1])
def test_too_few_tissue_pixels_are_refused_with_their_number(section, method, count):
    tissue = tissue_pixels(section.reshape(-1, 3))[:count]
    pixels = np.vstack([tissue, np.full((9000, 3), 250, np.uint8)])
    with pytest.raises(StainFitError, match=rf"only {count} tissue pixels, 2000 are needed"):
        method.fit(pixels)


def test_the_published_references_are_kept():
    """Macenko's code, and HistomicsTK's for Reinhard; other figures would change every study's features."""
    macenko, reinhard = MACENKO.published, REINHARD.published
    normalizer = MacenkoNormalizer(backend="numpy")
    assert isinstance(macenko, MacenkoStains)
    assert np.array_equal(macenko.vectors, normalizer.HERef)
    assert np.array_equal(macenko.max_concentrations, normalizer.maxCRef)
    assert isinstance(reinhard, ReinhardStatistics)
    assert reinhard.mean.tolist() == [8.74108109, -0.12440419, 0.0444982]
    assert reinhard.sd.tolist() == [0.6135447, 0.10989545, 0.0286032]
