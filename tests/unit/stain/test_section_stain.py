"""A section is normalised, or left as it is with the reason; it never ends the cohort."""

import json

import numpy as np
import pytest

from ressat.base.errors import InputError, about
from ressat.base.files import FORMAT_VERSION
from ressat.stain.methods.registry import METHODS
from ressat.stain.section_stain import SectionStain, fit_reference, fit_section
from ressat.stain.tissue_pixels import tissue_pixels

NAMES = ["macenko", "reinhard"]
FULL = np.ones((200, 200), bool)
FLAT = np.full((5_000, 3), (150, 90, 160), np.uint8)


@pytest.fixture
def pixels(draw_tissue, grey_levels):
    return grey_levels(draw_tissue(FULL)).reshape(-1, 3)


@pytest.fixture
def other_pixels(draw_tissue, grey_levels):
    stains = [[0.55, 0.10], [0.75, 0.90], [0.37, 0.42]]
    return grey_levels(draw_tissue(FULL, stains=stains, seed=1)).reshape(-1, 3)


@pytest.mark.parametrize("method", NAMES)
def test_a_section_is_normalised_to_the_published_reference(pixels, method):
    fitted = fit_section("C2", method, pixels, None)
    assert (fitted.section, fitted.method, fitted.reference_name, fitted.fallback) == (
        "C2",
        method,
        "published",
        None,
    )
    assert fitted.pixels == len(tissue_pixels(pixels)) > 30_000
    fitting = METHODS.load(method)
    expected = fitting.transform(fitting.fit(pixels), fitting.published)
    assert np.array_equal(fitted.transform.apply(pixels), expected.apply(pixels))


@pytest.mark.parametrize("method", NAMES)
def test_a_section_is_normalised_to_another(pixels, other_pixels, method):
    reference = fit_reference("B1", method, other_pixels)
    fitted = fit_section("C2", method, pixels, reference)
    assert (reference.reference_name, fitted.reference_name) == ("B1", "B1")
    fitting = METHODS.load(method)
    expected = fitting.transform(fitting.fit(pixels), fitting.fit(other_pixels))
    assert np.array_equal(fitted.transform.apply(pixels), expected.apply(pixels))


def test_the_reference_section_itself_keeps_its_colours(pixels):
    reference = fit_reference("B1", "reinhard", pixels)
    assert np.abs(reference.transform.apply(pixels).astype(int) - pixels).max() <= 1


def test_without_a_method_nothing_is_fitted(pixels):
    fitted = fit_section("C2", "none", pixels, None)
    assert (fitted.method, fitted.transform, fitted.fallback) == ("none", None, None)


REASONS = {
    "macenko": {"too few": (FLAT[:100], "only 100 tissue pixels"), "one stain": (FLAT, "one stain only")},
    "reinhard": {"too few": (FLAT[:100], "only 100 tissue pixels"), "one colour": (FLAT, "one colour only")},
}


@pytest.mark.parametrize(("method", "why"), [(method, why) for method in NAMES for why in REASONS[method]])
def test_a_section_that_cannot_be_fitted_is_left_as_it_is_with_the_reason(method, why):
    rgb, reason = REASONS[method][why]
    fitted = fit_section("C2", method, rgb, None)
    assert fitted.transform is None
    assert reason in fitted.fallback
    assert fitted.pixels == len(rgb)
    assert fitted.method == method


RNG = np.random.default_rng(0)
ANY_PIXELS = {
    "none at all": np.empty((0, 3), np.uint8),
    "one": np.array([[120, 60, 140]], np.uint8),
    "random": RNG.integers(0, 256, (20_000, 3), dtype=np.uint8),
    "random, dark": RNG.integers(0, 60, (20_000, 3), dtype=np.uint8),
    "random black or white": RNG.choice(np.array([0, 255], np.uint8), (20_000, 3)),
    "all black": np.zeros((20_000, 3), np.uint8),
    "all white": np.full((20_000, 3), 255, np.uint8),
    "grey ramp": np.repeat(np.arange(256, dtype=np.uint8), 100)[:, None].repeat(3, axis=1),
    "red ramp": np.repeat(np.arange(256, dtype=np.uint8), 100)[:, None] * np.array([1, 0, 0], np.uint8),
    "two colours": np.repeat(np.array([[120, 60, 140], [200, 90, 160]], np.uint8), 10_000, axis=0),
    "one odd pixel": np.vstack([np.zeros((20_000, 3), np.uint8), [[90, 10, 30]]]).astype(np.uint8),
}


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("name", ANY_PIXELS)
@pytest.mark.filterwarnings("error")
def test_no_pixels_whatever_end_the_cohort(tmp_path, name, method):
    fitted = fit_section("C2", method, ANY_PIXELS[name], None)
    assert (fitted.fallback is None) == (fitted.transform is not None)
    if fitted.transform is not None:
        assert np.isfinite(fitted.transform.matrix).all()
        fitted.transform.apply(ANY_PIXELS[name])
    fitted.write(tmp_path / "C2.json")
    assert SectionStain.read(tmp_path / "C2.json").fallback == fitted.fallback


@pytest.mark.parametrize("method", NAMES)
def test_a_broken_reference_ends_the_run_with_its_name(method):
    with (
        pytest.raises(InputError, match=r"^section B1: slides/B1\.svs: its stains cannot be fitted \(one "),
        about(section="B1", file="slides/B1.svs"),
    ):
        fit_reference("B1", method, FLAT)
    with (
        pytest.raises(InputError, match=r"^ref\.png: its stains cannot be fitted \(only 10 tissue pixels"),
        about(file="ref.png"),
    ):
        fit_reference("ref.png", method, FLAT[:10])


