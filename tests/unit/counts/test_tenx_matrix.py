import gzip
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from count_files import BARCODES, COUNTS, GENES, write_genomes, write_h5, write_mtx
from ressat.base.errors import InputError, about
from ressat.counts.compression import read_bytes
from ressat.counts.tenx_matrix import Matrix, read_h5_matrix, read_mtx_matrix

KINDS = ["Gene Expression", "Gene Expression", "Antibody Capture"]
QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=200)


@pytest.fixture
def h5(tmp_path):
    write_h5(tmp_path / "m.h5", COUNTS, BARCODES, GENES, ["Gene Expression"] * 3)
    return tmp_path / "m.h5"


def read_folder(folder) -> Matrix:
    names = {
        name.split(".")[0]: str(folder / name) for name in sorted(file.name for file in folder.iterdir())
    }
    features = names.get("features") or names["genes"]
    return read_mtx_matrix(names["matrix"], features, names["barcodes"])


def refused(read: object) -> str:
    with pytest.raises(InputError) as caught, about(section="S1"):
        read()
    assert caught.value.section == "S1"
    assert caught.value.expected
    assert caught.value.action
    return str(caught.value)


def test_a_matrix_of_version_3(h5):
    matrix = read_h5_matrix(str(h5))
    assert list(matrix.barcodes) == BARCODES
    assert matrix.genes.to_dict("list") == {
        "name": GENES,
        "symbol": GENES,
        "ensembl": ["ENSG0", "ENSG1", "ENSG2"],
    }
    assert matrix.counts.toarray().tolist() == COUNTS.tolist()
    assert (matrix.counts.format, matrix.counts.dtype, matrix.other) == ("csr", np.float32, {})


def test_antibodies_are_no_genes_and_are_counted(tmp_path):
    write_h5(tmp_path / "m.h5", COUNTS, BARCODES, ["A", "B", "CD3"], KINDS)
    matrix = read_h5_matrix(str(tmp_path / "m.h5"))
    assert list(matrix.genes["name"]) == ["A", "B"]
    assert matrix.counts.toarray().tolist() == COUNTS[:, :2].tolist()
    assert matrix.other == {"Antibody Capture": 1}
    write_h5(tmp_path / "m.h5", COUNTS, BARCODES, GENES, ["Antibody Capture"] * 3)
    assert "no gene among its 3 features (Antibody Capture)" in refused(
        lambda: read_h5_matrix(str(tmp_path / "m.h5"))
    )


def test_a_matrix_of_version_2(tmp_path):
    write_genomes(tmp_path / "m.h5", GRCh38=COUNTS)
    matrix = read_h5_matrix(str(tmp_path / "m.h5"))
    assert (list(matrix.barcodes), list(matrix.genes["name"])) == (BARCODES, GENES)
    assert list(matrix.genes["ensembl"]) == ["ENSG0", "ENSG1", "ENSG2"]
    assert matrix.counts.toarray().tolist() == COUNTS.tolist()


def test_of_several_genomes_the_one_with_counts_is_read(tmp_path):
    write_genomes(tmp_path / "m.h5", GRCh38=COUNTS * 0, mm10=COUNTS)
    assert read_h5_matrix(str(tmp_path / "m.h5")).counts.toarray().tolist() == COUNTS.tolist()
    write_genomes(tmp_path / "m.h5", GRCh38=COUNTS, mm10=COUNTS)
    said = refused(lambda: read_h5_matrix(str(tmp_path / "m.h5")))
    assert "counts of 2 genomes, GRCh38, mm10" in said


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("features", ["features.tsv", "genes.tsv"])
def test_a_matrix_of_three_files(tmp_path, packed, features):
    write_mtx(tmp_path / "m", packed=packed, features=features)
    matrix = read_folder(tmp_path / "m")
    assert (list(matrix.barcodes), list(matrix.genes["name"])) == (BARCODES, GENES)
    assert matrix.counts.toarray().tolist() == COUNTS.tolist()
    assert (matrix.counts.format, matrix.counts.dtype) == ("csr", np.float32)


def test_genes_without_a_type_are_genes_and_one_called_NA_is_one(tmp_path):
    write_mtx(tmp_path / "m", packed=False, features_tsv="ENSG0\tNA\nENSG1\tnan\nENSG2\tTP53\n")
    assert list(read_folder(tmp_path / "m").genes["name"]) == ["NA", "nan", "TP53"]


