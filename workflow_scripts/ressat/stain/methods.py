"""Stain normalisation: what a section's stains are, and the transform to a reference.

Both methods are one formula on 8-bit RGB, I' = post . exp(matrix . log(pre . I + 1) + offset),
so that whoever runs the network applies them as two or three 1 x 1 convolutions.
"""

from dataclasses import dataclass

import numpy as np

# Macenko's constants, as in the authors' code and torchstain: white level, the share of extreme angles
# left out (percent), the optical density below which a pixel counts as glass.
WHITE = 240.0
ANGLE_PERCENTILE = 1.0
GLASS_DENSITY = 0.15

# Limits beyond which a fit is not trusted. Real H&E sections have their stains 15 to 48 degrees apart;
# scanner noise of 3 grey levels alone spreads a single stain over 7.
MIN_PIXELS = 2_000
MIN_ANGLE_DEGREES = 9.0
MAX_GAIN = 8.0

# Ruderman's l-alpha-beta space: RGB to LMS, then to decorrelated axes after a logarithm.
RGB_TO_LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
LMS_TO_LAB = np.diag(1 / np.sqrt([3.0, 6.0, 2.0])) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])


class StainFitError(ValueError):
    """A section's stains cannot be estimated; the message says why."""


@dataclass(frozen=True)
class MacenkoStains:
    """Haematoxylin and eosin of an image, after Macenko et al. 2009.

    Attributes
    ----------
    vectors
        Optical density of each stain in R, G, B, shape (3, 2), unit columns, haematoxylin first.
    max_concentrations
        99th percentile of each stain's concentration, shape (2,).
    """

    vectors: np.ndarray
    max_concentrations: np.ndarray

    @property
    def angle_degrees(self) -> float:
        """Angle between the two stain vectors."""
        return float(np.degrees(np.arccos(np.clip(self.vectors[:, 0] @ self.vectors[:, 1], -1, 1))))


@dataclass(frozen=True)
class ReinhardStatistics:
    """Mean and standard deviation in l-alpha-beta of 8-bit RGB, shape (3,) each (Reinhard et al. 2001)."""

    mean: np.ndarray
    sd: np.ndarray


Stains = MacenkoStains | ReinhardStatistics

PUBLISHED: dict[str, Stains] = {
    # The reference of Macenko's published code, also torchstain's default.
    "macenko": MacenkoStains(
        np.array([[0.5626, 0.2159], [0.7201, 0.8012], [0.4062, 0.5581]]), np.array([1.9705, 1.0308])
    ),
    # HistomicsTK's reference for Reinhard normalisation: TCGA-A2-A3XS-DX1 (Amgad et al. 2019).
    "reinhard": ReinhardStatistics(
        np.array([8.74108109, -0.12440419, 0.0444982]), np.array([0.6135447, 0.10989545, 0.0286032])
    ),
}


