"""What a section's counts must be and what is recorded of them, whatever format they came in."""

import hashlib
from collections.abc import Sequence

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from ressat import keys
from ressat.errors import InputError
from ressat.expression_tables import refuse_repeated
from ressat.spatial import spot_pitch


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
        The section's name, and the file of the counts for messages.
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
        Raw counts, float32 CSR; obs n_counts, n_genes and fingerprint; ``uns['ressat']`` with the figures.

    Raises
    ------
    InputError
        If a spot stands there twice, counts are negative, not whole or not finite, no spot has any,
        or neighbouring spots are not a pixel apart.
    """
    refuse_repeated(section, file, adata.obs_names)
    adata.X = sparse.csr_matrix(adata.X, dtype=np.float32)
    values = adata.X.data
    odd = np.flatnonzero(~np.isfinite(values) | (values < 0) | (values != np.round(values)))
    if odd.size:
        spot = adata.obs_names[np.searchsorted(adata.X.indptr, odd[0], side="right") - 1]
        raise InputError(
            f"a count of {values[odd[0]]:g} (spot {spot}, gene {adata.var_names[adata.X.indices[odd[0]]]})",
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
    adata.obs["fingerprint"] = spot_fingerprints(adata.X, adata.var_names)
    adata = adata[totals > 0].copy()
    if adata.n_obs == 0:
        others = "".join(f", {number} {reason}" for reason, number in left_out.items() if number)
        raise InputError(
            f"no spot with counts among {found} ({len(totals)} with zero counts{others})",
            expected="counts of spots under tissue",
            action="check that the counts belong to this section",
            section=section,
            file=file,
        )
    if pitch_px < 1:
        raise InputError(
            f"neighbouring spots are {pitch_px:.2g} px apart",
            expected="each spot at its own place, in full-resolution pixels",
            action="check the positions",
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


def spot_fingerprints(counts: sparse.csr_matrix, genes: Sequence[str]) -> np.ndarray:
    """Return a hash of each spot's counts by gene, which neither its name nor the order of genes changes.

    Parameters
    ----------
    counts
        Whole numbers, shape (spots, genes).
    genes
        Names.

    Returns
    -------
    numpy.ndarray
        int64, shape (spots,): the sum of counts times the hashes of their genes, modulo 2^64.
    """
    digests = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in genes]
    hashes = np.frombuffer(b"".join(digests), dtype="<u8")
    terms = np.append(counts.data.astype(np.uint64) * hashes[counts.indices], np.uint64(0))
    # Sums between row ends; a spot without counts starts where the next one does.
    sums = np.add.reduceat(terms, counts.indptr[:-1]) if len(counts.indptr) > 1 else terms[:0]
    return np.where(np.diff(counts.indptr) > 0, sums, np.uint64(0)).view(np.int64)


def array_pitch(places: pd.DataFrame) -> float:
    """Return the distance of neighbouring spots of a Visium array in level-0 pixels.

    Fitted to all positions, so that neither their rounding to whole pixels nor missing ones matter.

    Parameters
    ----------
    places
        array_row, array_col, x and y of each spot. In a row, every other column holds a spot.
    """
    array = np.column_stack([np.ones(len(places)), places[["array_row", "array_col"]]])
    coords = places[["x", "y"]].to_numpy()
    fitted, _, rank, _ = np.linalg.lstsq(array, coords, rcond=None)
    return float(2 * np.hypot(*fitted[2])) if rank == array.shape[1] else spot_pitch(coords)
