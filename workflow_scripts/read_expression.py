"""read_expression: read a section's raw counts and spot positions into one AnnData file.

Input
    the files of the section's format: matrix, positions, scalefactors | h5ad | counts, spots
Output
    expression: raw counts, spot centres in level-0 pixels, what was found and left out
Params
    format (space_ranger, h5ad or legacy)
"""

from ressat import expression_readers, keys
from ressat.counts_check import Counts, check_spots
from ressat.files import replacing
from ressat.joblog import job_log

READERS = {
    keys.SPACE_RANGER: expression_readers.read_space_ranger,
    keys.H5AD: expression_readers.read_h5ad,
    keys.LEGACY: expression_readers.read_legacy,
}

section = snakemake.wildcards.sample

with job_log(snakemake.log[0], f"read_expression {section}") as log:
    files = {name: str(file) for name, file in snakemake.input.items()}
    adata = READERS[snakemake.params.format](section, **files)
    found = adata.uns[keys.UNS]
    log.info("%d of %d spots kept, %d genes", adata.n_obs, found["spots_found"], adata.n_vars)
    for reason, count in found["spots_left_out"].items():
        log.info("left out, %s: %d", reason, count)
    check_spots(Counts(section, next(iter(files.values())), adata.obs, adata.var_names))
    with replacing(snakemake.output.expression) as temporary:
        adata.write_h5ad(temporary, compression="gzip")