@pytest.mark.parametrize(("method", "other"), [NAMES, NAMES[::-1]])
def test_a_section_is_not_normalised_to_a_reference_of_another_method(pixels, other_pixels, method, other):
    with pytest.raises(TypeError, match="different methods"):
        fit_section("C2", method, pixels, fit_reference("B1", other, other_pixels))


@pytest.mark.parametrize("method", NAMES)
def test_what_is_read_gives_the_very_same_transform(tmp_path, pixels, other_pixels, method):
    reference = fit_reference("B1", method, other_pixels)
    written = fit_section("C2", method, pixels, reference)
    written.write(tmp_path / "new" / "C2.json")
    read = SectionStain.read(tmp_path / "new" / "C2.json")
    for name, value in vars(written.transform).items():
        assert np.array_equal(getattr(read.transform, name), value), name
    for name in ("section", "method", "reference_name", "pixels", "fallback", "target"):
        assert getattr(read, name) == getattr(written, name)
    content = json.loads((tmp_path / "new" / "C2.json").read_text())
    if method == "macenko":
        assert content["matrix"] == written.transform.matrix.tolist()
        assert np.shape(content["source"]["vectors"]) == (3, 2)


@pytest.mark.parametrize(("method", "rgb"), [("macenko", FLAT), ("none", FLAT)])
def test_a_section_left_as_it_is_is_read_back_as_such(tmp_path, method, rgb):
    written = fit_section("C2", method, rgb, None)
    written.write(tmp_path / "C2.json")
    read = SectionStain.read(tmp_path / "C2.json")
    assert read.transform is None
    assert (read.fallback, read.target, read.method) == (written.fallback, written.target, method)


def test_a_file_of_another_version_is_refused(tmp_path, pixels):
    path = tmp_path / "C2.json"
    fit_section("C2", "macenko", pixels, None).write(path)
    path.write_text(path.read_text().replace(f'"version": {FORMAT_VERSION}', '"version": 99'))
    expected = rf"C2\.json: file format version 99; expected version {FORMAT_VERSION}"
    with pytest.raises(InputError, match=expected):
        SectionStain.read(path)


def test_the_target_is_equal_exactly_where_features_are_comparable(tmp_path, pixels, other_pixels):
    to_published = [
        fit_section(name, "macenko", rgb, None) for name, rgb in (("A", pixels), ("B", other_pixels))
    ]
    fallen_back = fit_section("C", "macenko", FLAT, None)
    reference = fit_reference("B1", "macenko", other_pixels)
    reference.write(tmp_path / "B1.json")
    reread = SectionStain.read(tmp_path / "B1.json")
    to_b1 = [fit_section("A", "macenko", pixels, which) for which in (reference, reread)]
    assert to_published[0].target == to_published[1].target == fallen_back.target
    assert to_b1[0].target == to_b1[1].target == reference.target
    reinhard, none = fit_section("A", "reinhard", pixels, None), fit_section("A", "none", pixels, None)
    assert len({fitted.target for fitted in (to_published[0], to_b1[0], reinhard, none)}) == 4


@pytest.mark.parametrize("method", NAMES)
def test_a_target_is_a_reference_that_sections_can_be_normalised_to(pixels, other_pixels, method):
    reference = fit_reference("B1", method, other_pixels)
    known = fit_section("C2", method, pixels, reference)
    carried = fit_section(
        "C2", method, pixels, SectionStain.from_target(known.target, "that of a saved model")
    )
    assert carried.target == known.target
    assert np.array_equal(carried.transform.apply(pixels), known.transform.apply(pixels))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"method": "vahadane"}, "method is 'vahadane'; expected one of macenko, reinhard, none"),
        (
            {"source": {"vectors": [[1, 2], [3, 4], [5, 6]]}},
            "the stains of macenko.max_concentrations is missing",
        ),
        ({"source": {"vectors": [[1, 0]], "max_concentrations": [1, 1]}}, r"vectors has shape \(1, 2\)"),
        (
            {"source": {"vectors": "HE", "max_concentrations": [1, 1]}},
            "its stains are not those of an H&E image",
        ),
        (
            {"reference": {"vectors": [[0.6, 0.6], [0.8, 0.8], [0, 0]], "max_concentrations": [1, 1]}},
            "one stain",
        ),
        ({"reference": {"vectors": [[0, 0], [0, 0], [0, 0]], "max_concentrations": [1, 1]}}, "unit length"),
        ({"pixels": "many"}, "pixels is 'many'"),
        ({"section": 7}, "section is 7"),
    ],
)
def test_stains_that_cannot_be_are_refused(tmp_path, pixels, entry, said):
    path = tmp_path / "C2.json"
    fit_section("C2", "macenko", pixels, None).write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | entry))
    with pytest.raises(InputError, match=rf"C2\.json: .*{said}") as caught:
        SectionStain.read(path)
    assert caught.value.action


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-1.5", "0.0", "1e30"])
def test_a_stain_that_would_break_colours_is_refused(tmp_path, pixels, method, number):
    path = tmp_path / "C2.json"
    fit_section("C2", method, pixels, None).write(path)
    content = json.loads(path.read_text())
    name = {"macenko": "max_concentrations", "reinhard": "sd"}[method]
    content["source"][name][0] = "HERE"
    path.write_text(json.dumps(content).replace('"HERE"', number))
    with pytest.raises(InputError, match=r"C2\.json: .*(not those of an H&E image|is not finite)"):
        SectionStain.read(path)