@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_real_matrices_are_read_as_scanpy_reads_them(shared, tmp_path):
    import scanpy as sc

    outs = shared / "data/spaceranger/visiumio/10xVisium/section1/outs"
    folder = shared / "data/spaceranger/visiumio/binned_outputs/square_002um"
    h5s = [
        outs / "raw_feature_bc_matrix.h5",
        shared / "data/spaceranger/scanpy_visium_1.0.0/filtered_feature_bc_matrix.h5",
        folder / "filtered_feature_bc_matrix.h5",
    ]
    for file in h5s:
        theirs = sc.read_10x_h5(file)
        same(read_h5_matrix(str(file)), theirs)
    folders = [outs / "raw_feature_bc_matrix", folder / "filtered_feature_bc_matrix"]
    for number, matrix in enumerate(folders):
        copy = tmp_path / str(number)
        shutil.copytree(matrix, copy, copy_function=shutil.copyfile)
        ours = read_folder(copy)
        for file in list(copy.iterdir()):  # scanpy takes packed files alone; the names of the fixture mislead
            content = read_bytes(str(file))
            file.unlink()
            (copy / f"{file.name.removesuffix('.gz')}.gz").write_bytes(gzip.compress(content))
        same(ours, sc.read_10x_mtx(copy, make_unique=False))


def same(ours: Matrix, theirs: object) -> None:
    assert list(ours.barcodes) == list(theirs.obs_names)
    assert list(ours.genes["name"]) == list(theirs.var_names)
    assert list(ours.genes["ensembl"]) == list(theirs.var["gene_ids"])
    assert ours.counts.shape == theirs.shape
    assert (ours.counts != theirs.X).nnz == 0


