from dataclasses import replace

import h5py
import numpy as np
import pytest

from ressat.base.errors import InputError
from ressat.trust.fit import STAIN_DEGREES, fit_novelty, turns
from ressat.trust.novelty import COLOURS, FEATURES, STAIN, Novelty, largest, stain_angle
from ressat.trust.section_tiles import SectionTiles

REQUIRES = {"weights_sha256": "ab" * 32, "tile_um": 100.0}
HE = np.array([[0.65, 0.20], [0.70, 0.80], [0.29, 0.55]])
HE /= np.linalg.norm(HE, axis=0)


def turned(stains: np.ndarray, degrees: float) -> np.ndarray:
    """Stains of which eosin is turned away from haematoxylin."""
    h, e = stains.T
    aside = h - (h @ e) * e
    aside /= np.linalg.norm(aside)
    radians = np.radians(degrees)
    return np.column_stack([h, np.cos(radians) * e - np.sin(radians) * aside])


def section(name: str, patient: str = "P1", tiles: int = 300, seed: int = 0, **changes) -> SectionTiles:
    """A section whose tiles are a Gaussian cloud, each section's shifted a little."""
    rng = np.random.default_rng([seed, *name.encode()])
    features = rng.normal(size=(tiles, 40)) + 0.15 * rng.normal(size=40)
    x, y = np.meshgrid(np.arange(30) * 100.0, np.arange(tiles // 30) * 100.0)
    coords = np.column_stack([x.ravel(), y.ravel()])
    whole = SectionTiles(name, patient, features, rng.normal(size=(tiles, 9)), coords, HE)
    return replace(whole, **changes)


def fitted(*sections: SectionTiles, gap_um: float = 100.0) -> Novelty:
    return fit_novelty(sections, ["layer3"], REQUIRES, gap_um)


def share_above(novelty: Novelty, tiles: SectionTiles) -> float:
    return float((largest(novelty.parts(tiles)) > 1).mean())


def test_of_unseen_sections_five_per_cent_of_the_tiles_are_above_1():
    novelty = fitted(*(section(f"T{index}") for index in range(4)))
    unseen = [share_above(novelty, section(f"X{index}")) for index in range(20)]
    assert np.mean(unseen) == pytest.approx(0.05, abs=0.02)
    assert np.mean(list(novelty.held_out.values())) == pytest.approx(0.05, abs=0.005)


def test_a_cloud_elsewhere_is_new_by_its_own_part():
    novelty = fitted(section("T1"), section("T2"))
    tiles = section("X1")
    for part, shifted in (
        (FEATURES, replace(tiles, features=tiles.features + 3)),
        (COLOURS, replace(tiles, colours=tiles.colours + 5)),
        (STAIN, replace(tiles, stains=turned(HE, 20))),
    ):
        parts = novelty.parts(shifted)
        assert (parts[part] > 1).all()
        assert all((values > 1).mean() < 0.15 for name, values in parts.items() if name != part)


def test_neither_the_order_of_tiles_nor_of_sections_matters():
    sections = [section(f"T{index}", f"P{index % 2}") for index in range(5)]
    tiles = section("X1")
    order = np.random.default_rng(1).permutation(len(tiles.features))
    one = largest(fitted(*sections).parts(tiles))
    mixed = [part.part(np.arange(len(part.features))[::-1]) for part in sections[::-1]]
    other = largest(fitted(*mixed).parts(tiles.part(order)))
    np.testing.assert_allclose(one[order], other, rtol=1e-6)


def test_one_section_is_scaled_on_its_halves_with_a_gap():
    tiles = section("T1")
    novelty = fitted(tiles)
    assert list(novelty.held_out) == ["one half of T1", "the other half of T1"]
    left, right = (half for _, held in turns([tiles], 100.0) for half in held.values())
    assert right.coords_um[:, 0].min() - left.coords_um[:, 0].max() >= 100
    assert share_above(novelty, section("X1")) < 0.2


def test_a_lone_section_with_few_tiles_is_refused():
    with pytest.raises(InputError, match="section T1: its 60 tiles leave fewer than 8 on one side of a gap"):
        fitted(section("T1", tiles=60), gap_um=5000.0)


def test_sections_of_a_patient_are_held_out_apart_from_one_another():
    sections = [section(f"{patient}{index}", patient, 30) for patient in "AB" for index in (1, 2)]
    for learning, held_out in turns(sections, 100.0):
        assert len(held_out) == 1
        assert {tiles.patient for tiles in learning} == {"A", "B"}
    many = [section(f"T{index}", f"P{index}", 30) for index in range(11)]
    held = [list(held_out) for _, held_out in turns(many, 100.0)]
    assert len(held) == 4
    assert sorted(name for names in held for name in names) == sorted(tiles.section for tiles in many)


def test_stains_count_from_15_degrees_on_or_from_the_largest_angle_in_training():
    close = fitted(section("T1"), section("T2", stains=turned(HE, 5)))
    assert close.units[STAIN] == STAIN_DEGREES
    apart = fitted(section("T1"), section("T2", stains=turned(HE, 24)))
    assert apart.units[STAIN] == pytest.approx(24)
    assert stain_angle(turned(HE, 9), np.array([HE, turned(HE, 5)])) == pytest.approx(4)


def test_what_a_section_lacks_is_no_part_of_its_novelty():
    novelty = fitted(section("T1"), section("T2"))
    parts = novelty.parts(section("X1", colours=None, stains=None))
    assert np.isnan(parts[COLOURS]).all()
    assert np.isnan(parts[STAIN]).all()
    np.testing.assert_array_equal(largest(parts), parts[FEATURES])
    bare = fitted(section("T1", colours=None, stains=None), section("T2", stains=None))
    assert set(bare.units) == {FEATURES}
    assert np.isfinite(largest(bare.parts(section("X1")))).all()


def test_the_file_holds_no_tile_and_no_place(tmp_path):
    sections = [section("T1"), section("T2")]
    novelty = fitted(*sections)
    novelty.write(tmp_path / "novelty.h5")
    assert (tmp_path / "novelty.h5").stat().st_size < 100_000
    rows = {len(tiles.features) for tiles in sections} | {600}
    with h5py.File(tmp_path / "novelty.h5") as file:
        shapes = []
        file.visititems(lambda _, item: shapes.append(getattr(item, "shape", ())))
    assert not rows & {edge for shape in shapes for edge in shape}
    again = Novelty.read(tmp_path / "novelty.h5")
    tiles = section("X1")
    for part, values in novelty.parts(tiles).items():
        np.testing.assert_allclose(again.parts(tiles)[part], values, rtol=1e-12)
    assert again.held_out == novelty.held_out
    assert again.requires == REQUIRES


def test_a_damaged_file_is_refused(tmp_path):
    fitted(section("T1"), section("T2")).write(tmp_path / "novelty.h5")
    with h5py.File(tmp_path / "novelty.h5", "r+") as file:
        file["features/variances"][3] = -1
    with pytest.raises(InputError, match="features: a variance is not above 0"):
        Novelty.read(tmp_path / "novelty.h5")


def test_features_of_other_weights_are_refused():
    novelty = fitted(section("T1"), section("T2"))
    novelty.check(REQUIRES)
    with pytest.raises(InputError, match=r"the encoder's weights \(sha256\) is cd"):
        novelty.check(REQUIRES | {"weights_sha256": "cd" * 32})


def test_features_that_are_not_finite_are_refused():
    tiles = section("X1")
    tiles.features[3, 2] = np.inf
    with pytest.raises(InputError, match="section X1: its features: 1 of 12000 numbers are not finite"):
        fitted(section("T1"), section("T2")).parts(tiles)
