"""fit_stain_reference: estimate the stains of the image that every section is normalised to.

Input
    image: a slide or a picture
Output
    stain: its stains as JSON
Params
    method, max_pixels, seed
"""

from pathlib import Path

from ressat.base.errors import about
from ressat.base.joblog import job_log
from ressat.stain.reference import reference_pixels
from ressat.stain.section_stain import fit_reference

image, params = snakemake.input.image, snakemake.params

with job_log(snakemake.log[0], "fit_stain_reference"), about(file=image):
    pixels = reference_pixels(image, params.max_pixels, params.seed)
    fit_reference(Path(image).name, params.method, pixels).write(snakemake.output.stain)
