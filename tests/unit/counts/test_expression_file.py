"""A section's counts are written with the study's names of genes, and with what was found and left out."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from ressat.base.files import FORMAT_VERSION, UNS
from ressat.counts.expression_file import expression_anndata, spot_fingerprints
from ressat.counts.gene_names import StudyGenes, study_genes
from ressat.counts.spot_counts import SpotArray, SpotCounts
from ressat.counts.usable_spots import with_counts_of

COUNTS = np.array([[1, 0, 2], [0, 5, 0], [4, 4, 4]], dtype=np.float32)
SPOTS = pd.Index(["s2", "s0", "s1"])
PLACES = pd.DataFrame(
    {"in_tissue": 1, "array_row": [0, 1, 2, 3], "array_col": 0, "x": [5.0, 15, 25, 35], "y": [1.0, 2, 3, 4]},
    index=["s0", "s1", "s2", "s3"],
)
GENES = pd.DataFrame(
    {
        "name": ["A", "A", "B"],
        "symbol": ["A", "A", "B"],
        "ensembl": ["ENSG00000000001.1", "ENSG00000000002.1", None],
    }
)
ARRAY = SpotArray("visium", pitch_px=50, spot_px=30, pitch_um=100)


@pytest.fixture
def found() -> SpotCounts:
    left_out = {"without position": 0, "outside tissue": 5, "zero counts": 1}
    return SpotCounts("counts.h5", SPOTS, GENES, sparse.csr_matrix(COUNTS), PLACES, ARRAY, 9, left_out)


def named(ids: str) -> StudyGenes:
    return study_genes(GENES, ids)


def test_spots_keep_their_counts_and_places(found):
    adata = expression_anndata("S1", found, named("symbol"), "symbol")
    assert list(adata.obs_names) == list(SPOTS)
    assert list(adata.var_names) == ["A", "A-1", "B"]
    assert adata.X.toarray().tolist() == COUNTS.tolist()
    assert adata.obsm["spatial"].tolist() == [[25, 3], [5, 1], [15, 2]]
    assert adata.obs["array_row"].tolist() == [2, 0, 1]
    assert adata.obs["n_counts"].tolist() == [3, 5, 12]
    assert adata.obs["n_genes"].tolist() == [2, 1, 3]


def test_what_was_found_is_recorded(found):
    record = expression_anndata("S1", found, named("symbol"), "symbol").uns[UNS]
    assert (record["section"], record["version"]) == ("S1", FORMAT_VERSION)
    assert (record["spots_found"], record["spots_kept"]) == (9, 3)
    assert (record["median_counts"], record["median_genes"]) == (5, 2)
    assert (record["platform"], record["pitch_px"], record["pitch_um"], record["spot_px"]) == (
        "visium",
        50,
        100,
        30,
    )
    assert (record["gene_ids"], record["genes_dropped"], record["genes_renamed"]) == ("symbol", 0, 1)


def test_spots_with_counts_of_dropped_genes_alone_are_left_out(found, monkeypatch):
    genes = GENES.assign(ensembl=["ENSG00000000001.1", None, "ENSG00000000003.4"])
    names = study_genes(genes, "ensembl")
    monkeypatch.setattr("ressat.counts.usable_spots.MIN_USABLE_SPOTS", 1)
    adata = expression_anndata("S1", with_counts_of(found, names.has_name), names, "ensembl")
    assert list(adata.obs_names) == ["s2", "s1"]
    assert list(adata.var_names) == ["ENSG00000000001", "ENSG00000000003"]
    record = adata.uns[UNS]
    assert record["spots_left_out"]["zero counts"] == 2
    assert (record["gene_ids"], record["genes_dropped"]) == ("ensembl", 1)


def test_the_file_written_from_it_reads_back(found, tmp_path):
    expression_anndata("S1", found, named("symbol"), "symbol").write_h5ad(tmp_path / "S1.h5ad")
    again = anndata.read_h5ad(tmp_path / "S1.h5ad")
    assert isinstance(again.X, sparse.csr_matrix)
    assert again.X.dtype == np.float32
    assert again.uns[UNS]["spots_left_out"] == found.left_out


def test_a_spot_has_one_fingerprint_whatever_it_is_called_and_in_whatever_order_genes_stand():
    rng = np.random.default_rng(0)
    counts = sparse.csr_matrix(rng.poisson(0.8, size=(50, 30)).astype(np.float32))
    genes = [f"g{i}" for i in range(30)]
    order = rng.permutation(30)
    found = spot_fingerprints(counts, genes)
    shuffled = spot_fingerprints(sparse.csr_matrix(counts[:, order]), [genes[i] for i in order])
    np.testing.assert_array_equal(shuffled, found)
    assert len(set(found)) == 50
    counts[3, 5] += 1
    assert (spot_fingerprints(counts, genes) != found).tolist() == [i == 3 for i in range(50)]


def test_spots_without_counts_have_a_fingerprint_too():
    counts = sparse.csr_matrix(np.array([[0, 0], [1, 2], [0, 0], [0, 3], [0, 0]], dtype=np.float32))
    found = spot_fingerprints(counts, ["a", "b"])
    assert (found == 0).tolist() == [True, False, True, False, True]
    alone = spot_fingerprints(sparse.csr_matrix([[0.0, 3.0]]), ["a", "b"])
    assert found[3] == alone[0]
