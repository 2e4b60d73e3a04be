"""Stain normalisation of 1,000 tiles: one fit per section against torchstain's fit for every tile.

Run with: python benchmarks/stain_normalisation.py [--tiles 1000] [--repeats 3]
The pipeline transforms batches of 32 with the fit of the section; torchstain's numpy Macenko fits and
transforms tile by tile. Both have the same tiles in memory and take turns by batches. The results of the
pipeline are compared with the same transform in float64.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
import torchstain
from study_section import MPP, SCRIPTS, SECTION, write_slide

sys.path.insert(0, str(SCRIPTS))

from ressat import stain
from ressat.extraction import StainLayer
from ressat.slides import Slide
from ressat.tile_reader import read_tile
from ressat.tiling import TileGeometry

EDGE_PX, TILE_PX, BATCH, FITTED_PIXELS = 10_000, 224, 32, 200_000
FASTER, GREY_LEVELS = 20, 1


def read_tiles(count: int) -> np.ndarray:
    """Tiles from the middle of a simulated slide, uint8, shape (count, 224, 224, 3)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slide.tiff"
        write_slide(path, EDGE_PX, np.random.default_rng(1))
        places = np.random.default_rng(2).integers(0.3 * EDGE_PX, 0.7 * EDGE_PX, (count, 2))
        geometry = TileGeometry(MPP * TILE_PX, TILE_PX, 0, TILE_PX, 1.0)
        with Slide(path, SECTION) as slide:
            return np.stack([read_tile(slide, place, geometry) for place in places])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    tiles = read_tiles(chosen.tiles)
    pixels = tiles.reshape(-1, 3)
    drawn = pixels[np.random.default_rng(3).integers(0, len(pixels), FITTED_PIXELS)]

    start = time.monotonic()
    transform = stain.transform(stain.fit("macenko", drawn), stain.PUBLISHED["macenko"])
    fit_s = time.monotonic() - start
    layer = StainLayer(transform)
    theirs = torchstain.normalizers.MacenkoNormalizer(backend="numpy")
    # Its reference, which it otherwise takes from an image.
    published = stain.PUBLISHED["macenko"]
    theirs.HERef, theirs.maxCRef = published.vectors, published.max_concentrations

    ours_s, theirs_s, worst, differing = [], [], 0, 0
    for _ in range(chosen.repeats):
        seconds = {"ours": 0.0, "theirs": 0.0}
        for first in range(0, len(tiles), BATCH):
            batch = tiles[first : first + BATCH]
            start = time.monotonic()
            with torch.inference_mode():
                found = layer(torch.from_numpy(batch).permute(0, 3, 1, 2).float())
            seconds["ours"] += time.monotonic() - start
            start = time.monotonic()
            for tile in batch:
                theirs.normalize(I=tile, stains=False)
            seconds["theirs"] += time.monotonic() - start
            difference = np.abs(found.permute(0, 2, 3, 1).numpy() - transform.apply(batch).astype(np.float32))
            worst, differing = max(worst, difference.max()), differing + (difference > 0).sum()
        ours_s.append(seconds["ours"])
        theirs_s.append(seconds["theirs"])
    ratio = median(theirs / ours for theirs, ours in zip(theirs_s, ours_s, strict=True))
    with_fit = median(theirs / (ours + fit_s) for theirs, ours in zip(theirs_s, ours_s, strict=True))
    share = differing / (tiles.size * chosen.repeats)
    print(
        f"{len(tiles)} tiles of {TILE_PX} px, {torch.get_num_threads()} threads, median of {chosen.repeats}"
    )
    print(
        f"pipeline    {1000 * median(ours_s) / len(tiles):>7.2f} ms a tile; "
        f"one fit of the section {fit_s:.2f} s"
    )
    print(f"torchstain  {1000 * median(theirs_s) / len(tiles):>7.2f} ms a tile, its fit included")
    print(f"{ratio:.0f} x as fast (target at least {FASTER}); {with_fit:.0f} x with the fit of the section")
    print(
        f"from float64 at most {worst:g} grey levels (target {GREY_LEVELS}), "
        f"any at all in {share:.2%} of the values"
    )
    if ratio < FASTER or worst > GREY_LEVELS:
        sys.exit("missed")


if __name__ == "__main__":
    main()
