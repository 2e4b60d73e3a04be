"""Stain normalisation after Macenko et al. 2009."""

from dataclasses import dataclass

import numpy as np

from ressat.stain.method import MAX_GAIN, StainFitError, StainMethod
from ressat.stain.tissue_pixels import WHITE, optical_density
from ressat.stain.transform import PixelTransform

# The share of extreme angles that is left out (percent), as in the authors' code and torchstain.
ANGLE_PERCENTILE = 1.0
# Limit below which a fit is not trusted. Real H&E sections have their stains 15 to 48 degrees apart; scanner
# noise of 3 grey levels alone spreads a single stain over 7.
MIN_ANGLE_DEGREES = 9.0
# The darkest pixel, explained by vectors as close as that, has less.
MAX_CONCENTRATION = 100.0
# Published vectors are rounded.
UNIT_WITHIN = 0.01


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


class Macenko(StainMethod[MacenkoStains]):
    """Two stain vectors in optical density, and the largest concentration of each."""

    name = "macenko"
    stains = MacenkoStains
    # The reference of Macenko's published code, also torchstain's default.
    published = MacenkoStains(
        np.array([[0.5626, 0.2159], [0.7201, 0.8012], [0.4062, 0.5581]]), np.array([1.9705, 1.0308])
    )
    words = "after Macenko"
    citation = (
        "Macenko et al. A method for normalizing histology slides for quantitative analysis. ISBI 2009."
    )

    def _fit(self, rgb: np.ndarray, tissue: np.ndarray) -> MacenkoStains:
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
        return MacenkoStains(np.ascontiguousarray(vectors), np.percentile(concentrations, 99, axis=1))

    def _check(self, stains: MacenkoStains) -> None:
        vectors = stains.vectors
        if (np.abs(np.linalg.norm(vectors, axis=0) - 1) > UNIT_WITHIN).any():
            raise StainFitError("the stain vectors are not of unit length")
        if stains.angle_degrees < MIN_ANGLE_DEGREES:
            raise StainFitError(
                f"one stain only: the two stain vectors are {stains.angle_degrees:.1f} degrees apart, "
                f"{MIN_ANGLE_DEGREES:.0f} are needed"
            )
        if (vectors < -0.2).any() or (stains.max_concentrations <= 0.05).any():
            raise StainFitError("the estimated stains are not those of an H&E section (negative absorption)")
        if (stains.max_concentrations > MAX_CONCENTRATION).any():
            raise StainFitError("a stain is more concentrated than 8-bit RGB can show")
        gain = np.abs(self.transform(stains, self.published).matrix).max()
        if not gain <= MAX_GAIN:
            raise StainFitError(
                f"degenerate stain matrix: densities would be amplified {gain:.0f} times, at most "
                f"{MAX_GAIN:.0f} is allowed"
            )

    def transform(self, source: MacenkoStains, reference: MacenkoStains) -> PixelTransform:
        """OD' = HE_ref . diag(maxC_ref / maxC) . pinv(HE) . OD."""
        identity = np.eye(3)
        gain = np.diag(reference.max_concentrations / source.max_concentrations)
        matrix = reference.vectors @ gain @ np.linalg.pinv(source.vectors)
        white = np.full(3, np.log(WHITE))
        return PixelTransform(identity, matrix, white - matrix @ white, identity)

    def details(self, transform: PixelTransform) -> dict:
        """Return the matrix in optical density."""
        return {"matrix": transform.matrix.tolist()}


MEMBER = Macenko()
