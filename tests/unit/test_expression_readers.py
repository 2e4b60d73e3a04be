import json
import shutil
import subprocess
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import sparse

from ressat import keys
from ressat.errors import InputError
from ressat.expression_readers import read_h5ad, read_legacy, read_space_ranger
from ressat.expression_source import expression_files
from ressat.sheet import Section

pytestmark = pytest.mark.filterwarnings("ignore:(Variable|Observation) names are not unique")

# Four spots of a slide that is much wider than high, so that x and y cannot be mixed up.
BARCODES = ["AAA-1", "CCC-1", "GGG-1", "TTT-1"]
POSITIONS = pd.DataFrame(
    {
        "barcode": ["GGG-1", "AAA-1", "TTT-1", "CCC-1", "NNN-1"],
        "in_tissue": [1, 1, 1, 0, 1],
        "array_row": [1, 0, 0, 0, 1],
        "array_col": [1, 0, 4, 2, 3],
        "pxl_row_in_fullres": [287, 200, 200, 200, 287],
        "pxl_col_in_fullres": [1050, 1000, 1200, 1100, 1150],
    }
)
GENES = ["TP53", "ACTB", "TP53"]
COUNTS = np.array([[1, 0, 2], [3, 3, 3], [0, 5, 0], [0, 0, 0]])


def write_matrix(path: Path, counts: np.ndarray, barcodes: list[str], genes: list[str], kinds: list[str]):
    """A count matrix as Space Ranger 3 writes it: genes x spots, by columns."""
    matrix = sparse.csc_matrix(counts.T)
    with h5py.File(path, "w") as file:
        file.attrs["library_ids"] = np.array(["S1"], dtype="S")  # squidpy asks for it
        group = file.create_group("matrix")
        group["barcodes"] = np.array(barcodes, dtype="S")
        for name in ("data", "indices", "indptr", "shape"):
            group[name] = getattr(matrix, name)
        features = {"id": [f"ENSG{i}" for i in range(len(genes))], "name": genes, "feature_type": kinds}
        for name, values in {**features, "genome": ["GRCh38"] * len(genes)}.items():
            group[f"features/{name}"] = np.array(values, dtype="S")


@pytest.fixture
def outs(tmp_path):
    """A Space Ranger folder, complete with what squidpy wants of it."""

    def outs(counts=COUNTS, barcodes=BARCODES, positions=POSITIONS, genes=GENES, kinds=None) -> Path:
        folder = tmp_path / "outs"
        (folder / "spatial").mkdir(parents=True, exist_ok=True)
        kinds = kinds or ["Gene Expression"] * len(genes)
        write_matrix(folder / "filtered_feature_bc_matrix.h5", counts, barcodes, genes, kinds)
        positions.to_csv(folder / "spatial/tissue_positions.csv", index=False)
        factors = {"spot_diameter_fullres": 65.0, "tissue_hires_scalef": 0.1, "tissue_lowres_scalef": 0.03}
        (folder / "spatial/scalefactors_json.json").write_text(json.dumps(factors))
        for name in ("hires", "lowres"):
            Image.new("RGB", (130, 30)).save(folder / f"spatial/tissue_{name}_image.png")
        return folder

    return outs


def read_outs(folder: Path) -> anndata.AnnData:
    """Read a folder as the pipeline does."""
    section = Section("S1", Path("s.svs"), folder, None, "P", "train", None)
    return read_space_ranger("S1", **{name: str(file) for name, file in expression_files(section)[1].items()})


def test_space_ranger_spots_under_tissue_with_their_counts_and_places(outs):
    adata = read_outs(outs())
    assert list(adata.obs_names) == ["AAA-1", "GGG-1"]
    assert adata.X.toarray().tolist() == [[1, 0, 2], [0, 5, 0]]
    assert adata.obsm["spatial"].tolist() == [[1000, 200], [1050, 287]]
    assert adata.obs[["in_tissue", "array_row", "array_col"]].to_numpy().tolist() == [[1, 0, 0], [1, 1, 1]]
    assert list(adata.var_names) == ["TP53", "ACTB", "TP53-1"]
    assert list(adata.var["gene_ids"]) == ["ENSG0", "ENSG1", "ENSG2"]
    found = adata.uns[keys.UNS]
    assert found["spots_found"] == 4
    assert found["spots_left_out"] == {"without position": 0, "outside tissue": 1, "zero counts": 1}
    assert (found["pitch_px"], found["pitch_um"]) == (pytest.approx(100), 100)
    assert found["spot_px"] == 65


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_x_and_y_are_those_of_squidpy(outs):
    import squidpy

    folder = outs()
    theirs = squidpy.read.visium(folder)
    ours = read_outs(folder)
    assert ours.obsm["spatial"].tolist() == theirs[ours.obs_names].obsm["spatial"].tolist()
    assert (ours.X != theirs[ours.obs_names].X).nnz == 0
    for column in ("array_row", "array_col"):
        assert ours.obs[column].tolist() == theirs.obs.loc[ours.obs_names, column].tolist()


