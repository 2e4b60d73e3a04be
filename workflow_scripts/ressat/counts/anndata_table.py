"""Counts and genes in an AnnData table, as h5ad files and SpatialData stores hold it."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from ressat.base.errors import InputError
from ressat.counts.doubtful_counts import refuse_selected_genes, warn_of_bytes
from ressat.counts.ensembl import name_space
from ressat.counts.normalisation import describe, is_counts
from ressat.counts.row_numbers import are_row_numbers, column_of_names
from ressat.counts.sparse_matrix import refuse_damaged
from ressat.counts.usable_spots import first_odd, odd_count

if TYPE_CHECKING:
    import anndata

# Columns in which files keep gene names and ids, besides the index.
SYMBOL_COLUMNS = ("gene_symbols", "gene_symbol", "gene_name", "gene_names", "feature_name", "symbol", "name")
ID_COLUMNS = ("gene_ids", "gene_id", "ensembl_id", "ensembl", "feature_id", "id")
# In the column layer this means adata.raw, unless the file has a layer of that name.
RAW = "raw"


def refuse_damaged_matrices(adata: "anndata.AnnData") -> None:
    """Refuse a table of which a sparse matrix is damaged; before any use, also of some of its rows.

    Raises
    ------
    InputError
        See `refuse_damaged`.
    """
    for name, values in _layers(adata).items():
        refuse_damaged(values, name)


def read_values(adata: "anndata.AnnData", layer: str | None) -> tuple[sparse.csr_matrix, pd.DataFrame]:
    """Return the raw counts of a table, and its genes.

    Parameters
    ----------
    adata
        The table.
    layer
        The layer to read, or ``raw`` for ``adata.raw`` if no layer has that name; None for X.

    Returns
    -------
    scipy.sparse.csr_matrix
        float32, shape (spots, genes).
    pandas.DataFrame
        name, symbol and ensembl, a row per gene.

    Raises
    ------
    InputError
        If there is no such layer, or its values are not counts; the message then says what they look like,
        and which layer holds counts, if one does. Also if they are of some of the genes; see
        `refuse_selected_genes`.
    """
    layers = _layers(adata)
    name = layer or "X"
    if name not in layers:
        others = ", ".join(other for other in layers if other != "X") or "none"
        raise InputError(
            "no counts in X" if layer is None else f"no layer {layer} (layers: {others})",
            expected="raw counts in X, or in a layer that the column layer names",
            action="correct the column layer" if layer else "name the layer in the column layer",
        )
    genes = gene_names(gene_table(adata, layer))
    values = layers[name]
    if not _is_numeric(values):
        raise InputError(
            f"{name} holds {_kind(values)}",
            expected="raw counts: whole numbers, 0 or more",
            action=_elsewhere(layers, name),
        )
    counts = _float32(values)
    at = first_odd(counts)
    if at is not None:
        spots = pd.Index(adata.obs_names.astype(str))
        meaning = describe(counts)
        raise odd_count(
            counts,
            at,
            spots,
            genes["name"],
            meaning=f" in {name}" + (f", which looks like {meaning}" if meaning else ""),
            action=_elsewhere(layers, name),
        )
    warn_of_bytes(values, name)
    all_genes = layers.get(RAW) if name != RAW and adata.raw is not None else None
    is_numbers = all_genes is not None and _is_numeric(all_genes)
    refuse_selected_genes(adata, counts, _float32(all_genes) if is_numbers else None)
    return counts, genes


def gene_table(adata: "anndata.AnnData", layer: str | None) -> pd.DataFrame:
    """Return ``var`` for the genes of a layer.

    ``adata.raw`` has a ``var`` of its own, with other genes in another order and often without any column.
    Columns that it lacks are looked up in ``adata.var`` by the genes' names in its index; what no gene of
    ``adata.var`` says stays missing.

    Parameters
    ----------
    adata, layer
        As for `read_values`.
    """
    if layer != RAW or RAW in adata.layers or adata.raw is None:
        return adata.var
    own, other = adata.raw.var, adata.var
    names = own.index.astype(str)
    # Each table counts its own rows, so that a row number in both means two genes.
    if are_row_numbers(list(names)) or not own.index.isin(other.index).any():
        return own
    # If most genes are in raw alone, few would go by another kind of name than the others. Ensembl ids are
    # told from symbols, and such genes are refused later with a count of them.
    if own.index.isin(other.index).mean() < 0.5 and not _are_ids(names):
        return own
    once = other.loc[~other.index.duplicated(keep=False), other.columns.difference(own.columns, sort=False)]
    return pd.concat([own, once.reindex(own.index)], axis=1)


def names_elsewhere(adata: "anndata.AnnData", layer: str | None) -> str | None:
    """Say where a table seems to keep the names of genes that its index only numbers; see `SpotCounts`."""
    var = gene_table(adata, layer)
    if not are_row_numbers(list(var.index.astype(str))):
        return None
    column = column_of_names(var)
    where = "raw.var" if layer == RAW and RAW not in adata.layers else "var"
    if column is None:
        return None
    return f"{where}[{column!r}] ({', '.join(var[column].astype(str)[:3])} ...)"


def gene_names(var: pd.DataFrame) -> pd.DataFrame:
    """Return name, symbol and ensembl of each gene, from the index and commonly used columns."""
    index = pd.Series(var.index.astype(str), dtype=object)
    columns = {str(name).lower(): _texts(var[name]) for name in var.columns if isinstance(name, str)}
    # Of a table that was numbered anew, a column may hold the numbers of its rows.
    columns = {name: texts for name, texts in columns.items() if not are_row_numbers(list(texts))}
    symbols = _first(columns, SYMBOL_COLUMNS, lambda names: not _are_ids(names))
    ids = _first(columns, ID_COLUMNS, lambda names: _are_ids(names) or not names.equals(index))
    index_is_ids = _are_ids(index)
    if symbols is None and not index_is_ids:
        symbols = index
    if ids is None and index_is_ids:
        ids = index
    table = pd.DataFrame({"name": index, "symbol": symbols, "ensembl": ids}, dtype=object)
    return table.where(table.notna() & (table != ""), None)


def _layers(adata: "anndata.AnnData") -> dict[str, object]:
    """Matrices by what the sheet calls them; X first."""
    matrices = {"X": adata.X, **({} if adata.raw is None else {RAW: adata.raw.X}), **dict(adata.layers)}
    return {name: values for name, values in matrices.items() if values is not None}


def _elsewhere(layers: dict[str, object], refused: str) -> str:
    """What to do about values that are not counts."""
    for name, values in layers.items():
        if name != refused and _is_numeric(values) and is_counts(_float32(values)):
            if name == "X":
                return "leave the column layer empty: X holds whole numbers"
            where = "adata.raw" if name == RAW else f"layer {name}"
            return f"set the column layer to {name}: {where} holds whole numbers"
    return "give raw counts, not normalised values"


def _kind(values: object) -> str:
    return "true and false" if np.dtype(getattr(values, "dtype", object)).kind == "b" else "no numbers"


def _is_numeric(values: object) -> bool:
    return np.dtype(getattr(values, "dtype", object)).kind in "iuf"


def _float32(values: object) -> sparse.csr_matrix:
    with np.errstate(over="ignore"):  # values beyond float32 become infinite, which is not a count
        counts = sparse.csr_matrix(values, dtype=np.float32)
    counts.sum_duplicates()
    return counts


def _texts(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), "").astype(str).str.strip().reset_index(drop=True)


def _are_ids(names: pd.Series) -> bool:
    known = [name for name in names if name]
    return bool(known) and name_space(known) != "symbols"


def _first(columns: dict[str, pd.Series], names: tuple[str, ...], fits: object) -> pd.Series | None:
    return next((columns[name] for name in names if name in columns and fits(columns[name])), None)
