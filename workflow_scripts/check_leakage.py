"""check_leakage: make sure that nothing of a fold's test sections is in its training sections.

Input
    tiles and expression of all training and test sections of the fold
Output
    sections: a row per section with its side and the fingerprints of slide and counts
Params
    sections (names, in the order of the inputs), patients and sides by section, within_patient
"""

from ressat.base.joblog import job_log
from ressat.base.tables import write_table
from ressat.checks.leakage import Content, check_fold

fold, params = snakemake.wildcards.fold, snakemake.params

with job_log(snakemake.log[0], f"check_leakage {fold}") as log:
    contents = [
        Content.read(tiles, expression, patient=params.patients[section], side=params.sides[section])
        for section, tiles, expression in zip(
            params.sections, snakemake.input.tiles, snakemake.input.expression, strict=True
        )
    ]
    table = check_fold(fold, contents, within_patient=params.within_patient)
    log.info("%d sections of %d patients", len(table), table["patient"].nunique())
    write_table(table, snakemake.output.sections)
