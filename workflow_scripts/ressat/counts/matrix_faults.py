"""What is wrong with the three files of a matrix that do not fit together."""

import pandas as pd

from ressat.base.errors import InputError

# Types of features that 10x Genomics writes.
FEATURE_TYPES = {
    "Gene Expression", "Antibody Capture", "Antigen Capture", "CRISPR Guide Capture", "Multiplexing Capture",
    "VDJ", "VDJ-T", "VDJ-B", "VDJ-T-GD", "Peaks", "Custom", "Protein Expression",
}  # fmt: skip


def other_size(shape: tuple[int, int], features: pd.DataFrame, barcodes: pd.DataFrame) -> InputError:
    """Say why a matrix is of another size than its features and barcodes.

    Parameters
    ----------
    shape
        Rows and columns of the matrix.
    features, barcodes
        The cells of the two other files.
    """
    rows, columns = shape
    if shape == (len(barcodes), len(features)):
        return InputError(
            f"a matrix of {rows} x {columns}, which is spots x genes",
            expected=f"genes x spots, {columns} x {rows}, as Space Ranger writes it",
            action="transpose the matrix, or write counts and places to an .h5ad file",
        )
    headers = [
        (name, ", ".join(cells.iloc[0].astype(str)))
        for name, cells, number in (("features", features, rows), ("barcodes", barcodes, columns))
        if len(cells) == number + 1
    ]
    others_fit = len(features) - rows in (0, 1) and len(barcodes) - columns in (0, 1)
    if headers and others_fit:
        told = " and ".join(f"of the {name} ({line})" for name, line in headers)
        return InputError(
            f"a matrix of {rows} x {columns}, but {len(features)} features and {len(barcodes)} barcodes: the "
            f"first line {told} seems to be a header",
            expected="files without a header",
            action="remove that line, if it names no feature or spot",
        )
    return InputError(
        f"a matrix of {rows} x {columns}, but {len(features)} features and {len(barcodes)} barcodes",
        expected="features and barcodes of the same matrix",
        action="copy the three files again from Space Ranger's outs",
    )


def refuse_other_types(kinds: pd.Series) -> None:
    """Refuse a third column of features that holds something else than their types, such as a biotype.

    Parameters
    ----------
    kinds
        The column.

    Raises
    ------
    InputError
        If it holds no type of 10x Genomics.
    """
    if len(kinds) and not kinds.isin(FEATURE_TYPES).any():
        found = ", ".join(kinds.drop_duplicates().astype(str)[:3])
        raise InputError(
            f"its third column holds {found}, which are no types of features",
            expected="Gene Expression there, or only two columns, ids and names",
            action="write Gene Expression into the third column of every gene, or remove that column",
        )
