"""How far features of ResNet50 deviate that were made in other ways, as `import_features` measures it.

Run with: python benchmarks/features_elsewhere.py SLIDE WEIGHTS [--edge 224] [--tiles 48]
SLIDE is an image that Pillow or OpenSlide reads, WEIGHTS a state dict of ResNet50. Tiles of a regular grid
are cut and resampled as the pipeline does it, and in ways of other software; then with other weights, other
pixels and at other places. Prints the median deviation of 16 tiles, of layer 3 and layer 4.
"""

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openslide
import torch
from PIL import Image
from PIL.Image import Resampling

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow_scripts"))

from ressat.encoders.network import build_network
from ressat.encoders.registry import ENCODERS
from ressat.features.elsewhere.proof import TILES, deviation
from ressat.features.extraction import encode
from ressat.stain.section_stain import fit_section

TILE_PX, BATCH = 224, 16
GLASS = 15  # least difference of the channels' means of a tile with tissue
Cut = Callable[[Image.Image], Image.Image]


def whole(path: str) -> Image.Image:
    """The slide's level 0."""
    try:
        with openslide.OpenSlide(path) as slide:
            return slide.read_region((0, 0), 0, slide.dimensions).convert("RGB")
    except openslide.OpenSlideError:
        return Image.open(path).convert("RGB")


def corners(image: Image.Image, edge: int, count: int) -> np.ndarray:
    """Corners of tiles on tissue, (n, 2), with room around them."""
    places = [
        (x, y)
        for y in range(edge // 2, image.height - 2 * edge, edge)
        for x in range(edge // 2, image.width - 2 * edge, edge)
    ]
    means = [
        np.asarray(image.crop((x, y, x + edge, y + edge)).resize((1, 1), Resampling.BOX)) for x, y in places
    ]
    on_tissue = np.array(places)[[np.ptp(mean.astype(int)) > GLASS for mean in means]]
    return on_tissue[np.unique(np.linspace(0, len(on_tissue) - 1, count).astype(int))]


def to(edge: int, how: Resampling) -> Cut:
    return lambda tile: tile if tile.width == edge else tile.resize((edge, edge), how)


def recompressed(image: Image.Image, quality: int) -> Image.Image:
    """The image once more through JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("slide")
    parser.add_argument("weights")
    parser.add_argument("--edge", type=int, default=TILE_PX)
    parser.add_argument("--tiles", type=int, default=48)
    told = parser.parse_args()
    torch.set_num_threads(2)
    Image.MAX_IMAGE_PIXELS = None
    encoder, image, edge = ENCODERS.load("resnet50"), whole(told.slide), told.edge
    places = corners(image, edge, told.tiles)
    own_way = to(TILE_PX, Resampling.BICUBIC)
    as_if_256 = to(256, Resampling.BICUBIC)

    def cut(picture=image, at=places, size=edge, way=own_way, factor=1) -> np.ndarray:
        boxes = [(x // factor, y // factor, (x + size) // factor, (y + size) // factor) for x, y in at]
        return np.stack([np.asarray(way(picture.crop(box))) for box in boxes])

    def features(tiles: np.ndarray, described=encoder, weights=told.weights, dtype=torch.float32) -> dict:
        network = build_network(described, weights, 1, dtype)[0]
        batches = [torch.from_numpy(tiles[start : start + BATCH]) for start in range(0, len(tiles), BATCH)]
        parts = list(encode(batches, network, None, "cpu"))
        return {name: np.concatenate([part[name] for part in parts]).astype(float) for name in encoder.layers}

    half = image.resize((image.width // 2, image.height // 2), Resampling.BOX)
    tiles = cut()
    stain = fit_section("slide", "macenko", tiles[:, ::8, ::8].reshape(-1, 3), None).transform
    own = features(tiles)
    ways = {
        "resampled to 256 px, then to 224": lambda: features(
            cut(way=lambda tile: to(TILE_PX, Resampling.BILINEAR)(as_if_256(tile)))
        ),
        "bilinear": lambda: features(cut(way=to(TILE_PX, Resampling.BILINEAR))),
        "nearest pixel": lambda: features(cut(way=to(TILE_PX, Resampling.NEAREST))),
        "from a level of half the size": lambda: features(cut(half, factor=2)),
        "the same, JPEG of quality 70": lambda: features(cut(recompressed(half, 70), factor=2)),
        "JPEG of quality 70 once more": lambda: features(cut(recompressed(image, 70))),
        "JPEG of quality 30 once more": lambda: features(cut(recompressed(image, 30))),
        "bf16": lambda: features(tiles, dtype=torch.bfloat16),
        "1 px away": lambda: features(cut(at=places + 1)),
        "edge 1 % larger": lambda: features(cut(at=places - edge // 200, size=round(edge * 1.01))),
        "edge 14 % larger": lambda: features(cut(at=places - edge // 14, size=round(edge * 8 / 7))),
        "1/8 of the edge away": lambda: features(cut(at=places + edge // 8)),
        "1/4 of the edge away": lambda: features(cut(at=places + edge // 4)),
        "1/2 of the edge away": lambda: features(cut(at=places + edge // 2)),
        "edge of half the size": lambda: features(cut(at=places + edge // 4, size=edge // 2)),
        "Macenko": lambda: features(np.stack([stain.apply(tile) for tile in tiles])),
        "blue for red": lambda: features(tiles[..., ::-1].copy()),
        "pixels standardised to -1..1": lambda: features(tiles, encoder.with_pixels((0.5,) * 3, (0.5,) * 3)),
        "pixels not standardised": lambda: features(tiles, encoder.with_pixels((0.0,) * 3, (1.0,) * 3)),
        "random weights": lambda: features(tiles, weights=None),
        "the next tile": lambda: {name: np.roll(values, 1, axis=0) for name, values in own.items()},
        "scaled to length 1": lambda: {
            name: values / np.linalg.norm(values, axis=1, keepdims=True) for name, values in own.items()
        },
    }
    rows = np.linspace(0, len(places) - 1, TILES).astype(int)
    print(f"{told.slide}: {len(places)} tiles of {edge} px")
    for way, made in ways.items():
        given = made()
        values = [deviation(given[name][rows], own[name][rows], given[name].mean(axis=0)) for name in own]
        print(f"{way:34}", *(f"{value:.2f}" for value in values), flush=True)


if __name__ == "__main__":
    main()
