"""Count matrices as 10x Genomics writes them: HDF5 of either version, and Matrix Market."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

import h5py
import numpy as np
import pandas as pd
from scipy import sparse

from ressat.base.errors import InputError, about, about_its_file
from ressat.base.hdf5_content import opened_hdf5, refuse_missing_filter
from ressat.base.machine import refuse_trouble
from ressat.counts.compression import READING_ERRORS, opened
from ressat.counts.genomes import refuse_several_genomes, several_genomes
from ressat.counts.hdf5_kind import TENX, refuse_no_hdf5, refuse_other_hdf5
from ressat.counts.matrix_faults import other_size, refuse_other_types
from ressat.counts.text_cells import read_cells

GENE_EXPRESSION = "Gene Expression"
# Bytes of text parsed at a time, and of a line: three numbers, or a comment.
BLOCK, LONGEST_ENTRY, LONGEST_COMMENT = 1 << 24, 200, 1 << 20
# Such numbers can crash pandas' parser.
LONG_NUMBER = re.compile(rb"[0-9.][eE][+-]?\d{4}|[^\s]{31}")
FIRST_LINE = re.compile(rb"[^\s][^\r\n]*")


@dataclass(frozen=True)
class Matrix:
    """A count matrix.

    Attributes
    ----------
    barcodes
        Shape (spots,).
    genes
        name, symbol and ensembl, a row per gene.
    counts
        float32, shape (spots, genes).
    other
        How many features were left out because they are not genes, by type.
    """

    barcodes: pd.Index
    genes: pd.DataFrame
    counts: sparse.csr_matrix
    other: dict[str, int]


@about_its_file
def read_h5_matrix(file: str) -> Matrix:
    """Read a matrix from an HDF5 file, of version 3 (group ``matrix``) or 2 (a group per genome).

    If version 2 holds several genomes, the one that has counts is read.

    Raises
    ------
    InputError
        If the file is not such a matrix, several genomes of version 2 have counts, or it holds no genes.
    """
    try:
        with opened_hdf5(file) as content:
            refuse_missing_filter(content)
            if isinstance(content.get("matrix"), h5py.Group):
                group = content["matrix"]
                features = group["features"]
                ids, names = _texts(features["id"]), _texts(features["name"])
                kinds = _texts(features["feature_type"]) if "feature_type" in features else None
            else:
                refuse_other_hdf5(content, TENX)
                group = _genome(content)
                ids, names, kinds = _texts(group["genes"]), _texts(group["gene_names"]), None
            barcodes = _texts(group["barcodes"])
            # Features x barcodes by columns, so barcodes x features by rows.
            parts = tuple(_numbers(group[name]) for name in ("data", "indices", "indptr"))
            counts = sparse.csr_matrix(parts, shape=(len(barcodes), len(ids)))
            counts.check_format(full_check=True)
            if kinds is not None and "genome" in features:
                refuse_several_genomes(_texts(features["genome"]), kinds == GENE_EXPRESSION, counts)
            return _genes_only(barcodes, ids, names, kinds, counts)
    except InputError:
        raise
    except Exception as error:  # h5py raises many kinds of errors for a broken file
        refuse_trouble(error)
        refuse_no_hdf5(file, TENX)
        raise InputError(
            f"it cannot be read as a 10x count matrix ({error})",
            expected="filtered_feature_bc_matrix.h5 as Space Ranger writes it",
            action="copy it again from Space Ranger's outs",
        ) from error


@about_its_file
def read_mtx_matrix(matrix: str, features: str, barcodes: str) -> Matrix:
    """Read a matrix from the three files of a folder, each plain or gzipped.

    Parameters
    ----------
    matrix, features, barcodes
        ``matrix.mtx``, ``features.tsv`` (or the older ``genes.tsv``) and ``barcodes.tsv``.

    Raises
    ------
    InputError
        If a file is not what its name says, they do not belong to the same matrix, or it holds no genes.
    """
    rows, spots = read_cells(features), read_cells(barcodes)
    names = spots[0]
    # In a file with a single column, that column has the names too.
    ids, symbols = rows[0], rows[min(1, rows.shape[1] - 1)]
    kinds = rows[2].to_numpy() if rows.shape[1] > 2 else None
    if kinds is not None:
        with about(file=features):
            refuse_other_types(rows[2])
    try:
        counts = _read_entries(matrix, rows, spots)
        return _genes_only(names.to_numpy(), ids.to_numpy(), symbols.to_numpy(), kinds, counts)
    except (*READING_ERRORS, ValueError, OverflowError, MemoryError) as error:
        refuse_trouble(error)
        raise InputError(
            f"it cannot be read as a Matrix Market file ({str(error).strip()})",
            expected="matrix.mtx or matrix.mtx.gz as Space Ranger writes it",
            action="copy it again from Space Ranger's outs",
        ) from error


def _read_entries(file: str, features: pd.DataFrame, barcodes: pd.DataFrame) -> sparse.csr_matrix:
    """Read a Matrix Market file by barcode and feature; scipy's reader crashes on a damaged one."""
    with opened(file) as handle:
        head = handle.readline(200).split()
        if [word.lower() for word in head[:3]] != [b"%%matrixmarket", b"matrix", b"coordinate"]:
            raise ValueError("it does not begin with %%MatrixMarket matrix coordinate")
        line = handle.readline(LONGEST_COMMENT)
        while line.startswith(b"%"):
            line = handle.readline(LONGEST_COMMENT)
        rows, columns, entries = (int(word) for word in line.split())
        # For a matrix without entries, writers declare any type.
        kind = [word.lower() for word in head[3:]]
        if entries and kind not in ([b"integer", b"general"], [b"real", b"general"]):
            raise ValueError(f"its values are {b' '.join(head[3:]).decode(errors='replace')}")
        if (rows, columns) != (len(features), len(barcodes)):
            raise other_size((rows, columns), features, barcodes)
        parts = _parts(handle, min(entries, rows * columns), entries)
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(np.zeros((0, 3)))
    if len(table) != entries:
        raise ValueError(f"{len(table)} entries where it says {entries}")
    feature, barcode = (table[column].to_numpy().astype(np.int64) - 1 for column in (0, 1))
    if entries and not (
        feature.min() >= 0 and feature.max() < rows and barcode.min() >= 0 and barcode.max() < columns
    ):
        raise ValueError(f"an entry outside {rows} x {columns}")
    with np.errstate(over="ignore"):  # infinite beyond float32; refused when values are checked
        values = table[2].to_numpy(dtype=np.float32)
    return sparse.csr_matrix((values, (barcode, feature)), shape=(columns, rows))


