"""Parquet files, whose rows may be many more than what they store of them."""

import os

from ressat.base.errors import InputError

# The shortest row of real positions or shapes, with a float64 that differs in each, takes more than ten bytes.
# A million rows fit anywhere.
ROWS_PER_BYTE, ALWAYS_FITS = 1, 1_000_000
# Positions have 6 columns, and shapes 2 or 3.
MOST_COLUMNS = 1000
# What the columns may take unpacked, times the size of the file; and what may always.
PLAUSIBLY_PACKED, SMALL = 100, 1 << 28


def refuse_swollen_parquet(file: str) -> None:
    """Refuse a parquet file that has more rows, or unpacks to more, than a table of its size can.

    Parameters
    ----------
    file
        The file; its metadata alone are read.

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
        about = content.metadata
        rows, columns = about.num_rows, about.num_columns
        groups = [about.row_group(number) for number in range(about.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    rows = max(rows, *(group.num_rows for group in groups), 0)
    if (
        rows > max(ALWAYS_FITS, ROWS_PER_BYTE * size)
        or columns > MOST_COLUMNS
        or unpacked > max(SMALL, PLAUSIBLY_PACKED * size)
    ):
        raise InputError(
            f"{rows} rows of {columns} columns, {unpacked / 1e6:.0f} MB, in a file of {size / 1e6:.3g} MB",
            expected=f"a table of spots, with at least a byte per row and up to {MOST_COLUMNS} columns, that "
            f"unpacks to at most {PLAUSIBLY_PACKED} times its size",
            action="export it again",
        )