def test_the_older_positions_give_the_same(outs):
    newer = read_outs(outs())
    folder = outs()
    (folder / "spatial/tissue_positions.csv").unlink()
    POSITIONS.to_csv(folder / "spatial/tissue_positions_list.csv", index=False, header=False)
    older = read_outs(folder)
    assert older.obs.equals(newer.obs)
    assert older.uns[keys.UNS] == newer.uns[keys.UNS]
    assert older.obsm["spatial"].tolist() == newer.obsm["spatial"].tolist()


def test_a_barcode_without_position_is_counted(outs):
    adata = read_outs(outs(positions=POSITIONS[POSITIONS["barcode"] != "GGG-1"]))
    assert list(adata.obs_names) == ["AAA-1"]
    assert adata.uns[keys.UNS]["spots_left_out"]["without position"] == 1
    assert adata.uns[keys.UNS]["spots_found"] == 4


def test_antibodies_are_no_genes(outs):
    kinds = ["Gene Expression", "Gene Expression", "Antibody Capture"]
    assert list(read_outs(outs(genes=["A", "B", "CD3"], kinds=kinds)).var_names) == ["A", "B"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"barcodes": ["A-2", "C-2", "G-2", "T-2"]},
            "none of its 4 spots (first: A-2) has a position; expected",
        ),
        ({"barcodes": ["AAA-1", "GGG-1", "AAA-1", "TTT-1"]}, "1 names of spots stand there more than once"),
        ({"counts": COUNTS - 1}, "a count of -1 (spot AAA-1, gene ACTB)"),
        ({"counts": COUNTS / 2}, "a count of 0.5 (spot AAA-1, gene TP53)"),
        ({"counts": COUNTS * 0}, "no spot with counts among 4 (3 with zero counts, 1 outside tissue)"),
        (
            {"positions": POSITIONS.assign(in_tissue=0)},
            "no spot with counts among 4 (0 with zero counts, 4 out",
        ),
        (
            {"positions": POSITIONS.iloc[[0, 1, 1]]},
            "1 names of spots stand there more than once (first: AAA-1)",
        ),
        ({"positions": POSITIONS.iloc[:0]}, "a header alone"),
        ({"positions": POSITIONS.drop(columns="in_tissue")}, "5 columns, barcode, array_row"),
        (
            {"positions": POSITIONS.assign(pxl_row_in_fullres=1, pxl_col_in_fullres=1)},
            "px apart; expected each spot at its own place",
        ),
    ],
)
def test_a_wrong_space_ranger_folder_is_refused(outs, changed, said):
    with pytest.raises(InputError) as caught:
        read_outs(outs(**changed))
    assert str(caught.value).startswith("section S1: ")
    assert said in str(caught.value)
    assert caught.value.action


