"""Tiles with planted trouble are newer than those of a section that was not learnt from: AUROC above 0.9."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from planted_trouble import LOCAL, STAINS, auroc, folded

from ressat.encoders.choice import choose_encoder
from ressat.encoders.network import build_network
from ressat.features.cache import COLOUR
from ressat.features.extraction import encode
from ressat.simulate.expression import array_positions
from ressat.simulate.tissue import TissueSettings, draw_tissue
from ressat.stain.section_stain import SectionStain, fit_section
from ressat.trust.fit import fit_novelty
from ressat.trust.novelty import Novelty, largest
from ressat.trust.section_tiles import SectionTiles, stains_of

REQUIRES = {"weights_sha256": "ab" * 32, "tile_um": 112.0}
PLANTED = 14  # tiles for each kind of trouble
ENOUGH = 0.9
# Of the her2st sections: tiles from all over each.
TILES, HER2ST_PX, MOB_PX = 60, 224, 35


@dataclass(frozen=True)
class Reader:
    """What extract_features does, for tiles in memory."""

    network: torch.nn.Module

    def stain(self, tiles: np.ndarray) -> SectionStain:
        pixels = tiles.reshape(-1, 3)
        drawn = np.random.default_rng(0).permutation(len(pixels))[:200_000]
        return fit_section("S", "macenko", pixels[drawn], None)

    def section(self, tiles: np.ndarray, name: str = "S", stain: SectionStain | None = None) -> SectionTiles:
        stain = stain or self.stain(tiles)
        batches = [torch.from_numpy(tiles[first : first + 16]) for first in range(0, len(tiles), 16)]
        parts = list(encode(batches, self.network, stain.transform, "cpu"))
        layer3, colours = (np.concatenate([part[key] for part in parts]) for key in ("layer3", COLOUR))
        coords = np.zeros((len(tiles), 2))
        return SectionTiles(name, "P", layer3.astype(np.float32), colours, coords, stains_of(stain))


@dataclass(frozen=True)
class Study:
    """Novelty that was fitted on two sections, and a third."""

    reader: Reader
    novelty: Novelty
    tiles: np.ndarray
    stain: SectionStain
    unseen: np.ndarray

    @classmethod
    def of(cls, reader: Reader, training: list[np.ndarray], tiles: np.ndarray) -> "Study":
        sections = [reader.section(one, f"T{place}") for place, one in enumerate(training)]
        novelty = fit_novelty(sections, ["layer3"], REQUIRES, gap_um=112.0)
        stain = reader.stain(tiles)
        unseen = largest(novelty.parts(reader.section(tiles, stain=stain)))
        return cls(reader, novelty, tiles[:: len(tiles) // PLANTED], stain, unseen)

    def auroc(self, planted: np.ndarray, stain: SectionStain | None) -> float:
        """Planted tiles against those of the unseen section; their stains are fitted anew without a stain."""
        values = largest(self.novelty.parts(self.reader.section(planted, stain=stain)))
        return auroc(self.unseen, values)


def reader(weights: str | None) -> Reader:
    encoder = choose_encoder("resnet50", None, None, None)
    return Reader(build_network(encoder, weights, 1, torch.float32)[0])


def cut(image: np.ndarray, centres: np.ndarray, px: int) -> np.ndarray:
    corners = np.round(centres).astype(int) - px // 2
    return np.stack([image[y : y + px, x : x + px] for x, y in corners])


@pytest.fixture(scope="module")
def simulated() -> Study:
    def tiles(seed: int) -> np.ndarray:
        settings = TissueSettings(seed=seed, rows=9, cols=9, mpp=1.0)
        tissue = draw_tissue(settings)
        spots = array_positions(settings, tissue).query("in_tissue == 1")
        return cut(tissue.image, spots[["pxl_col_in_fullres", "pxl_row_in_fullres"]].to_numpy(), 112)

    return Study.of(reader(None), [tiles(31), tiles(32), tiles(33)], tiles(34))


def real_tiles(image: str, spots: str, px: int, number: int) -> np.ndarray:
    with Image.open(image) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    table = pd.read_csv(spots, sep="\t").query("selected == 1")
    centres = table[["pixel_x", "pixel_y"]].to_numpy()
    inside = ((centres > px) & (centres < np.array(pixels.shape[1::-1]) - px)).all(axis=1)
    centres = centres[inside]
    tiles = cut(pixels, centres[:: len(centres) // number][:number], px)
    if px == HER2ST_PX:
        return tiles
    size = (HER2ST_PX, HER2ST_PX)
    return np.stack(
        [np.asarray(Image.fromarray(tile).resize(size, Image.Resampling.BICUBIC)) for tile in tiles]
    )


@pytest.fixture(scope="module")
def real(shared) -> Study:
    folder = shared / "data/her2st"
    sections = [
        real_tiles(folder / f"images/{name}.jpg", folder / f"spots/{name}_selection.tsv", HER2ST_PX, TILES)
        for name in ("C2", "C3", "C4")
    ]
    return Study.of(reader(shared / "weights/resnet50_imagenet.pth"), sections[:2], sections[2])


@pytest.fixture(params=["simulated", "real"])
def study(request) -> Study:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("kind", LOCAL)
def test_trouble_in_places_is_new(study: Study, kind: str):
    assert study.auroc(LOCAL[kind](study.tiles), study.stain) > ENOUGH


@pytest.mark.parametrize("kind", STAINS)
def test_another_stain_is_new(study: Study, kind: str):
    """Normalisation hides most of it from the features; the section's own stains still tell."""
    planted = STAINS[kind](study.tiles, study.stain.source.vectors)
    assert study.auroc(planted, None) > ENOUGH


def test_another_species_is_new(real: Study, shared):
    folder = shared / "data/mob"
    mouse = real_tiles(folder / "MOB1.jpg", folder / "alignment_table_MOB1.tsv", MOB_PX, PLANTED)
    assert real.auroc(mouse, None) > ENOUGH


def test_the_tiles_as_they_are_are_not_new(study: Study):
    assert 0.3 < study.auroc(study.tiles, study.stain) < 0.7


def test_the_more_of_a_tile_is_folded_the_newer_it_is(study: Study):
    """A tile of which a quarter is folded is often missed (docs/method.md)."""
    reached = [study.auroc(folded(study.tiles, share), study.stain) for share in (0.25, 0.5, 1.0)]
    assert reached == sorted(reached)
    assert reached[-1] > ENOUGH
