"""Stain normalisation after Reinhard et al. 2001."""

from dataclasses import dataclass

import numpy as np

from ressat.stain.method import MAX_GAIN, StainFitError, StainMethod
from ressat.stain.transform import PixelTransform

# Ruderman's l-alpha-beta space: RGB to LMS, then to decorrelated axes after a logarithm.
RGB_TO_LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
# No axis of l-alpha-beta of 8-bit RGB goes further: white is at 9.6.
LARGEST = 10.0
LMS_TO_LAB = np.diag(1 / np.sqrt([3.0, 6.0, 2.0])) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])


@dataclass(frozen=True)
class ReinhardStatistics:
    """Mean and standard deviation in l-alpha-beta of 8-bit RGB, shape (3,) each (Reinhard et al. 2001)."""

    mean: np.ndarray
    sd: np.ndarray


class Reinhard(StainMethod[ReinhardStatistics]):
    """Mean and standard deviation of each axis of l-alpha-beta."""

    name = "reinhard"
    stains = ReinhardStatistics
    # HistomicsTK's reference for Reinhard normalisation: TCGA-A2-A3XS-DX1 (Amgad et al. 2019).
    published = ReinhardStatistics(
        np.array([8.74108109, -0.12440419, 0.0444982]), np.array([0.6135447, 0.10989545, 0.0286032])
    )
    words = "after Reinhard"
    citation = "Reinhard et al. Color transfer between images. IEEE CG&A 2001."

    def _fit(self, rgb: np.ndarray, tissue: np.ndarray) -> ReinhardStatistics:
        lab = np.log1p(tissue.astype(np.float64) @ RGB_TO_LMS.T) @ LMS_TO_LAB.T
        return ReinhardStatistics(lab.mean(axis=0), lab.std(axis=0))

    def _check(self, statistics: ReinhardStatistics) -> None:
        if max(np.abs(statistics.mean).max(), statistics.sd.max()) > LARGEST:
            raise StainFitError("the mean or deviation is larger than 8-bit RGB can have")
        if (statistics.sd * MAX_GAIN < self.published.sd).any():
            raise StainFitError(
                f"one colour only: differences of colour would be amplified more than {MAX_GAIN:.0f} times"
            )

    def transform(self, source: ReinhardStatistics, reference: ReinhardStatistics) -> PixelTransform:
        """Shift and scale each l-alpha-beta axis to the reference's mean and standard deviation."""
        scale = np.diag(reference.sd / source.sd)
        back = np.linalg.inv(LMS_TO_LAB)
        matrix = back @ scale @ LMS_TO_LAB
        offset = back @ (reference.mean - scale @ source.mean)
        return PixelTransform(RGB_TO_LMS, matrix, offset, np.linalg.inv(RGB_TO_LMS))


MEMBER = Reinhard()
