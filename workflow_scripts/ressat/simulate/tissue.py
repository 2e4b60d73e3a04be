"""A drawn section: H&E-like tissue whose nuclei and eosin are known exactly.

Everything is laid out in micrometres from the section's seed, so that one seed gives one tissue at any
resolution. Stains mix in optical density, as dyes do (Ruifrok and Johnston 2001, Beer-Lambert).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyvips
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from scipy.special import expit

from ressat.base.files import replacing
from ressat.base.visium import PITCH_UM

MARGIN_UM = 90.0  # from the outermost spot centres to the image's edge; a tile of 112 um fits
LAYOUT_UM = 8.0  # grid of the regions
TEXTURE_UM = 1.0  # grid of fibres and fat cells

# Haematoxylin and eosin, optical densities in R, G, B of unit length, between the published references.
STAINS = np.array([[0.63, 0.70, 0.33], [0.22, 0.86, 0.46]])

# Nuclei: half axes in um (mean and relative spread), haematoxylin, and how much of it lies in the rim.
TUMOUR, STROMAL, LYMPHOCYTE = 0, 1, 2
HALF_AXES = np.array([[4.6, 3.6], [6.5, 1.8], [2.9, 2.6]])
SPREAD = np.array([0.18, 0.25, 0.10])
HAEMATOXYLIN = np.array([1.10, 1.25, 1.55])
RIM = np.array([0.5, 0.15, 0.0])


@dataclass(frozen=True)
class TissueSettings:
    """What a section is drawn from.

    Parameters
    ----------
    seed
        Drives layout, stain and noise; the same seed gives the same pixels.
    rows, cols
        Rows of spots, and spots per row; the image is as large as the array and its margin.
    mpp
        Micrometres per pixel.
    """

    seed: int = 1
    rows: int = 14
    cols: int = 14
    mpp: float = 0.5

    @property
    def extent_um(self) -> tuple[float, float]:
        """Height and width of the image, um."""
        height = (self.rows - 1) * PITCH_UM * np.sqrt(3) / 2
        width = (self.cols - 0.5) * PITCH_UM
        return height + 2 * MARGIN_UM, width + 2 * MARGIN_UM

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image, pixels."""
        return tuple(round(length / self.mpp) for length in self.extent_um)


@dataclass(frozen=True)
class Tissue:
    """A drawn section and what was drawn.

    Parameters
    ----------
    image
        uint8 (height, width, 3), RGB.
    inside
        bool (height, width): within the tissue's outline, white holes of fat included.
    eosin
        float32 (height, width): eosin at each pixel in optical density, before the section's own stain.
    nuclei
        float64 (n, 2): x, y of every nucleus drawn, um.
    """

    image: np.ndarray
    inside: np.ndarray
    eosin: np.ndarray
    nuclei: np.ndarray


