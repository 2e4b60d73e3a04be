"""The files of a matrix share their prefix: none is taken from another sample, and none that is hidden."""

from pathlib import Path

import pytest

from ressat.base.errors import InputError
from ressat.counts.prefixed_files import matrix_parts, prefix_of, refuse_two_samples, visible_names

TRIO = ("matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz")


def fill(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def trio(prefix: str, *left_out: str) -> list[str]:
    return [f"{prefix}{name}" for name in TRIO if name not in left_out]


def names(folder: Path) -> set[str]:
    return {file.name for file in matrix_parts(folder).values()}


@pytest.mark.parametrize("prefix", ["", "GSM777_A1_", "GSM777.A1.", "sample-7-", "mouse 3_"])
def test_three_files_with_one_prefix_are_a_matrix(tmp_path, prefix):
    fill(tmp_path, *trio(prefix), "readme.txt", "my_marker_genes.tsv")
    assert names(tmp_path) == set(trio(prefix))


@pytest.mark.parametrize("features", ["genes.tsv", "features.tsv", "genes.tsv.gz"])
def test_features_may_have_their_older_name(tmp_path, features):
    fill(tmp_path, "P_matrix.mtx", "P_barcodes.tsv", f"P_{features}")
    assert names(tmp_path) == {"P_matrix.mtx", "P_barcodes.tsv", f"P_{features}"}


@pytest.mark.parametrize(
    "present",
    [
        [*trio("GSM1_"), *trio("GSM2_")],
        ["GSM1_matrix.mtx.gz", "GSM1_barcodes.tsv.gz", "GSM2_features.tsv.gz", "GSM2_barcodes.tsv.gz"],
        ["GSM1_matrix.mtx.gz", "GSM2_barcodes.tsv.gz", "GSM2_features.tsv.gz"],
        [*trio("GSM1_"), "GSM2_matrix.mtx.gz"],
        [*trio("GSM1_", "features.tsv.gz"), *trio("GSM2_")],
    ],
)
def test_files_of_two_samples_are_refused_with_their_prefixes(tmp_path, present):
    fill(tmp_path, *present)
    said = "files of 2 matrices, with the prefixes GSM1, GSM2; expected one matrix.mtx"
    with pytest.raises(InputError, match=said) as caught:
        matrix_parts(tmp_path)
    assert caught.value.file == str(tmp_path)


@pytest.mark.parametrize(("missing", "prefix"), [("features.tsv.gz", "B7_"), ("barcodes.tsv.gz", "")])
def test_a_missing_file_goes_by_the_prefix_of_the_others(tmp_path, missing, prefix):
    fill(tmp_path, *trio(prefix, missing))
    assert names(tmp_path) == set(trio(prefix))


@pytest.mark.parametrize("prefix", ["B7_", ""])
def test_barcodes_without_a_matrix_are_refused(tmp_path, prefix):
    fill(tmp_path, f"{prefix}barcodes.tsv.gz")
    with pytest.raises(InputError, match=f"without a matrix; expected {prefix}matrix.mtx.gz beside it"):
        matrix_parts(tmp_path)


@pytest.mark.parametrize(
    ("filtered", "raw"), [("S3_filtered_", "S3_raw_"), ("S3_", "S3_raw_feature_bc_"), ("filtered_", "raw_")]
)
def test_the_raw_matrix_of_the_same_sample_stands_back(tmp_path, filtered, raw):
    fill(tmp_path, *trio(filtered), *trio(raw))
    assert names(tmp_path) == set(trio(filtered))


@pytest.mark.parametrize("hidden", [trio("._"), trio("._GSM9_"), [".DS_Store", ".matrix.mtx.gz"]])
def test_hidden_files_are_no_files(tmp_path, hidden):
    fill(tmp_path, *hidden)
    assert matrix_parts(tmp_path) is None
    assert visible_names(tmp_path) == set()
    fill(tmp_path, *trio("GSM9_"))
    assert names(tmp_path) == set(trio("GSM9_"))


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("matrix.mtx", ""), ("A_matrix.mtx", "A_"), ("A-matrix.mtx", "A-"), ("xmatrix.mtx", None)],
)
def test_a_prefix_is_parted_from_the_name(name, prefix):
    assert prefix_of(name, ["matrix.mtx"]) == prefix


ENDINGS = (
    "filtered_feature_bc_matrix.h5",
    "tissue_positions.csv",
    "filtered_feature_bc_matrix",
    "matrix.mtx",
)


@pytest.mark.parametrize(
    ("matrix", "positions"),
    [
        ("A_filtered_feature_bc_matrix.h5", "tissue_positions.csv"),
        ("filtered_feature_bc_matrix.h5", "A_tissue_positions.csv"),
        ("A_1_filtered_feature_bc_matrix.h5", "A_1_spatial_tissue_positions.csv"),
        ("A_1_matrix.mtx", "A_1.tissue_positions.csv"),
        ("GSM5_A_matrix.mtx", "GSM5_tissue_positions.csv"),
        ("A_filtered_feature_bc_matrix/matrix.mtx", "A_tissue_positions.csv"),
    ],
)
def test_prefixes_of_one_sample_belong_together(matrix, positions):
    refuse_two_samples({"matrix": Path(matrix), "positions": Path("spatial", positions)}, ENDINGS)


@pytest.mark.parametrize(
    ("matrix", "positions"),
    [
        ("A_filtered_feature_bc_matrix.h5", "B_tissue_positions.csv"),
        ("GSM5_A_matrix.mtx", "GSM6_A_tissue_positions.csv"),
        ("A_filtered_feature_bc_matrix/matrix.mtx", "B_tissue_positions.csv"),
    ],
)
def test_prefixes_of_two_samples_are_refused(matrix, positions):
    with pytest.raises(InputError, match=f"files of two samples, .*{Path(matrix).name}"):
        refuse_two_samples({"matrix": Path(matrix), "positions": Path("spatial", positions)}, ENDINGS)
