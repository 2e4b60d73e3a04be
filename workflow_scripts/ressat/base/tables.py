"""Result tables as tab-separated text: numbers, and names left as written."""

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from ressat.base.files import replacing
from ressat.base.own_file import END, damaged, own_file, refuse_cut
from ressat.base.spreadsheet import as_text, restored

TRUTH = {"True": True, "False": False}


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table in one step, with six significant digits; an undefined number is ``nan``.

    Text that a spreadsheet would take for a formula gets an apostrophe, which `read_table` removes. An empty
    line ends the table, by which `read_table` sees that it is whole.
    """
    text = [
        name for name, column in table.items() if not is_numeric_dtype(column) and not is_bool_dtype(column)
    ]
    cells = table.assign(**{name: _each(table[name], as_text) for name in text})
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        cells.to_csv(file, sep="\t", index=False, float_format="%.6g", na_rep="nan", lineterminator="\n")
        file.write(END)


def read_table(path: str | Path, text: Collection[str]) -> pd.DataFrame:
    """Read what `write_table` wrote.

    Parameters
    ----------
    path
        The table.
    text
        Its text columns, which are left as written: a gene or patient may be called NA or nan, and a patient
        01.

    Returns
    -------
    pandas.DataFrame
        Text columns as text, truth values as bool, all others as numbers.

    Raises
    ------
    InputError
        If the table is cut short, lacks a text column, has a row of another length, or text or an infinite
        number in a column of numbers.
    """
    with own_file(path):
        refuse_cut(path)
        # A carriage return in a cell ends no line.
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, lineterminator="\n")
        missing = [name for name in text if name not in table]
        if missing:
            raise damaged(f"the column {missing[0]} is missing")
        if not isinstance(table.index, pd.RangeIndex):  # pandas takes surplus cells for names of rows
            raise damaged("its rows are longer than the header")
        for name in text:
            table[name] = _each(table[name], restored)
        for name in table.columns.difference(list(text)):
            values = table[name]
            # An undefined number is nan; pandas fills a row that is too short with empty cells.
            if (values == "").any():
                raise damaged(f"row {(values == '').argmax() + 1} has no {name}")
            is_truth = len(values) > 0 and values.isin(list(TRUTH)).all()
            table[name] = values.map(TRUTH) if is_truth else pd.to_numeric(values.mask(values == "nan"))
            if np.isinf(table[name].to_numpy(float)).any():
                raise damaged(f"column {name} has an infinite number")
    return table


def _each(column: pd.Series, change: Callable[[str], str]) -> pd.Series:
    """Change the texts in a column; nearly always there is nothing to change."""
    changes = {text: change(text) for text in column.unique() if isinstance(text, str)}
    changes = {text: new for text, new in changes.items() if new != text}
    return column.map(lambda text: changes.get(text, text)) if changes else column