def _parts(handle: BinaryIO, most: int, declared: int) -> list[pd.DataFrame]:
    """All entries, block by block; refuses more of them than there can be before they fill the memory."""
    parts: list[pd.DataFrame] = []
    number = 0
    for block in _blocks(handle):
        parts.append(_entries(block))
        number += len(parts[-1])
        if number > most:
            raise ValueError(f"{number} entries or more where it says {declared}")
    return parts


def _blocks(handle: BinaryIO) -> Iterator[bytes]:
    """Whole lines, many at a time."""
    while block := handle.read(BLOCK):
        rest = b"" if block.endswith(b"\n") else handle.readline(LONGEST_ENTRY)
        if len(rest) == LONGEST_ENTRY and not rest.endswith(b"\n"):
            raise _long_line()
        yield block + rest


def _entries(block: bytes) -> pd.DataFrame:
    """Row, column and value of some lines."""
    if LONG_NUMBER.search(block):
        raise ValueError("a number of more than 30 characters or with an endless exponent")
    first = FIRST_LINE.search(block)
    if first is None:
        return pd.DataFrame({0: np.zeros(0, int), 1: np.zeros(0, int), 2: np.zeros(0)})
    # pandas makes as many columns as the first line has, without end for a line without end.
    if len(first[0]) > LONGEST_ENTRY:
        raise _long_line()
    table = pd.read_csv(
        BytesIO(block), sep=r"\s+", header=None, dtype={0: np.int64, 1: np.int64, 2: np.float64}
    )
    if table.shape[1] != 3:
        raise ValueError(f"{table.shape[1]} numbers in a line")
    return table


def _long_line() -> ValueError:
    return ValueError(f"a line of more than {LONGEST_ENTRY} characters")


def _numbers(array: h5py.Dataset) -> np.ndarray:
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise ValueError(f"{array.name} is {array.dtype} of shape {array.shape}")
    return array[()]


def _texts(array: h5py.Dataset) -> np.ndarray:
    if array.ndim != 1 or array.dtype.kind not in "SO":
        raise ValueError(f"{array.name} is {array.dtype} of shape {array.shape}")
    return np.array([cell.decode() for cell in array[()]], dtype=object)


def _genome(content: h5py.File) -> h5py.Group:
    """The group of a file of version 2."""
    genomes = [group for group in content.values() if isinstance(group, h5py.Group) and "genes" in group]
    with_counts = [group for group in genomes if group["data"].size]
    if len(genomes) > 1 and len(with_counts) > 1:
        raise several_genomes([group.name.strip("/") for group in with_counts])
    if not genomes:
        raise ValueError(f"no group matrix among {', '.join(content) or 'none'}")
    return (with_counts or genomes)[0]


def _genes_only(
    barcodes: np.ndarray,
    ids: np.ndarray,
    names: np.ndarray,
    kinds: np.ndarray | None,
    counts: sparse.csr_matrix,
) -> Matrix:
    """Keep only the features that are genes."""
    if not len(ids) == len(names) == (len(ids) if kinds is None else len(kinds)):
        raise ValueError(f"{len(ids)} ids, {len(names)} names and {len(kinds)} types of features")
    is_gene = np.ones(len(ids), dtype=bool) if kinds is None else kinds == GENE_EXPRESSION
    other = {} if kinds is None else pd.Series(kinds[~is_gene], dtype=object).value_counts().to_dict()
    if not is_gene.any():
        raise InputError(
            f"no gene among its {len(ids)} features" + "".join(f" ({kind})" for kind in list(other)[:1]),
            expected=f"features of type {GENE_EXPRESSION}",
            action="give the matrix of a run that measured gene expression",
        )
    with np.errstate(over="ignore"):  # infinite beyond float32; refused when values are checked
        counts = counts.astype(np.float32)
    counts.sum_duplicates()
    names, ids = names[is_gene], ids[is_gene]
    return Matrix(
        pd.Index(barcodes, dtype=object),
        pd.DataFrame({"name": names, "symbol": names, "ensembl": ids}, dtype=object),
        counts if is_gene.all() else counts[:, np.flatnonzero(is_gene)],
        other,
    )
