"""fit_stain: estimate a section's stains and the transform to the reference.

Input
    slide, tiles, and reference (the fit of a reference section or image) where one is named
Output
    stain: the transform as JSON; preview: tiles before and after
Params
    method, is_reference (whether this section is the reference), max_pixels, seed
"""

from ressat.base.files import replacing
from ressat.base.joblog import job_log
from ressat.slides.slide import Slide
from ressat.stain.sampling import preview_tiles, sample_pixels
from ressat.stain.section_stain import SectionStain, fit_reference, fit_section
from ressat.tiles import pictures
from ressat.tiles.table import Tiles

section, params = snakemake.wildcards.sample, snakemake.params

with job_log(snakemake.log[0], f"fit_stain {section}") as log, Slide(snakemake.input.slide, section) as slide:
    tiles = Tiles.read(snakemake.input.tiles)
    pixels = sample_pixels(slide, tiles.coords, tiles.tissue, tiles.geometry, params.max_pixels, params.seed)
    if params.is_reference and params.method != "none":
        fitted = fit_reference(section, params.method, pixels, snakemake.input.slide, section)
    else:
        reference = SectionStain.read(snakemake.input.reference) if snakemake.input.get("reference") else None
        fitted = fit_section(section, params.method, pixels, reference)
    if fitted.fallback:
        log.warning("stain normalisation is left out for this section: %s", fitted.fallback)
    log.info("method %s, reference %s, %d tissue pixels", fitted.method, fitted.reference_name, fitted.pixels)
    fitted.write(snakemake.output.stain)

    before = preview_tiles(slide, tiles.coords, tiles.tissue, tiles.geometry, pictures.PREVIEW_TILES)
    transform = fitted.transform
    after = before if transform is None else [transform.apply(tile) for tile in before]
    with replacing(snakemake.output.preview) as temporary:
        pictures.stain_preview(before, after).save(temporary, format="PNG")
