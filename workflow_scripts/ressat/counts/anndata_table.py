"""Counts, genes and places in an AnnData table, as h5ad files and SpatialData stores hold it."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from ressat.base.errors import InputError
from ressat.base.visium import PITCH_UM, SPACE_RANGER_SPOT_UM
from ressat.counts.array_lattice import HD_COLUMNS, array_pitch
from ressat.counts.ensembl import name_space
from ressat.counts.normalisation import describe, is_counts
from ressat.counts.row_numbers import are_row_numbers, column_of_names
from ressat.counts.sparse_matrix import refuse_damaged
from ressat.counts.spot_counts import SpotArray
from ressat.counts.usable_spots import first_odd, odd_count
from ressat.stats.neighbours import spot_pitch

if TYPE_CHECKING:
    import anndata

# Columns in which files keep gene names and ids, besides the index.
SYMBOL_COLUMNS = ("gene_symbols", "gene_symbol", "gene_name", "gene_names", "feature_name", "symbol", "name")
ID_COLUMNS = ("gene_ids", "gene_id", "ensembl_id", "ensembl", "feature_id", "id")
# In the column layer this means adata.raw, unless the file has a layer of that name.
RAW = "raw"
VISIUM_BARCODE, HD_BARCODE = re.compile(r"[ACGT]{16}(-\d+)?"), re.compile(r"s_(\d{3})um_\d{5}_\d{5}(-\d+)?")
TRUE, FALSE = {"1", "1.0", "true"}, {"0", "0.0", "false"}


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
        and which layer holds counts, if one does.
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
    symbols = _first(columns, SYMBOL_COLUMNS, lambda names: not _are_ids(names))
    ids = _first(columns, ID_COLUMNS, lambda names: _are_ids(names) or not names.equals(index))
    index_is_ids = _are_ids(index)
    if symbols is None and not index_is_ids:
        symbols = index
    if ids is None and index_is_ids:
        ids = index
    table = pd.DataFrame({"name": index, "symbol": symbols, "ensembl": ids}, dtype=object)
    return table.where(table.notna() & (table != ""), None)


def tissue_and_array(obs: pd.DataFrame) -> pd.DataFrame:
    """Return in_tissue (1 where the table does not say) and, where known, array_row and array_col.

    Raises
    ------
    InputError
        If in_tissue is neither yes nor no.
    """
    places = pd.DataFrame({"in_tissue": 1}, index=pd.Index(obs.index.astype(str)))
    if "in_tissue" in obs:
        said = obs["in_tissue"].astype(str).str.strip().str.lower()
        odd = np.flatnonzero(~said.isin(TRUE | FALSE))
        if len(odd):
            raise InputError(
                f"{obs['in_tissue'].iloc[odd[0]]} as in_tissue of spot {places.index[odd[0]]}",
                expected="0 or 1 in obs['in_tissue']",
                action="correct or remove that column",
            )
        places["in_tissue"] = said.isin(TRUE).to_numpy().astype(int)
    try:
        array = {name: obs[name].astype(str).astype(float) for name in ("array_row", "array_col")}
    except (KeyError, ValueError):
        return places
    if all((values.abs() < 1e9).all() and (values % 1 == 0).all() for values in array.values()):
        places = places.assign(**{name: values.to_numpy().astype(int) for name, values in array.items()})
    return places


def platform(places: pd.DataFrame) -> tuple[str, int | None]:
    """Tell what array the spots belong to, from their barcodes and places in it.

    Returns
    -------
    str
        ``visium``, ``visium_hd`` or ``unknown``.
    int or None
        Edge of a bin of Visium HD, um.
    """
    names = places.index
    if len(names) and {"array_row", "array_col"} <= set(places.columns):
        bins = {match and match[1] for match in map(HD_BARCODE.fullmatch, names)}
        if len(bins) == 1 and None not in bins:
            return "visium_hd", int(bins.pop())
        is_even = ((places["array_row"] + places["array_col"]) % 2 == 0).all()
        if is_even and all(map(VISIUM_BARCODE.fullmatch, names)):
            return "visium", None
    return "unknown", None


def table_array(
    places: pd.DataFrame, factors: Mapping[str, object], spot_px: float | None = None
) -> SpotArray:
    """Return what is known about the array that the spots of a table lie on.

    Parameters
    ----------
    places
        As in `SpotCounts`.
    factors
        Space Ranger's scale factors as far as the table carries them.
    spot_px
        Diameter of a spot or edge of a bin, where that is known from elsewhere; level-0 pixels.
    """
    kind, bin_um = platform(places)
    spot_px = spot_px or _positive(factors, "spot_diameter_fullres")
    if kind == "unknown":
        pitch, pitch_um, spot_um = spot_pitch(places[["x", "y"]].to_numpy()), None, None
    elif bin_um:
        pitch, pitch_um, spot_um = array_pitch(places, HD_COLUMNS), float(bin_um), float(bin_um)
    else:
        pitch, pitch_um, spot_um = array_pitch(places), PITCH_UM, SPACE_RANGER_SPOT_UM
    return SpotArray(
        kind,
        pitch,
        spot_px or pitch / 2,
        pitch_um,
        spot_um if spot_px else None,
        mpp=_positive(factors, "microns_per_pixel"),
        hires_scale=_positive(factors, "tissue_hires_scalef"),
        lowres_scale=_positive(factors, "tissue_lowres_scalef"),
    )


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


def _positive(factors: Mapping[str, object], name: str) -> float | None:
    """A scale factor; None if it is missing or makes no sense."""
    try:
        value = float(np.asarray(factors[name]).item())
    except (KeyError, TypeError, ValueError):
        return None
    return value if 0 < value < np.inf else None