@pytest.mark.parametrize("damage", ["empty", "text", "half", "tail", "other"])
def test_a_damaged_matrix_is_refused(outs, damage):
    folder = outs()
    matrix = folder / "filtered_feature_bc_matrix.h5"
    whole = matrix.read_bytes()
    if damage == "other":
        with h5py.File(matrix, "w") as file:
            file["matrix/barcodes"] = [1, 2]
    else:
        cut = {"empty": b"", "text": b"counts", "half": whole[: len(whole) // 2], "tail": whole[:-100]}
        matrix.write_bytes(cut[damage])
    with pytest.raises(InputError, match=r"bc_matrix.h5: it cannot be read as a 10x count matrix") as caught:
        read_outs(folder)
    assert caught.value.section == "S1"


def test_real_visium_matrix_of_version_1(shared):
    folder = shared / "data/spaceranger/scanpy_visium_1.0.0"
    adata = read_outs(folder)
    assert adata.shape == (100, 100)
    found = adata.uns[keys.UNS]
    # The array, turned a little, is 137.58 px from spot to spot; 65 um is Space Ranger's spot.
    assert found["pitch_px"] == pytest.approx(137.58, abs=0.01)
    assert found["spot_px"] / found["pitch_px"] == pytest.approx(0.65, abs=0.001)


def test_real_visium_folder_of_unfiltered_counts(shared, tmp_path):
    folder = tmp_path / "outs"
    shutil.copytree(shared / "data/spaceranger/visiumio/10xVisium/section1/outs", folder)
    section = Section("S1", Path("s.svs"), folder, None, "P", "train", None)
    assert not expression_files(section)[1]["matrix"].exists()
    shutil.copy(folder / "raw_feature_bc_matrix.h5", folder / "filtered_feature_bc_matrix.h5")
    adata = read_outs(folder)
    assert adata.shape == (22, 49)
    found = adata.uns[keys.UNS]
    assert found["spots_found"] == 50
    assert found["spots_left_out"] == {"without position": 0, "outside tissue": 28, "zero counts": 0}
    # Only 50 positions are in the fixture, far apart; the array tells the pitch all the same.
    assert found["pitch_px"] == pytest.approx(137.6, abs=0.1)
    barcode = "AAACAAGTATCTCCCA-1"  # 1,50,102,7237,8230 in the file
    assert adata[barcode].obsm["spatial"].tolist() == [[8230, 7237]]


@pytest.fixture
def legacy(tmp_path):
    def legacy(counts: str, spots: str) -> anndata.AnnData:
        (tmp_path / "counts.tsv").write_text(counts)
        (tmp_path / "spots.tsv").write_text(spots)
        return read_legacy("S1", counts=str(tmp_path / "counts.tsv"), spots=str(tmp_path / "spots.tsv"))

    return legacy


LEGACY_COUNTS = "\tA\tB\tA\n1x2\t1\t0\t2\n2x2\t0\t0\t0\n1x3\t3\t1\t0\n9x9\t1\t1\t1\n2x3\t1\t1\t1\n"
LEGACY_SPOTS = (
    "x\ty\tpixel_x\tpixel_y\tselected\n"
    "2\t2\t1200\t300\t1\n1\t3\t1000\t500\t1\n1\t2\t1000\t300\t1\n2\t3\t1200\t500\t0\n3\t3\t1400\t500\t1\n"
)


def test_legacy_spots_that_are_selected_with_their_counts_and_places(legacy):
    adata = legacy(LEGACY_COUNTS, LEGACY_SPOTS)
    assert list(adata.obs_names) == ["1x2", "1x3"]
    assert adata.X.toarray().tolist() == [[1, 0, 2], [3, 1, 0]]
    assert adata.obsm["spatial"].tolist() == [[1000, 300], [1000, 500]]
    assert adata.obs[["array_col", "array_row"]].to_numpy().tolist() == [[1, 2], [1, 3]]
    assert list(adata.var_names) == ["A", "B", "A-1"]
    found = adata.uns[keys.UNS]
    assert found["spots_found"] == 5
    assert found["spots_left_out"] == {"without position": 1, "outside tissue": 1, "zero counts": 1}
    assert (found["pitch_px"], found["spot_px"]) == (200, 100)
    assert np.isnan(found["pitch_um"]), "arrays of 200 um and of 150 um cannot be told apart"


@pytest.mark.parametrize(
    ("counts", "spots", "said"),
    [
        (
            LEGACY_COUNTS,
            LEGACY_SPOTS.replace("\n1\t", "\n7\t").replace("\n2\t", "\n8\t"),
            "none of its 5 spots",
        ),
        (LEGACY_COUNTS.replace("1x2\t1", "1x2\t"), LEGACY_SPOTS, "a count of nan (spot 1x2, gene A)"),
        (LEGACY_COUNTS.replace("1x2\t1", "1x2\t0.25"), LEGACY_SPOTS, "a count of 0.25 (spot 1x2, gene A)"),
        (LEGACY_COUNTS.replace("1x2\t1", "1x2\t-3"), LEGACY_SPOTS, "a count of -3 (spot 1x2, gene A)"),
        (LEGACY_COUNTS, LEGACY_SPOTS.replace("\t1\n", "\t0\n"), "no spot with counts among 5"),
    ],
)
def test_wrong_legacy_tables_are_refused(legacy, counts, spots, said):
    with pytest.raises(InputError) as caught:
        legacy(counts, spots)
    assert said in str(caught.value)
    assert caught.value.section == "S1"


def test_a_real_legacy_section(shared):
    folder = shared / "data/her2st"
    counts, spots = folder / "counts/C2.tsv.gz", folder / "spots/C2_selection.tsv"
    adata = read_legacy("C2", counts=str(counts), spots=str(spots))
    table = pd.read_csv(counts, sep="\t", index_col=0)
    assert adata.shape == table.shape == (187, 15706)
    assert (adata.X.toarray() == table.to_numpy()).all()
    assert list(adata.var_names) == list(table.columns)
    places = pd.read_csv(spots, sep="\t").set_index(["x", "y"])
    for name, place in zip(adata.obs_names, adata.obsm["spatial"], strict=True):
        x, y = map(int, name.split("x"))
        assert place.tolist() == places.loc[(x, y), ["pixel_x", "pixel_y"]].tolist()
    # data/README.md: 200 um are 272 px there, and a spot is 136 px wide.
    assert adata.uns[keys.UNS]["pitch_px"] == pytest.approx(272, abs=1)
    assert adata.uns[keys.UNS]["spot_px"] == pytest.approx(136, abs=0.5)


def test_a_real_legacy_section_of_the_finer_array(shared):
    folder = shared / "data/mob"
    adata = read_legacy(
        "MOB1", counts=str(folder / "MOB1.tsv.gz"), spots=str(folder / "alignment_table_MOB1.tsv")
    )
    spots = pd.read_csv(folder / "alignment_table_MOB1.tsv", sep="\t")
    assert adata.shape == (int((spots["selected"] == 1).sum()), 1000) == (379, 1000)
    assert adata.uns[keys.UNS]["spots_found"] == 1934
    assert adata.uns[keys.UNS]["spots_left_out"]["outside tissue"] == 1544
    assert adata.uns[keys.UNS]["pitch_px"] == pytest.approx(31.7, abs=0.1)


@pytest.fixture
def write_h5ad(tmp_path):
    def write_h5ad(counts: object = COUNTS, spatial: object = None, **more: object) -> str:
        adata = anndata.AnnData(
            None if counts is None else np.asarray(counts, dtype=np.float32),
            obs=pd.DataFrame(index=more.get("spots", BARCODES)),
            var=pd.DataFrame({"gene_ids": ["E1", "E2", "E3"]}, index=["A", "B", "C"]),
        )
        adata.obsm["spatial"] = np.arange(8.0).reshape(4, 2) if spatial is None else spatial
        if more.get("unplaced"):
            del adata.obsm["spatial"]
        adata.write_h5ad(tmp_path / "s.h5ad")
        return str(tmp_path / "s.h5ad")

    return write_h5ad


def test_h5ad_counts_and_places(write_h5ad):
    adata = read_h5ad("S1", h5ad=write_h5ad())
    assert list(adata.obs_names) == BARCODES[:3]
    assert adata.X.toarray().tolist() == COUNTS[:3].tolist()
    assert adata.obsm["spatial"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert list(adata.var["gene_ids"]) == ["E1", "E2", "E3"]
    assert adata.uns[keys.UNS]["spots_found"] == 4
    assert adata.uns[keys.UNS]["spots_left_out"] == {"zero counts": 1}


def test_h5ad_places_may_be_a_table_or_have_a_depth(write_h5ad):
    table = pd.DataFrame({"x": [1, 2, 3, 4], "y": [5, 6, 7, 8]}, index=BARCODES)
    assert read_h5ad("S1", h5ad=write_h5ad(spatial=table)).obsm["spatial"].tolist() == [
        [1, 5],
        [2, 6],
        [3, 7],
    ]
    deep = np.arange(12).reshape(4, 3)
    assert read_h5ad("S1", h5ad=write_h5ad(spatial=deep)).obsm["spatial"].tolist() == [[0, 1], [3, 4], [6, 7]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"unplaced": True}, "no obsm['spatial'] of two numbers per spot"),
        ({"spatial": np.ones((4, 1))}, "no obsm['spatial'] of two numbers per spot"),
        ({"spatial": np.full((4, 2), np.nan)}, "no obsm['spatial'] of two numbers per spot"),
        ({"spatial": np.array([["a", "b"]] * 4)}, "no obsm['spatial'] of two numbers per spot"),
        ({"spatial": np.zeros((4, 2))}, "neighbouring spots are 0 px apart; expected each spot"),
        ({"counts": None}, "no counts in X"),
        ({"counts": np.log1p(COUNTS)}, "a count of 0.693147 (spot AAA-1, gene A); expected raw counts"),
        ({"counts": COUNTS * 0}, "no spot with counts among 4"),
        ({"spots": ["a", "b", "b", "c"]}, "1 names of spots stand there more than once (first: b)"),
    ],
)
def test_a_wrong_h5ad_is_refused(write_h5ad, content, said):
    with pytest.raises(InputError) as caught:
        read_h5ad("S1", h5ad=write_h5ad(**content))
    assert said in str(caught.value)
    assert (caught.value.section, Path(caught.value.file).name) == ("S1", "s.h5ad")


def test_a_damaged_h5ad_is_refused(write_h5ad):
    path = Path(write_h5ad())
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="it cannot be read as AnnData"):
        read_h5ad("S1", h5ad=str(path))


def test_formats_that_need_no_scanpy_do_not_wait_for_it(repository):
    code = (
        "import sys, ressat.expression_readers, ressat.genes; print({'scanpy', 'squidpy'} & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=repository / "workflow_scripts", capture_output=True, text=True
    )
    assert found.stdout.strip() == "set()", found.stderr
