"""Result tables as tab-separated text: numbers, and names left as written."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from ressat.base.files import replacing

TRUTH = {"True": True, "False": False}


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table in one step, with six significant digits; an undefined number is ``nan``."""
    with replacing(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.6g", na_rep="nan")


def read_table(path: str | Path, text: Collection[str]) -> pd.DataFrame:
    """Read what `write_table` wrote.

    Parameters
    ----------
    path
        The table.
    text
        Its text columns, which are left as written: a gene or patient may be called NA or nan, and a patient
        01. Columns that the table does not have are ignored.

    Returns
    -------
    pandas.DataFrame
        Text columns as text, truth values as bool, all others as numbers.
    """
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    for name in table.columns.difference(list(text)):
        values = table[name]
        is_truth = len(values) > 0 and values.isin(list(TRUTH)).all()
        table[name] = values.map(TRUTH) if is_truth else pd.to_numeric(values.mask(values == "nan"))
    return table
