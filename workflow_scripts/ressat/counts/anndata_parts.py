"""The parts of an AnnData file that are needed, where another part cannot be read."""

from collections.abc import Iterator

import anndata
import h5py
import pandas as pd
from anndata.io import read_elem

from ressat.base.hdf5_content import refuse_missing_filter
from ressat.base.machine import refuse_trouble

RAW = "raw"


def read_parts(content: h5py.File, layer: str | None) -> anndata.AnnData:
    """Read counts, genes and places of a file of which something cannot be read, such as another's analysis.

    Parameters
    ----------
    content
        The file, open.
    layer
        The layer of the counts, ``raw``, or None for X.

    Returns
    -------
    anndata.AnnData
        The counts, the columns of obs and var, and the parts of obsm and uns that can be read.

    Raises
    ------
    InputError
        If a filter that a needed part was packed with is not installed.
    Exception
        Whatever anndata raises for a needed part.
    """
    obs, var = _table(content["obs"]), _table(content["var"])
    name = "X" if layer is None else f"layers/{layer}"
    is_raw = layer == RAW and name not in content
    adata = anndata.AnnData(None if is_raw else _needed(content, name), obs=obs, var=var)
    if is_raw:
        raw = content[RAW]
        adata.raw = anndata.AnnData(_needed(raw, "X"), obs=obs, var=_table(raw["var"]))
    elif layer is not None and adata.X is not None:
        adata.layers[layer] = adata.X
        adata.X = None
    for key, values in _readable(content.get("obsm")):
        adata.obsm[key] = values
    adata.uns.update(_readable(content.get("uns")))
    return adata


def _needed(group: h5py.Group, name: str) -> object:
    """A part that must be readable; None if it is not there, which is told later."""
    if name not in group:
        return None
    refuse_missing_filter(group[name])
    return read_elem(group[name])


def _table(group: h5py.Group) -> pd.DataFrame:
    """A table, without the columns that cannot be read."""
    index = group.attrs["_index"]
    refuse_missing_filter(group[index])
    columns = {str(name): group[name] for name in group.attrs["column-order"] if name in group}
    read = dict(_readable(columns))
    return pd.DataFrame(read, index=pd.Index(read_elem(group[index])))


def _readable(parts: h5py.Group | dict[str, object] | None) -> Iterator[tuple[str, object]]:
    """The parts of a group that can be read."""
    for name, part in (parts or {}).items():
        try:
            yield name, read_elem(part)
        except Exception as error:  # what anndata raises for an encoding that it does not know
            refuse_trouble(error)
