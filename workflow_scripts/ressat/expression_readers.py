"""Reading raw counts and spot positions in the formats that users have."""

import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scanpy as sc
from scipy import sparse
from scipy.spatial import cKDTree

from ressat import keys
from ressat.errors import InputError

# Distance between neighbouring Visium spots, um (10x Genomics).
VISIUM_PITCH_UM = 100.0
POSITION_COLUMNS = [
    "barcode",
    "in_tissue",
    "array_row",
    "array_col",
    "pxl_row_in_fullres",
    "pxl_col_in_fullres",
]


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
    """
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
    table = _read_positions(section, positions)
    shared = adata.obs_names.intersection(table.index, sort=False)
    if shared.empty:
        raise InputError(
            f"none of its {adata.n_obs} barcodes (first: {', '.join(adata.obs_names[:1])}) has a position",
            expected=f"barcodes like those of the positions ({table.index[0]})",
            action="give matrix and positions of the same run",
            section=section,
            file=matrix,
        )
    without_position = adata.n_obs - len(shared)
    adata = adata[shared].copy()
    adata.obs = table.loc[shared, ["in_tissue", "array_row", "array_col"]]
    adata.obsm["spatial"] = table.loc[shared, ["pxl_col_in_fullres", "pxl_row_in_fullres"]].to_numpy(float)
    everywhere = table[["pxl_col_in_fullres", "pxl_row_in_fullres"]].to_numpy(float)
    factors = _read_json(section, scalefactors)
    on_tissue = adata.obs["in_tissue"].to_numpy() == 1
    return finish(
        adata[on_tissue].copy(),
        section,
        matrix,
        pitch_px=spot_pitch(everywhere),
        pitch_um=VISIUM_PITCH_UM,
        spot_px=float(factors["spot_diameter_fullres"]),
        found=len(on_tissue) + without_position,
        left_out={"without position": without_position, "outside tissue": int((~on_tissue).sum())},
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
    """
    table = _read_table(section, counts, index_col=0)
    names = table.index.astype(str)
    if not names.str.fullmatch(r"-?\d+(\.\d+)?x-?\d+(\.\d+)?").all():
        odd = (
            next(name for name in names if "x" not in name) if not names.str.contains("x").all() else names[0]
        )
        raise InputError(
            f"a row named {odd!r}",
            expected="spots as rows, named {x}x{y}, and genes as columns",
            action="transpose the table if its rows are genes",
            section=section,
            file=counts,
        )
    places = _read_table(section, spots)
    missing = {"x", "y", "pixel_x", "pixel_y"} - set(places.columns)
    if missing:
        raise InputError(
            f"no column {', '.join(sorted(missing))}",
            expected="the columns x, y, pixel_x and pixel_y",
            section=section,
            file=spots,
        )
    everywhere = places[["pixel_x", "pixel_y"]].to_numpy(float)
    if "selected" in places:
        places = places[places["selected"] == 1]
    # Rounded, because some tables write the array position as 10 in one file and 10.0 in the other.
    places = places.set_index(
        places["x"].round().astype(int).astype(str) + "x" + places["y"].round().astype(int).astype(str)
    )
    places = places[~places.index.duplicated()]
    parts = names.str.split("x", expand=False)
    table.index = [f"{round(float(x))}x{round(float(y))}" for x, y in parts]
    shared = table.index[table.index.isin(places.index)]
    if shared.empty:
        raise InputError(
            f"none of its {len(table)} spots (first: {table.index[0]}) has a position",
            expected=f"spots named like those of the spot table ({places.index[0]})",
            action="give counts and spots of the same section",
            section=section,
            file=counts,
        )
    numbers = table.loc[shared].to_numpy(dtype=np.float32)
    adata = anndata.AnnData(sparse.csr_matrix(numbers), obs=pd.DataFrame(index=pd.Index(shared, name="spot")))
    adata.var_names = table.columns.astype(str)
    chosen = places.loc[shared]
    adata.obs["array_row"], adata.obs["array_col"] = chosen["y"].to_numpy(), chosen["x"].to_numpy()
    adata.obsm["spatial"] = chosen[["pixel_x", "pixel_y"]].to_numpy(float)
    pitch = spot_pitch(everywhere)
    return finish(
        adata,
        section,
        counts,
        pitch_px=pitch,
        pitch_um=None,
        spot_px=pitch / 2,
        found=len(table),
        left_out={"without position": len(table) - len(shared)},
    )


