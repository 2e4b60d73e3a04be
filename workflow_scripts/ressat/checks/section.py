"""Everything that can be wrong with one section's files, found in its first minute."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ressat.base.errors import InputError, about
from ressat.checks.alignment import check_placement, section_scale
from ressat.checks.placement import Fit, Placement
from ressat.checks.record import CheckRecord
from ressat.checks.slide_content import check_colour, check_tissue
from ressat.checks.stain_colours import refuse_misread, warn_of_other_colours
from ressat.checks.thumbnail import Thumbnail, thumbnail
from ressat.counts.ensembl import without_version
from ressat.counts.format import CountsSource
from ressat.counts.gene_names import SYMBOL, StudyGenes, study_genes
from ressat.counts.reading import read_counts
from ressat.counts.spot_counts import SpotCounts
from ressat.counts.usable_spots import BEYOND_IMAGE, usable_spots, with_counts_of, within_image
from ressat.slides.scale import Scale
from ressat.tiles.tissue import tissue_mask

logger = logging.getLogger("ressat")

# Longer edge, in pixels, of the image that is looked at: spots are still several pixels wide on it.
PREVIEW_PX = 1200


@dataclass
class SectionCheck:
    """One check of one section: each part is looked at, whatever is wrong with the others.

    Attributes
    ----------
    section, slide
        Its name, and its slide as the sheet names it.
    problems, warnings
        What was found wrong, and what may be.
    genes
        Names of its genes in this study.
    gene_ids
        Their Ensembl ids without version, where the study goes by symbols; empty where a file has none.
    """

    section: str
    slide: Path
    problems: list[InputError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    genes: list[str] = field(default_factory=list)
    gene_ids: list[str] = field(default_factory=list)

    def run(
        self, *, counts: CountsSource | None, ids: str, mpp: float | None, min_on_tissue: float
    ) -> CheckRecord | None:
        """Look at slide, counts, gene names, scale and places.

        Parameters
        ----------
        counts
            Where the counts are; None for a section without counts.
        ids
            See `study_genes`.
        mpp
            um/px from the sheet; None where it has none.
        min_on_tissue
            See `check_placement`.

        Returns
        -------
        CheckRecord or None
            What was found; None if anything is wrong, which `problems` then lists.
        """
        image: Thumbnail | None = None
        spots: SpotCounts | None = None
        genes: StudyGenes | None = None
        scale: Scale | None = None
        fit: Fit | None = None
        with self._warnings_kept():
            with self._problems_kept(self.slide):
                slide = thumbnail(self.slide, PREVIEW_PX)
                check_colour(slide.lowres)
                refuse_misread(slide.lowres)
                image = slide
            if counts is not None:
                with self._problems_kept():
                    spots = usable_spots(read_counts(counts))
            if spots is not None:
                with self._problems_kept(spots.file):
                    genes = study_genes(spots.genes, ids, spots.names_in)
                    spots = with_counts_of(spots, genes.has_name)
                    self.genes = list(genes.names)
                    if ids == SYMBOL:
                        self.gene_ids = [without_version(gene or "") for gene in spots.genes["ensembl"]]
            if image is not None and (spots is not None or counts is None):
                array = None if spots is None else spots.array
                with self._problems_kept(self.slide):
                    scale = section_scale(sheet=mpp, tags=image.tagged_mpp, array=array)
            # Places are judged at this scale: if it is wrong, one cause would be reported twice.
            if scale is not None:
                mask = tissue_mask(image.lowres, scale.mpp * image.downsample)
                warn_of_other_colours(image.lowres, mask)
                with self._problems_kept(self.slide):
                    check_tissue(mask, only_warn=spots is not None and not min_on_tissue)
                    if spots is not None:
                        placement = _placement(image, mask, spots)
                        fit = check_placement(placement, array=spots.array, min_on_tissue=min_on_tissue)
                        spots = within_image(spots, image.size)
        if self.problems:
            return None
        width, height = image.size
        return CheckRecord(
            section=self.section,
            width=width,
            height=height,
            mpp=scale.mpp,
            mpp_source=scale.source,
            tissue_mm2=round(float(mask.sum()) * (scale.mpp * image.downsample / 1000) ** 2, 3),
            spots=None if spots is None else len(spots.spots),
            genes=None if genes is None else len(genes.names),
            on_tissue=None if fit is None else round(fit.share, 3),
            gene_changes=None if genes is None else len(genes.changes),
            warnings=self.warnings,
            beyond_image=None if spots is None else spots.left_out.get(BEYOND_IMAGE, 0),
        )

    @contextmanager
    def _problems_kept(self, file: str | Path | None = None) -> Iterator[None]:
        """Keep a problem with a file of this section, and go on."""
        try:
            with about(section=self.section, file=file):
                yield
        except InputError as error:
            self.problems.append(error)

    @contextmanager
    def _warnings_kept(self) -> Iterator[None]:
        class Keeper(logging.Handler):
            def emit(_, record: logging.LogRecord) -> None:
                self.warnings.append(record.getMessage())

        keeper = Keeper(logging.WARNING)
        logger.addHandler(keeper)
        try:
            yield
        finally:
            logger.removeHandler(keeper)


def _placement(image: Thumbnail, mask: np.ndarray, spots: SpotCounts) -> Placement:
    places = spots.places.loc[spots.spots, ["x", "y"]].to_numpy()
    totals = np.asarray(spots.counts.sum(axis=1)).ravel()
    return Placement(mask, image.lowres, image.downsample, image.size, places, totals, spots.array.pitch_px)
