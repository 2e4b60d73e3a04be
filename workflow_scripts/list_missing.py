"""list_missing: write down which sections failed, and with them which predictions are missing.

Output
    missing: a row per fold and section
Params
    rows: fold, section, patient, side, reason, log
"""

from ressat.base.files import write_text
from ressat.base.joblog import job_log
from ressat.base.own_file import END
from ressat.base.spreadsheet import as_text

COLUMNS = ("fold", "section", "patient", "side", "reason", "log")

with job_log(snakemake.log[0], "list_missing"):
    rows = [[row[name] for name in COLUMNS] for row in snakemake.params.rows]
    # A sentence may quote what an input contains, tabs and line ends too.
    lines = [COLUMNS, *([as_text(" ".join(cell.split())) for cell in row] for row in rows)]
    write_text(snakemake.output.missing, "".join("\t".join(line) + "\n" for line in lines) + END)
