"""Reading back the AnnData files of results."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

import anndata
import numpy as np

from ressat.base.files import UNS, check_version
from ressat.base.finite import is_finite, not_finite
from ressat.base.layers import ATTENDED, COMBINED, DEPTH_MAP, DIRECT, N_COUNTS, OBSERVED, TUNED_RIDGE
from ressat.base.own_file import damaged, own_file

Needs = Mapping[str, Collection[str]]
"""What a file must have, by the part of AnnData (such as obs) or `UNS`, what this pipeline records there."""

EXPRESSION: Needs = {"obs": ["fingerprint"], "obsm": ["spatial"], UNS: ["section", "spot_px"]}
PREDICTIONS: Needs = {
    "obsm": ["spatial"],
    "layers": [DIRECT, ATTENDED, COMBINED],
    UNS: ["section", "fold", "patient", "protocol", "headline", "encoder", "mpp"],
}
TESTED: Needs = PREDICTIONS | {"layers": [DIRECT, ATTENDED, COMBINED, OBSERVED], "obs": [N_COUNTS]}
BASELINES: Needs = {"layers": [TUNED_RIDGE, DEPTH_MAP], UNS: ["section", "fold"]}


def read_results(
    path: str | Path, backed: Literal["r"] | None = None, needs: Needs | None = None
) -> anndata.AnnData:
    """Read the counts or predictions that an earlier step wrote.

    Parameters
    ----------
    path
        A file of results/expression, results/predictions or results/baselines.
    backed
        ``"r"`` leaves the matrix in the file, which the caller closes.
    needs
        What it must have besides.

    Raises
    ------
    InputError
        If the file is damaged or of another version of the format, lacks something, names a spot or gene
        twice, or a number is not finite. Of what was measured, genes that a section does not have are nan as
        a whole.
    """
    with own_file(path):
        adata = anndata.read_h5ad(path, backed=backed)
        try:
            check_version(adata.uns.get(UNS, {}), path)
            for part, names in (needs or {}).items():
                there = adata.uns[UNS] if part == UNS else getattr(adata, part)
                missing = [name for name in names if name not in there]
                if missing:
                    raise damaged(f"its {part} lacks {', '.join(missing)}")
            _check(adata)
        except BaseException:
            if backed:
                adata.file.close()
            raise
    return adata


def _check(adata: anndata.AnnData) -> None:
    for names, kind in ((adata.obs_names, "spot"), (adata.var_names, "gene")):
        if not len(names):
            raise damaged(f"it has no {kind}")
        if not names.is_unique:
            raise damaged(f"{kind} {names[names.duplicated()][0]} is there twice")
    if "spatial" in adata.obsm and not is_finite(np.asarray(adata.obsm["spatial"])):
        raise damaged(f"its coordinates: {not_finite(np.asarray(adata.obsm['spatial']))}")
    tables = {f"layer {name}": adata.layers[name] for name in adata.layers}
    if not adata.isbacked and adata.X is not None:
        tables["X"] = adata.X
    for name, table in tables.items():
        values = table if isinstance(table, np.ndarray) else table.data  # of a sparse one, what is stored
        if is_finite(values):
            continue
        if name == f"layer {OBSERVED}":
            values = values[:, ~np.isnan(values).all(axis=0)]
            if is_finite(values):
                continue
        names = (None, None) if values.shape != adata.shape else (adata.obs_names, adata.var_names)
        raise damaged(f"{name}: {not_finite(values, *names)}")
