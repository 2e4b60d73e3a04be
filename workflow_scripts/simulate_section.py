"""simulate_section: simulate a section of a demonstration study, with its Space Ranger outs/.

Planted genes follow what can be seen in the image, so that a study needs no download and its right
answer is known. The same seed gives the same pixels and the same counts.

Output
    slide: a pyramidal tiled TIFF with its pixel size.
    matrix: filtered_feature_bc_matrix.h5, the spots on tissue only.
    positions, scalefactors, hires, lowres: Space Ranger 2's tissue_positions.csv, scalefactors_json.json,
        tissue_hires_image.png and tissue_lowres_image.png, all in spatial/.
    truth: TSV of gene, kind (planted, noise), covariate (density, eosin, none), direction (up, down, none).
Params
    section: what config.yaml says under `simulate: sections: NAME:`; every key may be left out.
        seed (1): of layout, stain, scanner noise and counts.
        rows (14), cols (14): rows of spots, and spots per row.
        mpp (0.5): um/px.
        genes: {density (10), eosin (10), noise (20)}: pairs of genes, one rising and one falling, planted on
            nuclear density and on eosin; and genes of pure noise. The same for all sections of a study.
        depth: {counts (4000), slope (0)}: mean counts of a spot, and how much their logarithm rises with
            nuclear density.
"""

import os

# libvips takes its number of threads from here when it is loaded.
os.environ["VIPS_CONCURRENCY"] = str(snakemake.threads)

import json

from ressat.base.errors import about
from ressat.base.files import write_text
from ressat.base.joblog import job_log
from ressat.simulate import expression
from ressat.simulate.tissue import draw_tissue, write_slide

sample = snakemake.wildcards.sample
with job_log(snakemake.log[0], f"simulate_section {sample}") as log, about(section=sample):
    settings, gene_settings, depth = expression.read_settings(snakemake.params.section)
    tissue = draw_tissue(settings)
    write_slide(snakemake.output.slide, tissue.image, settings.mpp)
    log.info("drew %d nuclei on %d x %d px", len(tissue.nuclei), *settings.shape[::-1])

    positions = expression.array_positions(settings, tissue)
    # Space Ranger sorts the matrix by barcode, and the positions by row and column.
    spots = positions[positions["in_tissue"] == 1].sort_values("barcode")
    tiles = expression.measure_tiles(tissue, spots, settings.mpp)
    genes = expression.gene_table(gene_settings)
    counts = expression.simulate_counts(tiles, genes, settings.seed, depth)
    log.info("%d of %d spots lie on tissue; %d counts", len(spots), len(positions), counts.sum())

    expression.write_matrix(snakemake.output.matrix, counts, list(tiles.index), list(genes["gene"]), sample)
    write_text(snakemake.output.positions, positions.to_csv(index=False))
    hires = expression.write_preview(snakemake.output.hires, tissue.image, expression.HIRES_PX)
    lowres = expression.write_preview(snakemake.output.lowres, tissue.image, expression.LOWRES_PX)
    scales = expression.scalefactors(settings.mpp, hires, lowres)
    write_text(snakemake.output.scalefactors, json.dumps(scales))
    write_text(snakemake.output.truth, genes.to_csv(sep="\t", index=False))