@pytest.mark.parametrize("damage", ["empty", "text", "half", "tail", "other", "folder"])
def test_a_damaged_h5_matrix_is_refused(h5, tmp_path, damage):
    whole = h5.read_bytes()
    if damage == "other":
        with h5py.File(h5, "w") as file:
            file["matrix/barcodes"] = [1, 2]
    elif damage == "folder":
        h5 = tmp_path
    else:
        cut = {"empty": b"", "text": b"counts", "half": whole[: len(whole) // 2], "tail": whole[:-100]}
        h5.write_bytes(cut[damage])
    said = "a folder; expected" if damage == "folder" else "it cannot be read as a 10x count matrix ("
    assert f"{h5}: {said}" in refused(lambda: read_h5_matrix(str(h5)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("indices", [0, 9]),
        ("indptr", [0, 2, 1, 2, 2]),
        ("indptr", [0, 1]),
        ("data", [1.0]),
        ("data", ["a", "b"]),
        ("features/id", [1, 2, 3]),
        ("features/name", ["A"]),
    ],
)
def test_an_h5_matrix_that_contradicts_itself_is_refused(tmp_path, name, value):
    write_h5(tmp_path / "m.h5", np.diag([1, 1, 0, 0])[:, :3], BARCODES, GENES, ["Gene Expression"] * 3)
    with h5py.File(tmp_path / "m.h5", "a") as file:
        del file[f"matrix/{name}"]
        file[f"matrix/{name}"] = value
    assert "it cannot be read as a 10x count matrix" in refused(
        lambda: read_h5_matrix(str(tmp_path / "m.h5"))
    )


def test_a_matrix_that_declares_more_than_its_file_can_hold_is_refused_before_the_memory_is_full(h5):
    with h5py.File(h5, "a") as file:
        del file["matrix/data"]
        file.create_dataset("matrix/data", shape=(10**12,), chunks=(1024,), dtype="f8")
    assert "matrix/data of shape (1000000000000,) is more than it can hold" in refused(
        lambda: read_h5_matrix(str(h5))
    )


HEAD = "%%MatrixMarket matrix coordinate integer general\n"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"matrix_mtx": ""}, "an empty file"),
        ({"matrix_mtx": "counts"}, "it cannot be read as a Matrix Market file"),
        ({"matrix_mtx": f"{HEAD}3 4 2\n1 1 1\n"}, "it cannot be read as a Matrix Market file"),
        ({"matrix_mtx": f"{HEAD}3 4 1\n9 9 1\n"}, "it cannot be read as a Matrix Market file"),
        ({"matrix_mtx": f"{HEAD}3 4 1\n1 1 x\n"}, "it cannot be read as a Matrix Market file"),
        ({"matrix_mtx": f"{HEAD}3 4 {10**15}\n1 1 1\n"}, "1 entries where it says 1000000000000000"),
        (
            {"matrix_mtx": HEAD.replace("integer", "pattern") + "3 4 1\n1 1\n"},
            "its values are pattern general",
        ),
        (
            {"matrix_mtx": HEAD.replace("coordinate", "array") + "3 4\n" + "1\n" * 12},
            "it does not begin with %%MatrixMarket matrix coordinate",
        ),
        ({"barcodes_tsv": "A\nB\n"}, "a matrix of 3 x 4, but 3 features and 2 barcodes"),
        ({"features_tsv": "A\nB\n"}, "a matrix of 3 x 4, but 2 features and 4 barcodes"),
        ({"features_tsv": ""}, "features.tsv: an empty file"),
    ],
)
def test_a_wrong_matrix_of_three_files_is_refused(tmp_path, texts, said):
    write_mtx(tmp_path / "m", packed=False, **texts)
    assert said in refused(lambda: read_folder(tmp_path / "m"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("3 4 2\n" + "1 1 1 " * 100_000, "a line of more than 200 characters"),
        ("3 4 2\n" + "1 1 1\n" * 50, "50 entries or more where it says 2"),
        (f"3 4 {10**9}\n" + "1 1 1\n" * 50, "50 entries or more where it says 1000000000"),
        ("%" + "x" * 3_000_000 + "\n3 4 1\n1 1 1\n", "it cannot be read as a Matrix Market file"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_more_entries_or_longer_lines_than_there_can_be_are_refused(tmp_path, body, said, packed):
    write_mtx(tmp_path / "m", packed=packed, matrix_mtx=HEAD + body)
    assert said in refused(lambda: read_folder(tmp_path / "m"))


@pytest.mark.parametrize(
    "error", [MemoryError("Unable to allocate"), PermissionError(13, "Permission denied")]
)
def test_trouble_of_the_machine_is_no_damage(h5, tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    write_mtx(tmp_path / "m")
    for place, read in (
        ("opened_hdf5", lambda: read_h5_matrix(str(h5))),
        ("opened", lambda: read_folder(tmp_path / "m")),
    ):
        monkeypatch.setattr(f"ressat.counts.tenx_matrix.{place}", fail)
        with pytest.raises(InputError, match=r"memory ran out|permission is denied"):
            read()


def test_links_out_of_an_h5_matrix_are_refused(h5, tmp_path):
    (tmp_path / "private").write_text("root:x:0:0:root\n" * 4)
    with h5py.File(h5, "a") as file:
        del file["matrix/features/name"]
        file.create_dataset("matrix/features/name", (3,), "S16", external=[("private", 0, 48)])
    assert "its /matrix/features/name is the data of another file" in refused(lambda: read_h5_matrix(str(h5)))


def test_a_truncated_packed_matrix_is_refused(tmp_path):
    write_mtx(tmp_path / "m")
    file = tmp_path / "m/matrix.mtx.gz"
    file.write_bytes(file.read_bytes()[:-20])
    assert "it cannot be read as a Matrix Market file" in refused(lambda: read_folder(tmp_path / "m"))


def test_scanpy_and_anndata_are_not_needed(repository):
    code = "import sys, ressat.counts.tenx_matrix; print({'scanpy', 'anndata'} & set(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=repository / "workflow_scripts", capture_output=True, text=True
    )
    assert found.stdout.strip() == "set()", found.stderr


@QUICK
@given(changes=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=4))
def test_an_h5_matrix_with_changed_bytes_gives_a_matrix_or_the_one_error(tmp_path_factory, changes):
    file = tmp_path_factory.getbasetemp() / "fuzzed.h5"
    write_h5(file, COUNTS, BARCODES, GENES, KINDS)
    content = bytearray(file.read_bytes())
    for at, value in changes:
        content[at % len(content)] = value
    file.write_bytes(content)
    try:
        read_h5_matrix(str(file))
    except InputError:
        return


@QUICK
@given(lines=st.lists(st.text("0123456789 -.ex%\n", max_size=12), max_size=6), head=st.booleans())
def test_whatever_stands_in_a_matrix_file_gives_a_matrix_or_the_one_error(tmp_path_factory, lines, head):
    folder = tmp_path_factory.mktemp("fuzzed")
    write_mtx(folder / "m", packed=False, matrix_mtx=HEAD * head + "3 4 2\n" * head + "\n".join(lines))
    try:
        read_folder(folder / "m")
    except InputError:
        return
