"""read_expression: read a section's raw counts and spot positions into one AnnData file.

Input
    the files of the section's counts; checked (the size of its slide)
Output
    expression: raw counts, spot centres in level-0 pixels, what was found and left out; genes: a table of
    the genes that were dropped or renamed
Params
    counts (their format and options), ids (symbol or ensembl)
"""

from ressat.base.anndata_file import write_anndata
from ressat.base.errors import about
from ressat.base.joblog import job_log
from ressat.base.tables import write_table
from ressat.checks.record import CheckRecord
from ressat.counts.expression_file import expression_anndata
from ressat.counts.format import CountsSource
from ressat.counts.gene_names import study_genes
from ressat.counts.reading import read_counts
from ressat.counts.usable_spots import usable_spots, with_counts_of, within_image

section, params = snakemake.wildcards.sample, snakemake.params

with job_log(snakemake.log[0], f"read_expression {section}") as log, about(section=section):
    files = {name: file for name, file in snakemake.input.items() if name != "checked"}
    spots = usable_spots(read_counts(CountsSource(files=files, **params.counts)))
    with about(file=spots.file):
        genes = study_genes(spots.genes, params.ids, spots.names_in)
    spots = with_counts_of(spots, genes.has_name)
    checked = CheckRecord.read(snakemake.input.checked)
    spots = within_image(spots, (checked.width, checked.height))
    adata = expression_anndata(section, spots, genes, params.ids)
    log.info("%d of %d spots kept, %d genes", adata.n_obs, spots.total, adata.n_vars)
    for reason, count in spots.left_out.items():
        log.info("left out, %s: %d", reason, count)
    for kind, count in spots.features_left_out.items():
        log.info("features that are not genes, %s: %d", kind, count)
    log.info("%d genes dropped or renamed", len(genes.changes))
    write_table(genes.changes, snakemake.output.genes)
    write_anndata(snakemake.output.expression, adata)
