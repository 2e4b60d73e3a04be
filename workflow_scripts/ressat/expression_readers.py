"""Reading raw counts and spot positions in the formats that users have."""

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from ressat.errors import InputError
from ressat.expression_check import array_pitch, finish
from ressat.expression_tables import (
    read_legacy_counts,
    read_legacy_spots,
    read_positions,
    read_spot_diameter,
)
from ressat.spatial import spot_pitch

# Distance between neighbouring Visium spots, um (10x Genomics).
VISIUM_PITCH_UM = 100.0


def read_space_ranger(section: str, *, matrix: str, positions: str, scalefactors: str) -> anndata.AnnData:
    """Read the counts and spot positions of a Space Ranger ``outs`` folder.

    Parameters
    ----------
    section
        The section's name.
    matrix
        ``filtered_feature_bc_matrix.h5``.
    positions
        ``tissue_positions.csv``, or the older ``tissue_positions_list.csv`` without header.
    scalefactors
        ``scalefactors_json.json``.

    Returns
    -------
    anndata.AnnData
        Raw counts of the spots under tissue; see `finish`.

    Raises
    ------
    InputError
        If a file is not what Space Ranger writes, or they are not of the same run; see `finish`.
    """
    # Imported here: it takes seconds, which the formats that need no scanpy do not wait for.
    import scanpy as sc

    try:
        adata = sc.read_10x_h5(matrix)
    except Exception as error:  # h5py and scanpy raise many kinds for a file that is not what it says
        raise InputError(
            f"it cannot be read as a 10x count matrix ({error})",
            expected="filtered_feature_bc_matrix.h5 as Space Ranger writes it",
            action="copy it again from Space Ranger's outs",
            section=section,
            file=matrix,
        ) from error
    return _placed(
        adata,
        read_positions(section, positions),
        section,
        matrix,
        spot_px=read_spot_diameter(section, scalefactors),
        is_visium=True,
    )


def read_legacy(section: str, *, counts: str, spots: str) -> anndata.AnnData:
    """Read legacy Spatial Transcriptomics: a counts table and a spot table.

    Parameters
    ----------
    section
        The section's name.
    counts
        Spots x genes, rows named ``{x}x{y}``, tab- or comma-separated, also gzipped.
    spots
        Columns x, y (array), pixel_x, pixel_y (level-0 pixels) and, optionally, selected.

    Returns
    -------
    anndata.AnnData
        Raw counts of the selected spots that have counts; see `finish`.

    Raises
    ------
    InputError
        If a table is not as above, or they are not of the same section; see `finish`.
    """
    table = read_legacy_counts(section, counts)
    adata = anndata.AnnData(
        sparse.csr_matrix(table.to_numpy()),
        obs=pd.DataFrame(index=table.index),
        var=pd.DataFrame(index=table.columns.rename(None)),
    )
    return _placed(adata, read_legacy_spots(section, spots), section, counts)


def read_h5ad(section: str, *, h5ad: str) -> anndata.AnnData:
    """Read raw counts in X and level-0 pixels in ``obsm['spatial']`` from an AnnData file.

    Parameters
    ----------
    section
        The section's name.
    h5ad
        The file.

    Returns
    -------
    anndata.AnnData
        Raw counts; see `finish`.

    Raises
    ------
    InputError
        If the file is not as above; see `finish`.
    """
    try:
        adata = anndata.read_h5ad(h5ad)
    except Exception as error:  # anndata and h5py raise many kinds for a file that is not what it says
        raise InputError(
            f"it cannot be read as AnnData ({error})",
            expected="an .h5ad file",
            action="write it again",
            section=section,
            file=h5ad,
        ) from error
    coords = adata.obsm.get("spatial")
    try:
        coords = np.asarray(coords, dtype=float)[:, :2]
    except (TypeError, ValueError, IndexError):
        coords = np.empty((0, 0))
    if adata.X is None or coords.shape != (adata.n_obs, 2) or not np.isfinite(coords).all():
        raise InputError(
            "no counts in X" if adata.X is None else "no obsm['spatial'] of two numbers per spot",
            expected="raw counts in X, and x and y in full-resolution pixels in obsm['spatial']",
            action="add them",
            section=section,
            file=h5ad,
        )
    slim = anndata.AnnData(
        sparse.csr_matrix(adata.X), obs=pd.DataFrame(index=adata.obs_names.astype(str)), var=adata.var[[]]
    )
    if "gene_ids" in adata.var:
        slim.var["gene_ids"] = adata.var["gene_ids"].astype(str)
    slim.obsm["spatial"] = coords
    pitch = spot_pitch(coords)
    return finish(
        slim,
        section,
        h5ad,
        pitch_px=pitch,
        pitch_um=None,
        spot_px=pitch / 2,
        found=slim.n_obs,
        left_out={},
    )


def _placed(
    adata: anndata.AnnData,
    places: pd.DataFrame,
    section: str,
    file: str,
    *,
    spot_px: float | None = None,
    is_visium: bool = False,
) -> anndata.AnnData:
    """Give spots their positions, and keep those that have one under tissue; see `finish`."""
    names = adata.obs_names
    placed = names.isin(places.index)
    if not placed.any():
        raise InputError(
            f"none of its {adata.n_obs} spots (first: {', '.join(names[:1])}) has a position",
            expected=f"spots named like those of the positions (first: {places.index[0]})",
            action="give counts and positions of the same section",
            section=section,
            file=file,
        )
    chosen = places.reindex(names[placed])
    on_tissue = chosen["in_tissue"].to_numpy() == 1
    kept = adata[np.flatnonzero(placed)[on_tissue]].copy()
    chosen = chosen[on_tissue]
    kept.obs = chosen[["in_tissue", "array_row", "array_col"]]
    kept.obsm["spatial"] = chosen[["x", "y"]].to_numpy()
    pitch_px = array_pitch(places) if is_visium else spot_pitch(places[["x", "y"]].to_numpy())
    return finish(
        kept,
        section,
        file,
        pitch_px=pitch_px,
        pitch_um=VISIUM_PITCH_UM if is_visium else None,
        spot_px=pitch_px / 2 if spot_px is None else spot_px,
        found=adata.n_obs,
        left_out={"without position": int((~placed).sum()), "outside tissue": int((~on_tissue).sum())},
    )