def draw_tissue(settings: TissueSettings) -> Tissue:
    """Draw a section.

    Dense tumour nests, fibrous stroma and islands of fat alternate over a few hundred micrometres;
    cellularity and eosin vary smoothly and independently on top.
    """
    layout_rng, texture_rng, nuclei_rng, stain_rng = np.random.default_rng(settings.seed).spawn(4)
    regions = _lay_out(layout_rng, settings.extent_um)
    fibre = _fibres(texture_rng, regions["angle"], settings.extent_um)
    membrane, white = _fat_cells(texture_rng, regions["fat"], settings.extent_um)
    outline, tumour, eosin = (
        _resample(regions[name], LAYOUT_UM, settings.mpp, settings.shape)
        for name in ("outline", "tumour", "eosin")
    )
    fibre, membrane, white = (
        _resample(field, TEXTURE_UM, settings.mpp, settings.shape) for field in (fibre, membrane, white)
    )
    grain = _grain(texture_rng, settings.shape, 0.6 / settings.mpp)

    inside = outline + 0.003 * fibre > 0  # frayed along the fibres
    # Collagen is strands with pale clefts between them, cytoplasm is finely grained.
    strands = (1 - tumour) * (0.22 * fibre - 0.55 * expit(-6 * (fibre + 1.3)))
    eosin *= np.clip(1 + strands + 0.09 * grain, 0.1, None) * (1 - white)
    eosin = (eosin + 0.25 * membrane) * inside
    # Tumour cytoplasm takes some haematoxylin too (its RNA).
    haematoxylin = (0.02 + 0.13 * tumour) * (1 + 0.15 * grain) * (1 - white) * inside

    nuclei, kinds = _place_nuclei(nuclei_rng, regions, settings.extent_um)
    row, column = _cells(nuclei, settings.mpp, settings.shape)
    on_tissue = inside[row, column] & (white[row, column] < 0.5)
    nuclei, kinds = nuclei[on_tissue], kinds[on_tissue]
    angle = regions["angle"][_cells(nuclei, LAYOUT_UM, regions["angle"].shape)]
    for rows, columns, cover, dye in _nuclei(nuclei_rng, nuclei, kinds, angle, settings):
        haematoxylin[rows, columns] += dye * (1 + 0.16 * grain[rows, columns])
        eosin[rows, columns] *= 1 - 0.75 * cover
    image = _stain(stain_rng, haematoxylin, eosin, settings.mpp)
    return Tissue(image, inside, eosin, nuclei)


def _lay_out(rng: np.random.Generator, extent_um: tuple[float, float]) -> dict[str, np.ndarray]:
    """Draw the smooth fields of the regions on a grid of `LAYOUT_UM`."""
    shape = tuple(int(np.ceil(length / LAYOUT_UM)) + 1 for length in extent_um)

    def field(scale_um: float) -> np.ndarray:
        return _grain(rng, shape, scale_um / LAYOUT_UM)

    def ranked(scale_um: float) -> np.ndarray:
        # 0..1, every value as frequent as any other: all sections span the whole range.
        return field(scale_um).argsort(None).argsort().reshape(shape) / np.prod(shape)

    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    tumour = expit(24 * (ranked(80) - 0.5))
    density = tumour * (2500 + 6500 * ranked(70)) + (1 - tumour) * (400 + 1200 * ranked(70))
    return {
        "outline": 0.89 - (x**4 + y**4) ** 0.25 + 0.02 * field(90) + 0.006 * field(20),
        "tumour": tumour,
        "infiltrate": 3500 * expit(40 * (ranked(50) - 0.93)),  # lymphocytes per mm2
        "density": density,  # of all other nuclei per mm2
        "eosin": (0.25 + 0.60 * ranked(80)) * (1 - 0.12 * tumour),
        "fat": expit(60 * (ranked(60) - 0.90) - 6 * tumour),
        "angle": 1.6 * field(120) + rng.uniform(0, np.pi),
    }


def _fibres(rng: np.random.Generator, angle: np.ndarray, extent_um: tuple[float, float]) -> np.ndarray:
    """Draw strands along ``angle`` by line integral convolution (Cabral and Leedom 1993), unit variance."""
    shape = tuple(int(np.ceil(length / TEXTURE_UM)) + 1 for length in extent_um)
    noise = _grain(rng, shape, 1.2)
    # Strands wave over some ten micrometres.
    angle = _resample(angle, LAYOUT_UM, TEXTURE_UM, shape) + 0.35 * _grain(rng, shape, 12)
    step_y, step_x = 2 * np.sin(angle), 2 * np.cos(angle)
    total = noise.copy()
    for sign in (-1, 1):
        y, x = np.indices(shape, dtype=np.float32)
        at = np.arange(noise.size).reshape(shape)
        for _ in range(9):
            y += sign * step_y.take(at)
            x += sign * step_x.take(at)
            row = np.clip(y, 0, shape[0] - 1).astype(np.int32)
            at = row * shape[1] + np.clip(x, 0, shape[1] - 1).astype(np.int32)
            total += noise.take(at)
    return (total - total.mean()) / total.std()


