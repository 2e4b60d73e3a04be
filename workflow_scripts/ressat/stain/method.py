"""What all methods of stain normalisation have in common."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import numpy as np

from ressat.stain.tissue_pixels import tissue_pixels
from ressat.stain.transform import PixelTransform

# A fit on fewer tissue pixels is not trusted.
MIN_PIXELS = 2_000
# Nor is a fit that would amplify densities, or differences of colour, by more than this.
MAX_GAIN = 8.0

Stains = TypeVar("Stains")


class StainFitError(ValueError):
    """A section's stains cannot be estimated; the message says why."""


class StainMethod(ABC, Generic[Stains]):
    """A method: how an image's stains are estimated, and mapped to a reference's.

    Attributes
    ----------
    name
        In settings and files.
    stains
        Class of what is estimated: a dataclass of arrays.
    published
        The reference that the method was published with.
    words, citation
        For the report's methods; ``words`` ends where the citation follows.
    """

    name: str
    stains: type[Stains]
    published: Stains
    words: str
    citation: str

    def fit(self, rgb: np.ndarray) -> Stains:
        """Estimate an image's stains from its pixels.

        Parameters
        ----------
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
        stains = self._fit(rgb, tissue)
        self.check(stains)
        return stains

    def check(self, stains: Stains) -> None:
        """Refuse stains that are not those of an H&E image, whether just estimated or read from a file.

        Raises
        ------
        StainFitError
            If an array has the wrong shape, a number is not finite, or the stains are degenerate.
        """
        for name, values in vars(stains).items():
            shape = getattr(self.published, name).shape
            if values.shape != shape or values.dtype.kind not in "fiu":
                raise StainFitError(f"{name} has shape {values.shape}, not {shape}")
            if not np.isfinite(values).all():
                raise StainFitError(f"{name} is not finite")
        self._check(stains)

    @abstractmethod
    def _check(self, stains: Stains) -> None:
        """Raise StainFitError for stains of the right shapes, all finite, that are degenerate."""

    @abstractmethod
    def _fit(self, rgb: np.ndarray, tissue: np.ndarray) -> Stains:
        """Estimate stains from all pixels, shape (n, 3), and from those that show tissue, shape (m, 3)."""

    @abstractmethod
    def transform(self, source: Stains, reference: Stains) -> PixelTransform:
        """Return the transform that gives an image the reference's stains."""

    def details(self, transform: PixelTransform) -> dict:
        """Return what the section's file records of a transform besides the stains."""
        return {}
