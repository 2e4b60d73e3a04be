import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from ressat import keys
from ressat.errors import InputError
from ressat.expression_check import array_pitch, finish, spot_fingerprints
from ressat.spatial import spot_pitch

pytestmark = pytest.mark.filterwarnings("ignore:(Variable|Observation) names are not unique")

COUNTS = np.array([[1, 0, 2], [0, 0, 0], [0, 5, 0], [4, 4, 4]])


def section(counts: np.ndarray = COUNTS, genes: str = "ABC", dense: bool = False) -> anndata.AnnData:
    adata = anndata.AnnData(counts.astype(float) if dense else sparse.csc_matrix(counts.astype(float)))
    adata.obs_names = [f"s{i}" for i in range(len(counts))]
    adata.var_names = list(genes)
    adata.obsm["spatial"] = np.arange(2 * len(counts), dtype=float).reshape(-1, 2)
    return adata


def finished(adata: anndata.AnnData, **given: object) -> anndata.AnnData:
    figures = {"pitch_px": 50.0, "pitch_um": 100.0, "spot_px": 30.0, "found": 9, "left_out": {"elsewhere": 5}}
    return finish(adata, "S1", "counts.h5", **figures | given)


@pytest.mark.parametrize("dense", [False, True])
def test_spots_without_counts_are_dropped_and_counted(dense):
    adata = finished(section(dense=dense))
    assert list(adata.obs_names) == ["s0", "s2", "s3"]
    assert adata.X.toarray().tolist() == COUNTS[[0, 2, 3]].tolist()
    assert adata.obsm["spatial"].tolist() == [[0, 1], [4, 5], [6, 7]]
    assert adata.uns[keys.UNS]["spots_left_out"] == {"elsewhere": 5, "zero counts": 1}
    assert adata.uns[keys.UNS]["spots_found"] == 9
    assert adata.uns[keys.UNS]["spots_kept"] == 3


def test_what_was_found_is_recorded():
    adata = finished(section())
    assert adata.obs["n_counts"].tolist() == [3, 5, 12]
    assert adata.obs["n_genes"].tolist() == [2, 1, 3]
    found = adata.uns[keys.UNS]
    assert (found["section"], found["version"]) == ("S1", keys.FORMAT_VERSION)
    assert (found["median_counts"], found["median_genes"]) == (5, 2)
    assert (found["pitch_px"], found["pitch_um"], found["spot_px"]) == (50, 100, 30)
    assert np.isnan(finished(section(), pitch_um=None).uns[keys.UNS]["pitch_um"])


def test_the_file_written_from_it_reads_back(tmp_path):
    adata = finished(section())
    adata.write_h5ad(tmp_path / "S1.h5ad")
    again = anndata.read_h5ad(tmp_path / "S1.h5ad")
    assert isinstance(again.X, sparse.csr_matrix)
    assert again.X.dtype == np.float32
    assert again.uns[keys.UNS]["spots_left_out"] == {"elsewhere": 5, "zero counts": 1}


def test_genes_of_one_name_are_told_apart_as_scanpy_does_and_counted():
    adata = finished(section(genes="ABA"))
    assert list(adata.var_names) == ["A", "B", "A-1"]
    assert adata.uns[keys.UNS]["duplicated_gene_names"] == 1


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize(
    ("count", "said"), [(-1, "-1"), (0.5, "0.5"), (np.nan, "nan"), (np.inf, "inf"), (1e300, "inf")]
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_what_is_no_count_is_refused_with_its_place(dense, count, said):
    counts = COUNTS.astype(float)
    counts[2, 1] = count
    with pytest.raises(InputError) as caught:
        finished(section(counts, dense=dense))
    assert str(caught.value).startswith(
        f"section S1: counts.h5: a count of {said} (spot s2, gene B); expected raw counts"
    )


def test_a_section_without_counts_is_refused_with_the_figures():
    with pytest.raises(InputError, match=r"no spot with counts among 9 \(4 with zero counts, 5 elsewhere\)"):
        finished(section(COUNTS * 0))
    with pytest.raises(InputError, match=r"no spot with counts among 9 \(0 with zero counts, 5 elsewhere\)"):
        finished(section()[:0].copy())


def test_a_spot_named_twice_is_refused():
    adata = section()
    adata.obs_names = ["s0", "s1", "s2", "s2"]
    with pytest.raises(InputError, match=r"1 names of spots stand there more than once \(first: s2\)"):
        finished(adata)


@pytest.mark.parametrize("pitch", [0, 0.01])
def test_spots_that_lie_on_one_another_are_refused(pitch):
    with pytest.raises(InputError, match=f"spots are {pitch} px apart; expected each spot at its own place"):
        finished(section(), pitch_px=pitch)


def test_the_pitch_of_scattered_spots_is_the_distance_to_the_nearest():
    grid = np.stack(np.meshgrid(np.arange(6) * 30, np.arange(5) * 40), -1).reshape(-1, 2)
    assert spot_pitch(grid.astype(float)) == 30
    assert np.isnan(spot_pitch(grid[:1].astype(float)))


def visium(mpp: float, angle: float = 0.0) -> pd.DataFrame:
    """All spots of an array of 100 um pitch, turned, in whole pixels."""
    row, place = np.indices((78, 64)).reshape(2, -1)
    column = 2 * place + row % 2
    x, y = column * 50 / mpp, row * 50 * np.sqrt(3) / mpp
    turned = np.stack([np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y], -1)
    table = pd.DataFrame(np.rint(turned), columns=["x", "y"])
    return table.assign(array_row=row, array_col=column)


@pytest.mark.parametrize("angle", [0.0, 0.02, np.pi / 2, np.pi])
@pytest.mark.parametrize("mpp", [0.25, 0.7263, 4.0])
def test_the_pitch_of_an_array_is_not_spoilt_by_rounding(mpp, angle):
    assert array_pitch(visium(mpp, angle)) == pytest.approx(100 / mpp, rel=2e-4)


def test_the_pitch_of_an_array_is_not_spoilt_by_missing_positions():
    few = visium(0.5).sample(40, random_state=1)
    assert array_pitch(few) == pytest.approx(200, rel=2e-3)
    assert spot_pitch(few[["x", "y"]].to_numpy()) > 400


def test_the_pitch_of_a_single_row_is_the_distance_to_the_nearest():
    table = visium(0.5)
    assert array_pitch(table[table["array_row"] == 0]) == 200


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
