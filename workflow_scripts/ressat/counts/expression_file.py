"""The AnnData file of a section's counts."""

import hashlib
from collections.abc import Sequence

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from ressat.base.files import FORMAT_VERSION, UNS
from ressat.counts.gene_names import StudyGenes
from ressat.counts.spot_counts import SpotCounts


def expression_anndata(section: str, spots: SpotCounts, genes: StudyGenes, ids: str) -> anndata.AnnData:
    """Put a section's usable spots, under the study's gene names, into the form that all later steps read.

    Parameters
    ----------
    section
        The section's name.
    spots
        Spots under tissue, with counts of the genes that are kept; see `with_counts_of`.
    genes
        Names of these genes, and what became of the others.
    ids
        What these names are: ``symbol`` or ``ensembl``.

    Returns
    -------
    anndata.AnnData
        Raw counts, float32 CSR; obs n_counts, n_genes and fingerprint; level-0 pixels in
        ``obsm['spatial']``; ``uns['ressat']`` with the figures of docs/outputs.md.
    """
    counts = spots.counts
    places = spots.places.loc[spots.spots]
    obs = places[[name for name in ("in_tissue", "array_row", "array_col") if name in places]]
    obs = obs.assign(
        n_counts=np.asarray(counts.sum(axis=1)).ravel(),
        n_genes=np.asarray((counts > 0).sum(axis=1)).ravel(),
        fingerprint=spot_fingerprints(counts, genes.names),
    )
    adata = anndata.AnnData(counts, obs=obs, var=pd.DataFrame(index=genes.names))
    adata.obsm["spatial"] = places[["x", "y"]].to_numpy(dtype=float)
    changes = genes.changes["change"].value_counts()
    array = spots.array
    adata.uns[UNS] = {
        "section": section,
        "spots_found": spots.total,
        "spots_kept": adata.n_obs,
        "spots_left_out": dict(spots.left_out),
        "gene_ids": ids,
        "genes_dropped": int(changes.get("dropped", 0)),
        "genes_renamed": int(changes.get("renamed", 0)),
        "median_counts": float(np.median(adata.obs["n_counts"])),
        "median_genes": float(np.median(adata.obs["n_genes"])),
        "platform": array.platform,
        "pitch_px": array.pitch_px,
        "pitch_um": np.nan if array.pitch_um is None else array.pitch_um,
        "spot_px": array.spot_px,
        "version": FORMAT_VERSION,
    }
    return adata


def spot_fingerprints(counts: sparse.csr_matrix, genes: Sequence[str]) -> np.ndarray:
    """Return a hash of each spot's counts by gene, independent of its name and of the order of genes.

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
