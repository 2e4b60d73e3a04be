"""prepare_slide: rewrite a slide that OpenSlide cannot read as a pyramidal TIFF.

Input
    slide: a picture (JPEG, PNG, WebP) or a TIFF that OpenSlide does not read; checked: its scale.
Output
    slide: the same pixels as a tiled pyramidal TIFF, with the pixel size in its tags.
Params
    jpeg_quality: JPEG quality of the tiles, 1 to 100.
"""

import os

# libvips takes its number of threads from here when it is loaded.
os.environ["VIPS_CONCURRENCY"] = str(snakemake.threads)

from ressat.base.errors import about
from ressat.base.files import replacing
from ressat.base.joblog import job_log
from ressat.checks.record import CheckRecord
from ressat.slides import pyramid

sample = snakemake.wildcards.sample
with job_log(snakemake.log[0], f"prepare_slide {sample}") as log, about(section=sample):
    log.info("source: %s", snakemake.input.slide)
    with replacing(snakemake.output.slide) as target:
        size = pyramid.convert(
            snakemake.input.slide,
            target,
            mpp=CheckRecord.read(snakemake.input.checked).mpp,
            quality=snakemake.params.jpeg_quality,
        )
    log.info("size: %d x %d px", *size)