def read_h5ad(section: str, *, h5ad: str) -> anndata.AnnData:
    """Read raw counts in X and level-0 pixels in ``obsm['spatial']`` from an AnnData file.

    Returns
    -------
    anndata.AnnData
        Raw counts; see `finish`.
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
    if "spatial" not in adata.obsm:
        raise InputError(
            "no obsm['spatial']",
            expected="spot centres in full-resolution pixels there, x and y",
            action="add them",
            section=section,
            file=h5ad,
        )
    coords = np.asarray(adata.obsm["spatial"], dtype=float)[:, :2]
    pitch = spot_pitch(coords)
    slim = anndata.AnnData(
        sparse.csr_matrix(adata.X), obs=pd.DataFrame(index=adata.obs_names.astype(str)), var=adata.var[[]]
    )
    if "gene_ids" in adata.var:
        slim.var["gene_ids"] = adata.var["gene_ids"].astype(str)
    slim.obsm["spatial"] = coords
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


def finish(
    adata: anndata.AnnData,
    section: str,
    file: str,
    *,
    pitch_px: float,
    pitch_um: float | None,
    spot_px: float,
    found: int,
    left_out: dict[str, int],
) -> anndata.AnnData:
    """Check counts, drop spots without any, and record what was found.

    Parameters
    ----------
    adata
        Counts in X, level-0 pixels in ``obsm['spatial']``.
    section, file
        For messages.
    pitch_px, pitch_um
        Distance between neighbouring spots in level-0 pixels, and in um where the array is known.
    spot_px
        Diameter of a spot in level-0 pixels.
    found
        Spots in the input.
    left_out
        Spots left out so far, by reason.

    Returns
    -------
    anndata.AnnData
        Raw counts, float32 CSR; obs n_counts and n_genes; ``uns['ressat']`` with the figures.

    Raises
    ------
    InputError
        If counts are negative, not whole or not finite, or no spot has any.
    """
    adata.X = sparse.csr_matrix(adata.X, dtype=np.float32)
    values = adata.X.data
    if not np.isfinite(values).all() or (values < 0).any() or (values != np.round(values)).any():
        odd = values[~np.isfinite(values) | (values < 0) | (values != np.round(values))][0]
        raise InputError(
            f"a count of {odd:g}",
            expected="raw counts: whole numbers, 0 or more",
            action="give raw counts, not normalised values",
            section=section,
            file=file,
        )
    adata.var_names = adata.var_names.astype(str)
    duplicated = int(adata.var_names.duplicated().sum())
    adata.var_names_make_unique()
    totals = np.asarray(adata.X.sum(axis=1)).ravel()
    adata.obs["n_counts"] = totals
    adata.obs["n_genes"] = np.asarray((adata.X > 0).sum(axis=1)).ravel()
    adata = adata[totals > 0].copy()
    if adata.n_obs == 0:
        raise InputError(
            f"no spot with counts among {found}",
            expected="counts of spots under tissue",
            action="check that the counts belong to this section",
            section=section,
            file=file,
        )
    adata.uns[keys.UNS] = {
        "section": section,
        "spots_found": found,
        "spots_kept": adata.n_obs,
        "spots_left_out": {**left_out, "zero counts": int((totals == 0).sum())},
        "duplicated_gene_names": duplicated,
        "median_counts": float(np.median(adata.obs["n_counts"])),
        "median_genes": float(np.median(adata.obs["n_genes"])),
        "pitch_px": pitch_px,
        "pitch_um": np.nan if pitch_um is None else pitch_um,
        "spot_px": spot_px,
        "version": keys.FORMAT_VERSION,
    }
    return adata


def spot_pitch(coords: np.ndarray) -> float:
    """Return the median distance of spots (n, 2) to their nearest neighbour; NaN for a single spot."""
    if len(coords) < 2:
        return float("nan")
    distances, _ = cKDTree(coords).query(coords, k=2)
    return float(np.median(distances[:, 1]))


def _read_positions(section: str, file: str) -> pd.DataFrame:
    """Spot positions by barcode, with or without header (Space Ranger 2 and later, or before)."""
    raw = _read_table(section, file, header=None, dtype=str)
    if str(raw.iloc[0, 0]).lower() == "barcode":
        raw = raw.iloc[1:]
    if raw.shape[1] != len(POSITION_COLUMNS):
        raise InputError(
            f"{raw.shape[1]} columns",
            expected=f"{len(POSITION_COLUMNS)}: {', '.join(POSITION_COLUMNS)}",
            section=section,
            file=file,
        )
    raw.columns = POSITION_COLUMNS
    numbers = raw[POSITION_COLUMNS[1:]].apply(pd.to_numeric, errors="coerce")
    if numbers.isna().any(axis=None):
        line = int(np.flatnonzero(numbers.isna().any(axis=1))[0])
        raise InputError(
            f"a position that is not a number, for barcode {raw['barcode'].iloc[line]}",
            expected="numbers in all columns after the barcode",
            section=section,
            file=file,
        )
    return numbers.set_index(raw["barcode"].astype(str))


def _read_table(section: str, file: str, **options: object) -> pd.DataFrame:
    separator = "," if ".csv" in Path(file).name.lower() else "\t"
    try:
        table = pd.read_csv(file, sep=separator, **options)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(
            f"it cannot be read as a table ({error})",
            expected="a tab- or comma-separated table",
            action="copy or export it again",
            section=section,
            file=file,
        ) from error
    if table.empty:
        raise InputError("an empty table", expected="one row per spot", section=section, file=file)
    return table


def _read_json(section: str, file: str) -> dict:
    try:
        factors = json.loads(Path(file).read_text(encoding="utf-8"))
        float(factors["spot_diameter_fullres"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"it cannot be read as scale factors ({type(error).__name__}: {error})",
            expected="JSON with spot_diameter_fullres, as Space Ranger writes it",
            section=section,
            file=file,
        ) from error
    return factors
