"""fit_stain: estimate a section's stains and the transform to the reference.

Input
    slide, tiles, and reference (the fit of a reference section or image) where one is named
Output
    stain: the transform as JSON; preview: tiles before and after
Params
    method, is_reference (whether this section is the reference), max_pixels, seed
"""

from ressat.base.errors import about
from ressat.base.files import replacing
from ressat.base.joblog import job_log
from ressat.slides.slide import Slide
from ressat.stain.methods.registry import METHODS
from ressat.stain.preview import PREVIEW_TILES, stain_preview
from ressat.stain.sampling import preview_tiles, sample_pixels
from ressat.stain.section_stain import SectionStain, fit_reference, fit_section
from ressat.tiles.table import Tiles

section, params = snakemake.wildcards.sample, snakemake.params

with (
    job_log(snakemake.log[0], f"fit_stain {section}") as log,
    about(section=section),
    Slide(snakemake.input.slide) as slide,
):
    tiles = Tiles.read(snakemake.input.tiles)
    pixels = sample_pixels(slide, tiles.coords, tiles.tissue, tiles.geometry, params.max_pixels, params.seed)
    if params.is_reference and METHODS.load(params.method):
        with about(file=snakemake.input.slide):
            section_stain = fit_reference(section, params.method, pixels)
    else:
        reference = SectionStain.read(snakemake.input.reference) if snakemake.input.get("reference") else None
        section_stain = fit_section(section, params.method, pixels, reference)
    if section_stain.fallback:
        log.warning("stain normalisation is left out for this section: %s", section_stain.fallback)
    log.info(
        "method %s, reference %s, %d tissue pixels",
        section_stain.method,
        section_stain.reference_name,
        section_stain.pixels,
    )
    section_stain.write(snakemake.output.stain)

    before = preview_tiles(slide, tiles.coords, tiles.tissue, tiles.geometry, PREVIEW_TILES)
    transform = section_stain.transform
    after = before if transform is None else [transform.apply(tile) for tile in before]
    with replacing(snakemake.output.preview) as temporary:
        stain_preview(before, after).save(temporary, format="PNG")
