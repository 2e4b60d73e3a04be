"""tile_slide: decide which tiles a section has. No tile image is written.

Input
    slide; checked (its scale); for a labelled section expression (its spots); for one whose features were
    made elsewhere given (their file) and patches (the file that states their size, where one is named)
Output
    tiles: coordinates, geometry, tissue and low-resolution image; counted: their number, from which later
    jobs get their memory and time; overlay: a picture of them
Params
    named (the slide as the sheet names it, as JSON), tile_um, tile_px, lowres_px; for tiles on a grid
    grid_um and min_tissue too
"""

import json

import numpy as np

from ressat.base.errors import about
from ressat.base.files import FORMAT_VERSION, UNS, replacing, write_text
from ressat.base.joblog import job_log
from ressat.base.results_h5ad import EXPRESSION, read_results
from ressat.checks.record import CheckRecord
from ressat.checks.slide_content import check_tiles, check_tiles_of_spots
from ressat.features.elsewhere.agreement import check_patches, patch_pitch
from ressat.features.elsewhere.patches import read_patches
from ressat.slides.scale import Scale
from ressat.slides.slide import Slide
from ressat.tiles import tiling
from ressat.tiles.overlay import tile_overlay
from ressat.tiles.table import Tiles
from ressat.tiles.tissue import box_fraction, tissue_mask

section, params = snakemake.wildcards.sample, snakemake.params

with (
    job_log(snakemake.log[0], f"tile_slide {section}") as log,
    about(section=section),
    Slide(snakemake.input.slide) as slide,
):
    checked = CheckRecord.read(snakemake.input.checked)
    scale = Scale(checked.mpp, checked.mpp_source)
    log.info("%d x %d px at %.4g um/px (from the %s)", *slide.size, scale.mpp, scale.source)

    geometry = tiling.tile_geometry(slide.downsamples, scale.mpp, params.tile_um, params.tile_px)
    lowres, downsample = slide.low_resolution(params.lowres_px)
    mask = tissue_mask(lowres, scale.mpp * downsample)

    if snakemake.input.get("expression"):
        spots = read_results(snakemake.input.expression, backed="r", needs=EXPRESSION)
        coords, barcodes = spots.obsm["spatial"], spots.obs_names.to_numpy(dtype=str)
        spot_px = spots.uns[UNS]["spot_px"]
    elif snakemake.input.get("given"):
        patches = read_patches(snakemake.input.given, snakemake.input.get("patches") or None)
        with about(file=snakemake.input.given):
            check_patches(patches, slide.size, scale.mpp, params.tile_um)
        coords, barcodes, spot_px = patches.centres, patches.barcodes, patch_pitch(patches)
        log.info("%d patches of %s", len(coords), patches.software)
    else:
        spot_px = params.grid_um / scale.mpp
        coords, barcodes = tiling.hexagonal_grid(slide.size, spot_px)
    tissue = box_fraction(mask, *(coords / downsample).T, geometry.edge / downsample)
    if snakemake.input.get("expression"):
        with about(file=json.loads(params.named)):
            check_tiles_of_spots(tissue, checked.on_tissue)
    elif not snakemake.input.get("given"):
        on_tissue = tissue >= params.min_tissue
        coords, barcodes, tissue = coords[on_tissue], barcodes[on_tissue], tissue[on_tissue]
        with about(file=json.loads(params.named)):
            check_tiles(len(coords), params.min_tissue)

    coords = np.round(coords).astype(np.int32)
    crossing = tiling.crossing_edge(coords, geometry.edge, slide.size)
    if geometry.read_px < geometry.tile_px / 2:
        log.warning("only %d px per tile: tiles are enlarged to %d px", geometry.read_px, geometry.tile_px)
    log.info("%d tiles, %d reach beyond the image and are padded", len(coords), crossing.sum())

    tiles = Tiles(
        section, coords, barcodes, tissue, lowres, downsample, scale, geometry, spot_px,
        int(crossing.sum()), slide.fingerprint(),
    )  # fmt: skip
    tiles.write(snakemake.output.tiles)
    number = {"tiles": len(coords), "version": FORMAT_VERSION}
    write_text(snakemake.output.counted, json.dumps(number, indent=2) + "\n")
    overlay = tile_overlay(lowres, downsample, coords, geometry.edge, mask, crossing)
    with replacing(snakemake.output.overlay) as temporary:
        overlay.save(temporary, format="PNG")
