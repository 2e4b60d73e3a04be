"""Parquet files, which may have many more rows, or longer texts, than what they store of them."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from ressat.base.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

# A row of real positions or shapes has a float64 that differs in each, so it takes more than ten bytes. A
# million rows fit anywhere.
ROWS_PER_BYTE, ALWAYS_FITS = 1, 1_000_000
# Positions have 6 columns, and shapes 2 or 3.
MOST_COLUMNS = 1000
# How many bytes the columns may take unpacked, times the size of the file; and how many they always may.
PLAUSIBLY_PACKED, SMALL = 100, 1 << 28
# A barcode has 20 characters.
LONGEST_TEXT = 200


def refuse_swollen_parquet(file: str) -> None:
    """Refuse a parquet file that has more rows, or unpacks to more, than a table of its size can.

    Parameters
    ----------
    file
        The file; only its metadata are read.

    Raises
    ------
    InputError
        If it does.
    Exception
        Of many kinds, if it is no parquet.
    """
    # Imported here: it takes a while, and only some sections have such files.
    from pyarrow import parquet

    size = os.path.getsize(file)
    with parquet.ParquetFile(file) as content:
        table = content.metadata
        groups = [table.row_group(number) for number in range(table.num_row_groups)]
    rows = max(table.num_rows, sum(group.num_rows for group in groups))
    unpacked = sum(group.total_byte_size for group in groups)
    if (
        rows > max(ALWAYS_FITS, ROWS_PER_BYTE * size)
        or table.num_columns > MOST_COLUMNS
        or unpacked > max(SMALL, PLAUSIBLY_PACKED * size)
    ):
        raise InputError(
            f"{rows} rows of {table.num_columns} columns, {unpacked / 1e6:.3g} MB, "
            f"in a file of {size / 1e6:.3g} MB",
            expected=f"a table of spots: at least a byte per row, up to {MOST_COLUMNS} columns, unpacked "
            f"at most {PLAUSIBLY_PACKED} times its size",
            action="look at what it holds, and export it again",
        )


def read_flat_columns(file: str, names: Sequence[str]) -> pd.DataFrame:
    """Read columns of a parquet file by name, also one that pandas wrote as the index.

    Parameters
    ----------
    file
        The file.
    names
        Of columns.

    Returns
    -------
    pandas.DataFrame
        The columns; if the file has not each of them once, all of its columns, without rows.

    Raises
    ------
    InputError
        If it declares more than it can hold (see `refuse_swollen_parquet`), a column holds lists, or a text
        is too long for a name.
    Exception
        Of many kinds, if it is no parquet.
    """
    import pyarrow as pa
    from pyarrow import parquet

    refuse_swollen_parquet(file)
    schema = parquet.read_schema(file)
    if any(schema.names.count(name) != 1 for name in names):
        return pd.DataFrame(columns=schema.names)
    for name in names:
        if pa.types.is_nested(schema.field(name).type):
            raise InputError(
                f"the column {name} holds {schema.field(name).type}",
                expected="a number or a text in each row",
                action="export it again",
            )
    # A text that stands in a million rows is stored once. So look at each once before they are repeated.
    with parquet.ParquetFile(file, read_dictionary=list(names)) as content:
        table = content.read(columns=list(names))
    for place, name in enumerate(table.column_names):
        column = table[name]
        if pa.types.is_dictionary(column.type):
            for chunk in column.chunks:
                _refuse_long(name, chunk.dictionary)
            table = table.set_column(place, name, column.cast(column.type.value_type))
    return table.to_pandas(ignore_metadata=True)


def _refuse_long(name: str, texts: "pa.Array") -> None:
    import pyarrow as pa
    from pyarrow import compute

    is_text = any(
        kind(texts.type) for kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)
    )
    longest = (compute.max(compute.binary_length(texts)).as_py() or 0) if is_text else 0
    if longest > LONGEST_TEXT:
        raise InputError(
            f"a {name} of {longest} characters",
            expected=f"at most {LONGEST_TEXT}",
            action="export it again",
        )
