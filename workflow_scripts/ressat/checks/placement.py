"""How well spots fit the tissue of a slide, where they are said to lie and where they might lie instead."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import numpy as np

from ressat.checks.scale_sources import scale_meaning
from ressat.checks.slide_content import ON_TISSUE
from ressat.counts.usable_spots import inside_image
from ressat.tiles.boxes import BoxMeans

# More spots than this say nothing more, and take longer.
MOST_SPOTS_COMPARED = 2000
# Scales and shifts are first tried with so many of them, and the best few of them with all.
FEW_SPOTS, BEST = 500, 5
# Shifts of all spots that are tried, in spot pitches along each axis.
SHIFTS = np.arange(-8, 9)
# Scales that are tried, each 1.5 % from the next: from a lowres image of a large slide to the reverse.
SCALES = np.geomspace(1 / 60, 60, 550)


@dataclass(frozen=True)
class Fit:
    """How well spots fit the tissue.

    Attributes
    ----------
    share
        Share of the spots that lie on tissue, 0 to 1.
    correlation
        Spearman's, of the spots' total counts with the darkness of the stain there; 0 where one is constant.
    covered
        Share of the slide's tissue that the spots cover, 0 to 1.
    """

    share: float
    correlation: float
    covered: float

    @property
    def total(self) -> float:
        """Share plus correlation: 1.4 to 1.7 at the right places of seven real sections, else at most 1.3."""
        return self.share + self.correlation


@dataclass(frozen=True)
class Alternative:
    """Other places for the spots, what is wrong if the spots belong there, and how well they fit.

    Attributes
    ----------
    kind
        ``turned``, ``scaled`` or ``shifted``.
    meaning
        What is wrong if the spots belong there, as a clause.
    action
        What the user can do about it then, as an imperative.
    fit
        Of the spots in these places.
    """

    kind: str
    meaning: str
    action: str
    fit: Fit


class Placement:
    """Spots on a slide.

    Parameters
    ----------
    mask
        Where tissue is, boolean, shape (h, w).
    image
        The low-resolution image that the mask was made from, uint8, shape (h, w, 3).
    downsample
        Level-0 pixels per pixel of both.
    size
        Width and height of the slide, level-0 pixels.
    coords
        Centres of the spots, level-0 pixels, shape (n, 2).
    counts
        Total counts of each, shape (n,).
    pitch
        Distance between neighbouring spots, level-0 pixels.

    Attributes
    ----------
    size, spots
        Size of the slide, and number of spots.
    bounds
        Smallest and largest x and y of the spots.
    outside
        How many spots lie outside the image.
    compared
        How many spots the fits are worked out from.
    """

    def __init__(
        self,
        mask: np.ndarray,
        image: np.ndarray,
        downsample: float,
        size: tuple[int, int],
        coords: np.ndarray,
        counts: np.ndarray,
        pitch: float,
    ) -> None:
        self._tissue, self._downsample = BoxMeans(mask), downsample
        # Optical density of the mean over channels: both stains make it grow.
        self._density = BoxMeans(-np.log((image.mean(axis=-1, dtype=np.float32) + 1) / 256))
        self.size, self._pitch = size, pitch
        self._lay(coords, counts)

    def _lay(self, coords: np.ndarray, counts: np.ndarray) -> None:
        sample = np.linspace(0, len(coords) - 1, min(len(coords), MOST_SPOTS_COMPARED)).round().astype(int)
        self.spots = len(coords)
        self.bounds = coords.min(axis=0), coords.max(axis=0)
        self._all, self._is_inside = (coords, counts), inside_image(coords, self.size)
        self.outside = int((~self._is_inside).sum())
        self.compared = len(sample)
        self._coords = coords[sample].astype(float)
        self._spots_each = len(coords) / len(sample)
        self._ranks = _standardised(_ranks(counts[sample]))

    def within(self) -> "Placement":
        """Return the placement of the spots inside the image, of which there must be some."""
        inside = copy(self)
        inside._lay(*(values[self._is_inside] for values in self._all))
        return inside

    def _few(self) -> "Placement":
        """The placement of some of the spots, evenly drawn."""
        few = copy(self)
        coords, counts = self._all
        step = -(-len(coords) // FEW_SPOTS)
        few._lay(coords[::step], counts[::step])
        return few

    @property
    def fit(self) -> Fit:
        """The fit where the spots are said to lie."""
        return self._fit(self._coords, self._pitch)

    def alternatives(self, hires: float | None = None, lowres: float | None = None) -> list[Alternative]:
        """Return other places within the image, those that fit best first.

        Parameters
        ----------
        hires, lowres
            Pixels of Space Ranger's images per pixel of the full-resolution image, where known.
        """
        alternatives = [*self._turned(), *self._scaled(hires, lowres), *self._shifted()]
        return sorted(alternatives, key=lambda alternative: -alternative.fit.total)

    def _turned(self) -> Iterator[Alternative]:
        """Spots of an image that was mirrored or turned, or whose columns were mixed up."""
        x, y = self._coords.T
        width, height = np.array(self.size)
        export = "export the image again as it was when the coordinates were made, or correct the coordinates"
        for meaning, action, places in (
            ("x and y are swapped", "swap the two columns of the coordinates", (y, x)),
            ("the x axis is mirrored", export, (width - x, y)),
            ("the y axis is mirrored (counted from the bottom, say)", export, (x, height - y)),
            ("the image is turned by 180 degrees", export, (width - x, height - y)),
            ("the image is turned by 90 degrees clockwise", export, (width - y, x)),
            ("the image is turned by 90 degrees counter-clockwise", export, (y, height - x)),
            ("the image is turned by 90 degrees and mirrored", export, (width - y, height - x)),
        ):
            coords = np.column_stack(places)
            if self._inside(coords):
                yield Alternative("turned", meaning, action, self._fit(coords, self._pitch))

    def _scaled(self, hires: float | None, lowres: float | None) -> Iterator[Alternative]:
        """The scale, from the image's corner, at which the spots fit the tissue best."""
        few, pitch = self._few(), self._pitch
        possible = [
            scale
            for scale in SCALES
            # Within the image, and not so small that all spots share one patch of it.
            if self._inside(self._coords * scale) and pitch * scale >= self._downsample
        ]
        if not possible:
            return
        best = sorted(possible, key=lambda scale: -few._fit(few._coords * scale, pitch * scale).total)[:BEST]
        fits = [(scale, self._fit(self._coords * scale, pitch * scale)) for scale in best]
        scale, fit = max(fits, key=lambda pair: pair[1].total)
        meaning, action = scale_meaning(scale, hires, lowres)
        yield Alternative("scaled", meaning, action, fit)

    def _shifted(self) -> Iterator[Alternative]:
        """The best place some pitches away; on the section's own slide no shift fits better than none."""
        few, pitch = self._few(), self._pitch
        steps = [(dx, dy) for dx in SHIFTS for dy in SHIFTS if max(abs(dx), abs(dy)) > 1]
        steps.sort(key=lambda step: -few._fit(few._coords + np.array(step) * pitch, pitch).total)
        fits = [(self._fit(self._coords + np.array(step) * pitch, pitch), step) for step in steps[:BEST]]
        fit, (dx, dy) = max(fits, key=lambda pair: pair[0].total)
        right, down = round(float(dx * self._pitch)), round(float(dy * self._pitch))
        yield Alternative(
            "shifted",
            f"the image is cropped, or of another section (spots fit better moved by {right}, {down} px)",
            "give the exact image that the coordinates were made for",
            fit,
        )

    def _inside(self, coords: np.ndarray) -> bool:
        # A pixel row more or less is no reason to rule out a turned image.
        return bool(((coords >= -1) & (coords <= np.array(self.size) + 1)).all())

    def _fit(self, coords: np.ndarray, edge: float) -> Fit:
        x, y = coords.T / self._downsample
        box = max(1.0, edge / self._downsample)
        tissue = self._tissue.at(x, y, box)
        darkness = _standardised(_ranks(self._density.at(x, y, box)))
        covered = tissue.sum() * self._spots_each * box**2 / max(self._tissue.total, 1)
        return Fit(
            float((tissue >= ON_TISSUE).mean()), float(darkness @ self._ranks), min(1.0, float(covered))
        )


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks, ties at their mean rank: as by scipy.stats, which takes longer to import than a check takes."""
    _, place, number = np.unique(values, return_inverse=True, return_counts=True)
    return (number.cumsum() - (number - 1) / 2)[place]


def _standardised(values: np.ndarray) -> np.ndarray:
    """Values of mean 0 and length 1, so that a product of two is their correlation; 0 where constant."""
    centred = values - values.mean()
    length = np.linalg.norm(centred)
    return centred / length if length > 0 else centred
