"""Result tables as tab-separated text: numbers, and names as they stand."""

from pathlib import Path

import pandas as pd

from ressat.base.files import replacing

# Columns of names: a gene or patient may be called NA or nan, and a patient 01.
NAMES = frozenset(
    (
        *(
            "protocol",
            "level",
            "fold",
            "sample",
            "section",
            "sections",
            "trained_on",
            "patient",
            "gene",
            "spot",
            "model",
        ),
        *(
            "layer",
            "panel",
            "method",
            "side",
            "stage",
            "claim",
            "change",
            "reason",
            "name",
            "slide_sha256",
            "counts_sha256",
        ),
    )
)
TRUTH = {"True": True, "False": False}


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as a whole, with six significant digits; an undefined number is ``nan``."""
    with replacing(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.6g", na_rep="nan")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read what `write_table` wrote: names as text, truth values as such, all else as numbers."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    for name in table.columns.difference(list(NAMES)):
        values = table[name]
        is_truth = len(values) > 0 and values.isin(list(TRUTH)).all()
        table[name] = values.map(TRUTH) if is_truth else pd.to_numeric(values.mask(values == "nan"))
    return table
