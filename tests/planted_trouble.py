"""Trouble planted in tiles, as microscopes, pens and hands bring it into slides."""

from collections.abc import Callable

import numpy as np
from scipy import ndimage
from scipy.signal import fftconvolve

# Optical densities of haematoxylin and a second stain in R, G, B (Ruifrok & Johnston 2001): columns.
H_DAB = np.array([[0.650, 0.268], [0.704, 0.570], [0.286, 0.776]])
H_PAS = np.array([[0.644, 0.175], [0.717, 0.972], [0.267, 0.155]])
TRICHROME = np.array([[0.800, 0.100], [0.593, 0.737], [0.105, 0.668]])
GREY = np.array([0.299, 0.587, 0.114])
BLUE_INK, GREEN_INK, BLACK_INK = (30, 60, 160), (20, 140, 70), (30, 30, 30)


def density(tiles: np.ndarray) -> np.ndarray:
    return -np.log((tiles.astype(float) + 1) / 256)


def rgb(density: np.ndarray) -> np.ndarray:
    return np.clip(256 * np.exp(-density) - 1, 0, 255).round().astype(np.uint8)


def blurred(tiles: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, in pixels of the tile."""
    return ndimage.gaussian_filter(tiles.astype(float), (0, sigma, sigma, 0)).round().astype(np.uint8)


def out_of_focus(tiles: np.ndarray, radius: int) -> np.ndarray:
    """Each point a disc, in pixels of the tile."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = (x**2 + y**2 <= radius**2).astype(float)[None, :, :, None]
    padded = np.pad(tiles.astype(float), ((0, 0), (radius, radius), (radius, radius), (0, 0)), "reflect")
    return np.clip(fftconvolve(padded, disc / disc.sum(), "valid", axes=(1, 2)), 0, 255).astype(np.uint8)


def stained(tiles: np.ndarray, vectors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The same tissue, with other stains in the place of those with these vectors."""
    flat = density(tiles).reshape(-1, 3)
    amounts = np.maximum(np.linalg.lstsq(vectors, flat.T, rcond=None)[0], 0)
    return rgb((others / np.linalg.norm(others, axis=0) @ amounts).T.reshape(tiles.shape))


def grey(tiles: np.ndarray) -> np.ndarray:
    return np.repeat((tiles @ GREY).round().astype(np.uint8)[..., None], 3, axis=-1)


def with_pen(tiles: np.ndarray, ink: tuple[int, int, int], share: float = 0.18) -> np.ndarray:
    """A stroke of a felt pen across every tile, as wide as a share of the tile's edge."""
    rng = np.random.default_rng(1)
    edge = tiles.shape[1]
    width = share * edge
    y, x = np.mgrid[:edge, :edge]
    marked = []
    for tile in tiles:
        angle, (left, top) = rng.uniform(0, np.pi), rng.uniform(0.35, 0.65, 2) * edge
        stroke = np.abs((x - left) * np.sin(angle) - (y - top) * np.cos(angle)) < width / 2
        cover = ndimage.gaussian_filter(stroke.astype(float), 1.5)[..., None]
        marked.append(tile * (np.array(ink) / 255) ** cover)
    return np.array(marked).round().astype(np.uint8)


def folded(tiles: np.ndarray, share: float) -> np.ndarray:
    """A second layer of tissue, from another tile, over a share of every tile: light passes both."""
    rng = np.random.default_rng(2)
    edge = tiles.shape[1]
    y, x = np.mgrid[:edge, :edge] - edge / 2
    doubled = []
    for tile, other in zip(tiles, tiles[rng.permutation(len(tiles))], strict=True):
        angle = rng.uniform(0, 2 * np.pi)
        across = x * np.cos(angle) + y * np.sin(angle)
        cover = ndimage.gaussian_filter((across <= np.quantile(across, share)).astype(float), 1)
        doubled.append(rgb(density(tile) + cover[..., None] * density(other)))
    return np.array(doubled)


# Trouble in places, which leaves the section's stains as they are.
LOCAL: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "blurred": lambda tiles: blurred(tiles, 3),
    "out of focus": lambda tiles: out_of_focus(tiles, 6),
    "blue pen": lambda tiles: with_pen(tiles, BLUE_INK),
    "green pen": lambda tiles: with_pen(tiles, GREEN_INK),
    "black pen": lambda tiles: with_pen(tiles, BLACK_INK),
    "folded": lambda tiles: folded(tiles, 1.0),
}
# Trouble of whole slides, whose stains are fitted with it.
STAINS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "DAB": lambda tiles, vectors: stained(tiles, vectors, H_DAB),
    "PAS": lambda tiles, vectors: stained(tiles, vectors, H_PAS),
    "trichrome": lambda tiles, vectors: stained(tiles, vectors, TRICHROME),
    "no colour": lambda tiles, vectors: grey(tiles),
}


def auroc(ordinary: np.ndarray, planted: np.ndarray) -> float:
    """Share of pairs of tiles of which the planted one has the higher value, ties halved."""
    above = planted[:, None] > ordinary[None]
    return float((above + 0.5 * (planted[:, None] == ordinary[None])).mean())
