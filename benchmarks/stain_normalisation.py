"""Stain normalisation of 1,000 tiles: one fit per section against torchstain's fit for every tile.

Run with: python benchmarks/stain_normalisation.py [--tiles 1000] [--repeats 3]
The pipeline transforms batches of 32 with the fit of the section; torchstain's numpy Macenko fits and
transforms tile by tile. Both have the same tiles in memory, and take turns as processes of their own, timed
after imports. The results of the pipeline are compared with the same transform in float64.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import measured
import numpy as np
from study_section import MPP, SCRIPTS, write_slide

sys.path.insert(0, str(SCRIPTS))

from ressat.slides.slide import Slide
from ressat.tiles.reader import read_tile
from ressat.tiles.tiling import TileGeometry

EDGE_PX, TILE_PX, BATCH, FITTED_PIXELS = 10_000, 224, 32, 200_000
FASTER, GREY_LEVELS = 20, 1
THREADS = 2


def read_tiles(count: int) -> np.ndarray:
    """Tiles from the middle of a simulated slide, uint8, shape (count, 224, 224, 3)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slide.tiff"
        write_slide(path, EDGE_PX, np.random.default_rng(1))
        places = np.random.default_rng(2).integers(0.3 * EDGE_PX, 0.7 * EDGE_PX, (count, 2))
        geometry = TileGeometry(MPP * TILE_PX, TILE_PX, 0, TILE_PX, 1.0)
        with Slide(path) as slide:
            return np.stack([read_tile(slide, place, geometry) for place in places])


def pipeline(tiles: np.ndarray) -> None:
    """Time the fit of the section, and the transform of all tiles; say how far from float64 it is."""
    import torch

    from ressat.features.extraction import StainLayer
    from ressat.features.memory import keep_freed_memory
    from ressat.stain.methods.registry import METHODS

    keep_freed_memory()
    torch.set_num_threads(THREADS)
    macenko = METHODS.load("macenko")
    pixels = tiles.reshape(-1, 3)
    drawn = pixels[np.random.default_rng(3).integers(0, len(pixels), FITTED_PIXELS)]
    start = time.monotonic()
    transform = macenko.transform(macenko.fit(drawn), macenko.published)
    fit_s = time.monotonic() - start
    layer = StainLayer(transform)
    seconds, worst, differing = 0.0, 0, 0
    with torch.inference_mode():
        for first in range(0, len(tiles), BATCH):
            batch = tiles[first : first + BATCH]
            start = time.monotonic()
            found = layer(torch.from_numpy(batch).permute(0, 3, 1, 2).float())
            seconds += time.monotonic() - start
            difference = np.abs(found.permute(0, 2, 3, 1).numpy() - transform.apply(batch).astype(np.float32))
            worst, differing = max(worst, difference.max()), differing + (difference > 0).sum()
    print(seconds, fit_s, worst, differing / tiles.size)


def torchstain(tiles: np.ndarray) -> None:
    """Time torchstain's fit and transform of every tile."""
    from torchstain import normalizers

    from ressat.stain.methods.registry import METHODS

    theirs = normalizers.MacenkoNormalizer(backend="numpy")
    # Its reference, which it otherwise takes from an image.
    published = METHODS.load("macenko").published
    theirs.HERef, theirs.maxCRef = published.vectors, published.max_concentrations
    start = time.monotonic()
    for tile in tiles:
        theirs.normalize(I=tile, stains=False)
    print(time.monotonic() - start)


SIDES = {"pipeline": pipeline, "torchstain": torchstain}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.side:
        SIDES[chosen.side](np.load(chosen.file))
        return
    found = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tiles.npy"
        np.save(file, read_tiles(chosen.tiles))
        for _ in range(chosen.repeats):
            for side, runs in found.items():
                command = [sys.executable, __file__, "--side", side, "--file", str(file)]
                printed, _ = measured.run(command)
                runs.append([float(value) for value in printed.split()])
    theirs = [seconds for (seconds,) in found["torchstain"]]
    ours, fits, worst, differing = zip(*found["pipeline"], strict=True)
    ratio = median(their / our for their, our in zip(theirs, ours, strict=True))
    with_fit = median(their / (our + fit) for their, our, fit in zip(theirs, ours, fits, strict=True))
    print(f"{chosen.tiles} tiles of {TILE_PX} px, {THREADS} threads, median of {chosen.repeats}")
    print(f"pipeline    {1000 * median(ours) / chosen.tiles:>7.2f} ms a tile")
    print(f"            {1000 * median(fits):>7.0f} ms the fit of the section, once")
    print(f"torchstain  {1000 * median(theirs) / chosen.tiles:>7.2f} ms a tile, its fit included")
    print(f"{ratio:.0f} x as fast (target at least {FASTER}); {with_fit:.0f} x with the fit of the section")
    print(
        f"from float64 at most {max(worst):g} grey levels (target {GREY_LEVELS}), "
        f"any at all in {max(differing):.4%} of the values"
    )
    if ratio < FASTER or max(worst) > GREY_LEVELS:
        sys.exit("missed")


if __name__ == "__main__":
    main()
