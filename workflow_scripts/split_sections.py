"""split_sections: write down the folds, which follow from sheet and config alone.

Output
    folds: a row per fold and section, with its side
Params
    rows: fold, sample, patient, side
"""

from ressat.base.files import write_text
from ressat.base.joblog import job_log
from ressat.base.own_file import END
from ressat.base.spreadsheet import as_text

COLUMNS = ("fold", "sample", "patient", "side")

with job_log(snakemake.log[0], "split_sections"):
    lines = [COLUMNS, *([as_text(row[name]) for name in COLUMNS] for row in snakemake.params.rows)]
    write_text(snakemake.output.folds, "".join("\t".join(line) + "\n" for line in lines) + END)