@dataclass(frozen=True)
class PixelTransform:
    """I' = post . exp(matrix . log(pre . I + 1) + offset), clipped to 0..255.

    Attributes
    ----------
    pre, matrix, post
        Shape (3, 3).
    offset
        Shape (3,).
    """

    pre: np.ndarray
    matrix: np.ndarray
    offset: np.ndarray
    post: np.ndarray

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Transform RGB of any shape (..., 3), uint8, to uint8, in float64."""
        light = np.log1p(image.astype(np.float64) @ self.pre.T)
        result = np.exp(light @ self.matrix.T + self.offset) @ self.post.T
        return np.clip(result, 0, 255).astype(np.uint8)


def optical_density(rgb: np.ndarray) -> np.ndarray:
    """Return -log((I + 1) / 240) of 8-bit RGB, same shape, float64 (Macenko et al. 2009)."""
    return -np.log((rgb.astype(np.float64) + 1) / WHITE)


def tissue_pixels(rgb: np.ndarray) -> np.ndarray:
    """Keep the pixels that absorb in every channel, from shape (n, 3) to (m, 3)."""
    return rgb[(optical_density(rgb) >= GLASS_DENSITY).all(axis=1)]


def fit(method: str, rgb: np.ndarray) -> Stains:
    """Estimate an image's stains from its pixels.

    Parameters
    ----------
    method
        ``macenko`` or ``reinhard``.
    rgb
        Pixels, uint8, shape (n, 3); glass among them is left out.

    Raises
    ------
    StainFitError
        If there are too few tissue pixels, one stain only, or the result is degenerate.
    """
    tissue = tissue_pixels(rgb)
    if len(tissue) < MIN_PIXELS:
        raise StainFitError(f"only {len(tissue)} tissue pixels, {MIN_PIXELS} are needed")
    return {"macenko": _fit_macenko, "reinhard": _fit_reinhard}[method](rgb, tissue)


def transform(source: Stains, reference: Stains) -> PixelTransform:
    """Return the transform that gives an image the reference's stains.

    Macenko: OD' = HE_ref . diag(maxC_ref / maxC) . pinv(HE) . OD. Reinhard: each l-alpha-beta axis is
    shifted and scaled to the reference's mean and standard deviation.
    """
    identity = np.eye(3)
    if isinstance(source, MacenkoStains) and isinstance(reference, MacenkoStains):
        gain = np.diag(reference.max_concentrations / source.max_concentrations)
        matrix = reference.vectors @ gain @ np.linalg.pinv(source.vectors)
        white = np.full(3, np.log(WHITE))
        return PixelTransform(identity, matrix, white - matrix @ white, identity)
    if isinstance(source, ReinhardStatistics) and isinstance(reference, ReinhardStatistics):
        scale = np.diag(reference.sd / source.sd)
        back = np.linalg.inv(LMS_TO_LAB)
        matrix = back @ scale @ LMS_TO_LAB
        offset = back @ (reference.mean - scale @ source.mean)
        return PixelTransform(RGB_TO_LMS, matrix, offset, np.linalg.inv(RGB_TO_LMS))
    raise TypeError("source and reference were fitted with different methods")


def _fit_macenko(rgb: np.ndarray, tissue: np.ndarray) -> MacenkoStains:
    density = optical_density(tissue)
    _, axes = np.linalg.eigh(np.cov(density.T))
    plane = density @ axes[:, 1:]
    # Eigenvectors have no sign, and need none: tissue lies on one side of the principal axis, so that the
    # angles do not wrap, and the extremes are turned back along the same axes.
    angles = np.arctan2(plane[:, 1], plane[:, 0])
    extremes = np.percentile(angles, [ANGLE_PERCENTILE, 100 - ANGLE_PERCENTILE])
    vectors = axes[:, 1:] @ np.stack([np.cos(extremes), np.sin(extremes)])
    # Haematoxylin absorbs more red than eosin does.
    if vectors[0, 0] <= vectors[0, 1]:
        vectors = vectors[:, ::-1]
    # Concentrations are taken over all pixels, glass included, as the published code does.
    concentrations = np.linalg.lstsq(vectors, optical_density(rgb).T, rcond=None)[0]
    stains = MacenkoStains(np.ascontiguousarray(vectors), np.percentile(concentrations, 99, axis=1))
    if stains.angle_degrees < MIN_ANGLE_DEGREES:
        raise StainFitError(
            f"one stain only: the two stain vectors are {stains.angle_degrees:.1f} degrees apart, "
            f"{MIN_ANGLE_DEGREES:.0f} are needed"
        )
    if (vectors < -0.2).any() or (stains.max_concentrations <= 0.05).any():
        raise StainFitError("the estimated stains are not those of an H&E section (negative absorption)")
    gain = np.abs(transform(stains, PUBLISHED["macenko"]).matrix).max()
    if not gain <= MAX_GAIN:
        raise StainFitError(
            f"degenerate stain matrix: densities would be amplified {gain:.0f} times, at most "
            f"{MAX_GAIN:.0f} is allowed"
        )
    return stains


def _fit_reinhard(rgb: np.ndarray, tissue: np.ndarray) -> ReinhardStatistics:
    lab = np.log1p(tissue.astype(np.float64) @ RGB_TO_LMS.T) @ LMS_TO_LAB.T
    statistics = ReinhardStatistics(lab.mean(axis=0), lab.std(axis=0))
    if (statistics.sd * MAX_GAIN < PUBLISHED["reinhard"].sd).any():
        raise StainFitError(
            f"one colour only: differences of colour would be amplified more than {MAX_GAIN:.0f} times"
        )
    return statistics
