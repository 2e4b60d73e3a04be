"""Small slides and H&E-like pixels for tests of the library."""

import numpy as np
import pytest
import tifffile
from scipy import ndimage

# Optical density of haematoxylin and eosin in R, G, B: shape (3, 2), unit columns.
HE = np.array([[0.65, 0.20], [0.70, 0.80], [0.29, 0.55]])
HE /= np.linalg.norm(HE, axis=0)


def block_means(rgb, factor):
    """Averages of factor x factor blocks, float; those at the right and bottom edge may be smaller."""
    rgb = np.asarray(rgb, float)
    rows, columns = (np.arange(0, edge, factor) for edge in rgb.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(rgb, rows, axis=0), columns, axis=1)
    heights, widths = (np.diff([*starts, n]) for starts, n in zip((rows, columns), rgb.shape, strict=False))
    return sums / (heights[:, None, None] * widths[None, :, None])


@pytest.fixture(name="block_means")
def _block_means():
    return block_means


@pytest.fixture
def write_slide(tmp_path):
    """Write an image as a tiled TIFF without loss, with averaged pyramid levels; gives its path."""

    def write(rgb, name="slide.tiff", downsamples=(), mpp=None, **options):
        options = {
            "tile": (256, 256),
            "photometric": "rgb",
            "metadata": None,
            "compression": "deflate",
        } | options
        if mpp:
            options |= {"resolution": (10_000 / mpp, 10_000 / mpp), "resolutionunit": "CENTIMETER"}
        with tifffile.TiffWriter(tmp_path / name) as tiff:
            tiff.write(rgb, **options)
            for factor in downsamples:
                tiff.write(block_means(rgb, factor).round().astype(np.uint8), subfiletype=1, **options)
        return tmp_path / name

    return write


@pytest.fixture
def draw_tissue():
    """Draw H&E on glass after Beer and Lambert, float RGB, where a mask says; no noise."""

    def draw(mask, glass=(245, 245, 245), strength=1.0, stains=HE, seed=0):
        rng = np.random.default_rng(seed)

        def field(sigma):
            waves = ndimage.gaussian_filter(rng.normal(size=mask.shape), sigma)
            return np.clip(0.5 + 0.4 * waves / waves.std(), 0, 1)

        nuclei, fibres = field(1.5), field(3)  # nuclei push eosin aside
        concentrations = np.stack([1.6 * nuclei, (0.25 + 0.85 * fibres) * (1 - 0.9 * nuclei)], -1)
        concentrations *= mask[..., None]
        return np.array(glass) * np.exp(-strength * concentrations @ np.asarray(stains).T)

    return draw


@pytest.fixture
def grey_levels():
    """What a camera makes of it: noise, and whole grey levels."""

    def take(image, noise=1.5, seed=0):
        noisy = image + np.random.default_rng(seed).normal(0, noise, np.shape(image))
        return np.clip(noisy, 0, 255).round().astype(np.uint8)

    return take


@pytest.fixture(scope="session")
def uneven_slide() -> tuple[np.ndarray, np.ndarray]:
    """Tissue without symmetry on a slide of 9,000 x 7,000 px, and its image, 10 px to one, dark at nuclei."""
    rng = np.random.default_rng(3)
    height, width = 700, 900
    y, x = np.mgrid[:height, :width]
    outline = ndimage.gaussian_filter(rng.normal(size=(height, width)), 60)
    mask = ((x - 350) / 280) ** 2 + ((y - 280) / 220) ** 2 < 1 + 0.3 * outline / outline.std()
    nuclei = ndimage.gaussian_filter(rng.normal(size=(height, width)), 25)
    density = mask * (0.6 + 0.15 * nuclei / nuclei.std())
    grey = 255 * np.exp(-np.clip(density, 0, 2))
    return mask, np.repeat(grey[..., None], 3, axis=-1).astype(np.uint8)


@pytest.fixture(scope="session")
def spots_on_it(uneven_slide) -> tuple[np.ndarray, np.ndarray]:
    """Spots on the tissue, and counts that follow its darkness, with noise."""
    mask, image = uneven_slide
    x, y = np.meshgrid(np.arange(100, 9000, 200), np.arange(100, 7000, 200))
    coords = np.column_stack([x.ravel(), y.ravel()])
    column, row = (coords / 10).astype(int).T
    on_tissue = mask[row, column]
    darkness = -np.log((image[row, column, 0] + 1.0) / 256)[on_tissue]
    counts = np.random.default_rng(4).poisson(3000 * np.exp(darkness))
    return coords[on_tissue], counts