def _fat_cells(
    rng: np.random.Generator, fat: np.ndarray, extent_um: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the membranes and the white insides of fat cells, both 0..1 on a grid of `TEXTURE_UM`."""
    shape = tuple(int(np.ceil(length / TEXTURE_UM)) + 1 for length in extent_um)
    fat = _resample(fat, LAYOUT_UM, TEXTURE_UM, shape)
    # Fat cells are packed: candidates in excess, those at least 40 um apart kept.
    cells = rng.uniform(0, extent_um, (int(np.prod(extent_um) / 250), 2))
    cells = cells[_spaced(cells, np.full(len(cells), 20.0))]
    membrane, white = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    pixels = np.argwhere(fat > 0.05)
    near, _ = cKDTree(cells).query(pixels * TEXTURE_UM, k=2)
    wall = (near[:, 1] - near[:, 0]) / 2  # um to the wall between two cells
    at = tuple(pixels.T)
    # A wall thickens where the island ends, until it is tissue.
    white[at] = expit(2.5 * (wall - 1.2 - 14 * (1 - fat[at]) ** 2))
    membrane[at] = np.exp(-((wall / 1.5) ** 2)) * (fat[at] > 0.5)
    return membrane, white


def _place_nuclei(
    rng: np.random.Generator, regions: dict[str, np.ndarray], extent_um: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Place nuclei by density without overlap: x, y in um (n, 2), and kinds (n,)."""
    infiltrate = regions["infiltrate"]
    density = regions["density"] + infiltrate
    # More than wanted, since about a third is lost to neighbours.
    expected = 1.4 * density.max() * np.prod(extent_um) * 1e-6
    points = rng.uniform(0, extent_um[::-1], (rng.poisson(expected), 2))
    points = points[
        rng.uniform(0, density.max(), len(points)) < density[_cells(points, LAYOUT_UM, density.shape)]
    ]
    cells = _cells(points, LAYOUT_UM, density.shape)
    kinds = np.where(rng.uniform(size=len(points)) < regions["tumour"][cells], TUMOUR, STROMAL)
    kinds[rng.uniform(size=len(points)) < 0.04 + infiltrate[cells] / density[cells]] = LYMPHOCYTE
    apart = _spaced(points, 0.85 * HALF_AXES.mean(1)[kinds])
    return points[apart], kinds[apart]


def _nuclei(
    rng: np.random.Generator,
    nuclei: np.ndarray,
    kinds: np.ndarray,
    angle: np.ndarray,
    settings: TissueSettings,
) -> Iterator[tuple[slice, slice, np.ndarray, np.ndarray]]:
    """Shape each nucleus, a dented ellipse: its rows and columns, its cover (0..1) and haematoxylin there."""
    n = len(nuclei)
    axes = HALF_AXES[kinds] * np.exp(SPREAD[kinds, None] * rng.standard_normal((n, 2)))
    # Stromal nuclei lie along the fibres.
    turn = rng.uniform(0, np.pi, n)
    stromal = kinds == STROMAL
    turn[stromal] = angle[stromal] + 0.3 * rng.standard_normal(stromal.sum())
    amount = HAEMATOXYLIN[kinds] * np.exp(0.15 * rng.standard_normal(n))
    dent, phase = rng.uniform(0, 0.12, n), rng.uniform(0, 2 * np.pi, n)
    (height, width), mpp = settings.shape, settings.mpp
    for i, (x, y) in enumerate(nuclei):
        reach = 1.3 * axes[i].max()
        rows = slice(max(int((y - reach) / mpp), 0), min(int((y + reach) / mpp) + 1, height))
        columns = slice(max(int((x - reach) / mpp), 0), min(int((x + reach) / mpp) + 1, width))
        dy = ((np.arange(rows.start, rows.stop) + 0.5) * mpp - y)[:, None]
        dx = (np.arange(columns.start, columns.stop) + 0.5) * mpp - x
        along = (dx * np.cos(turn[i]) + dy * np.sin(turn[i])) / axes[i, 0]
        across = (dy * np.cos(turn[i]) - dx * np.sin(turn[i])) / axes[i, 1]
        radius = np.hypot(along, across) * (1 + dent[i] * np.sin(2 * np.arctan2(across, along) + phase[i]))
        cover = np.clip(0.5 + (1 - radius) * axes[i].min() / 0.7, 0, 1)
        rim = RIM[kinds[i]] * (1 - 1.6 * np.clip(radius, 0, 1) ** 6)  # less dye within the rim
        yield rows, columns, cover, amount[i] * cover * (1 - rim)


def _stain(rng: np.random.Generator, haematoxylin: np.ndarray, eosin: np.ndarray, mpp: float) -> np.ndarray:
    """Stain and scan: the section's own dye colours, strengths and lamp, then blur and noise; uint8 RGB."""
    dyes = STAINS + rng.uniform(-0.04, 0.04, STAINS.shape)
    dyes *= rng.uniform(0.8, 1.25, (2, 1)) / np.linalg.norm(dyes, axis=1, keepdims=True)
    lamp = rng.uniform(238, 244) + rng.uniform(-2, 2, 3)
    image = np.empty((*eosin.shape, 3), np.uint8)
    for channel in range(3):
        density = np.float32(dyes[0, channel]) * haematoxylin + np.float32(dyes[1, channel]) * eosin
        light = gaussian_filter(np.float32(lamp[channel]) * np.exp(-density), 0.3 / mpp)
        light += 1.5 * rng.standard_normal(light.shape, dtype=np.float32)
        image[..., channel] = np.clip(np.rint(light), 0, 255)
    return image


def _grain(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> np.ndarray:
    """Smoothed noise of mean 0 and standard deviation 1."""
    noise = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma)
    return (noise - noise.mean()) / noise.std()


def _spaced(points: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Mark the points (n,) that keep their distance, the sum of the radii, from every earlier one kept."""
    apart = np.ones(len(points), bool)
    pairs = cKDTree(points).query_pairs(2 * radius.max(), output_type="ndarray")
    gap = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    pairs = np.sort(pairs[gap < radius[pairs].sum(1)], axis=1)
    for first, second in pairs[np.lexsort(pairs.T[::-1])]:
        if apart[first]:
            apart[second] = False
    return apart


def _cells(points: np.ndarray, cell_um: float, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Row and column, on a grid of ``cell_um``, of points given as x, y in um."""
    column, row = (points / cell_um).astype(int).T
    return np.minimum(row, shape[0] - 1), np.minimum(column, shape[1] - 1)


def _resample(field: np.ndarray, cell_um: float, mpp: float, shape: tuple[int, int]) -> np.ndarray:
    """Interpolate a field linearly from a coarser grid to pixels of ``mpp``; float32."""
    field = field.astype(np.float32)
    for axis, n in enumerate(shape):
        place = np.clip((np.arange(n) + 0.5) * mpp / cell_um, 0, field.shape[axis] - 1.001)
        low = place.astype(int)
        part = (place - low).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
        field = field.take(low, axis) * (1 - part) + field.take(low + 1, axis) * part
    return field


def write_slide(path: str | os.PathLike, image: np.ndarray, mpp: float) -> None:
    """Write uint8 RGB (height, width, 3) as a pyramidal tiled TIFF that OpenSlide opens, with its um/px."""
    per_mm = 1000 / mpp
    layout = {"tile": True, "tile_width": 256, "tile_height": 256, "pyramid": True, "region_shrink": "mean"}
    with replacing(path) as temporary:
        slide = pyvips.Image.new_from_array(image).copy(xres=per_mm, yres=per_mm)
        slide.tiffsave(str(temporary), compression="jpeg", Q=90, resunit="cm", **layout)
