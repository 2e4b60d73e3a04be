import shutil
from pathlib import Path

import pytest

from count_files import section, write_bins, write_mtx, write_outs
from ressat.base.errors import InputError
from ressat.counts.formats.space_ranger import MEMBER
from ressat.workflow.files import find_files


@pytest.fixture
def outs(tmp_path):
    return write_outs(tmp_path / "run/outs")


def found(folder: Path, **more: object) -> dict[str, str]:
    row = section(folder, **more)
    return {name: str(file) for name, file in MEMBER.files(row.expression, row.counts_options).items()}


def test_outs_and_its_parent_give_the_same_files(outs):
    expected = {
        "matrix": f"{outs}/filtered_feature_bc_matrix.h5",
        "positions": f"{outs}/spatial/tissue_positions.csv",
        "scalefactors": f"{outs}/spatial/scalefactors_json.json",
    }
    assert found(outs) == found(outs.parent) == expected


@pytest.mark.parametrize(
    "name",
    [
        "tissue_positions.csv",
        "tissue_positions.csv.gz",
        "tissue_positions_list.csv",
        "tissue_positions_list.csv.gz",
        "tissue_positions.parquet",
    ],
)
def test_positions_of_every_version_are_found(outs, name):
    shutil.move(outs / "spatial/tissue_positions.csv", outs / "spatial" / name)
    assert found(outs)["positions"] == f"{outs}/spatial/{name}"


def test_the_newer_positions_are_taken_where_there_are_both(outs):
    (outs / "spatial/tissue_positions_list.csv").touch()
    assert found(outs)["positions"] == f"{outs}/spatial/tissue_positions.csv"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("features", ["features.tsv", "genes.tsv"])
def test_a_matrix_may_be_a_folder(outs, packed, features):
    (outs / "filtered_feature_bc_matrix.h5").unlink()
    write_mtx(outs / "filtered_feature_bc_matrix", packed=packed, features=features)
    folder, ending = outs / "filtered_feature_bc_matrix", ".gz" if packed else ""
    expected = {
        "matrix": f"{folder}/matrix.mtx{ending}",
        "features": f"{folder}/{features}{ending}",
        "barcodes": f"{folder}/barcodes.tsv{ending}",
    }
    assert found(outs) == found(outs) | expected


def test_files_that_lie_side_by_side_are_found(outs, tmp_path):
    flat = tmp_path / "flat"
    write_mtx(flat)
    for file in (outs / "spatial").iterdir():
        shutil.copy(file, flat / f"GSM1_{file.name}")
    assert {Path(file).name for file in found(flat).values()} == {
        "matrix.mtx.gz",
        "features.tsv.gz",
        "barcodes.tsv.gz",
        "GSM1_tissue_positions.csv",
        "GSM1_scalefactors_json.json",
    }


def test_downloads_with_a_prefix_are_found_and_two_of_them_are_refused(outs):
    matrix = outs / "filtered_feature_bc_matrix.h5"
    shutil.move(matrix, outs / "V1_Breast_filtered_feature_bc_matrix.h5")
    assert found(outs)["matrix"] == f"{outs}/V1_Breast_filtered_feature_bc_matrix.h5"
    (outs / "V2_Breast_filtered_feature_bc_matrix.h5").touch()
    with pytest.raises(InputError, match=r"2 files that may be meant, V1_Breast_.*, V2_Breast_"):
        found(outs)


@pytest.mark.parametrize("is_folder", [False, True])
def test_the_raw_matrix_is_taken_where_there_is_no_other(outs, is_folder):
    raw = outs / ("raw_feature_bc_matrix" if is_folder else "raw_feature_bc_matrix.h5")
    write_mtx(raw) if is_folder else raw.touch()
    assert found(outs)["matrix"] == f"{outs}/filtered_feature_bc_matrix.h5"
    (outs / "filtered_feature_bc_matrix.h5").unlink()
    assert found(outs)["matrix"] == (f"{raw}/matrix.mtx.gz" if is_folder else str(raw))


@pytest.mark.parametrize("name", ["filtered_feature_bc_matrix.h5", "GSM1_A_raw_feature_bc_matrix.h5"])
def test_a_gzipped_matrix_is_to_be_unpacked(outs, name):
    (outs / "filtered_feature_bc_matrix.h5").rename(outs / f"{name}.gz")
    with pytest.raises(InputError, match="a gzipped HDF5 file") as caught:
        found(outs)
    assert caught.value.file == f"{outs}/{name}.gz"
    assert caught.value.action == "unpack it (gunzip)"
    (outs / f"{name}.gz").rename(outs / name)
    assert found(outs)["matrix"] == f"{outs}/{name}"


def test_what_is_not_there_goes_by_the_name_of_today(tmp_path):
    names = [
        "filtered_feature_bc_matrix.h5",
        "spatial/tissue_positions.csv",
        "spatial/scalefactors_json.json",
    ]
    assert list(found(tmp_path / "outs").values()) == [f"{tmp_path}/outs/{name}" for name in names]
    (tmp_path / "outs/spatial").mkdir(parents=True)
    assert list(found(tmp_path / "outs").values()) == [f"{tmp_path}/outs/{name}" for name in names]


@pytest.mark.parametrize("place", ["", "outs", "outs/binned_outputs", "outs/binned_outputs/square_016um"])
def test_bins_of_the_size_asked_for_are_taken_from_any_folder_of_the_run(tmp_path, place):
    write_bins(tmp_path / "outs", 8, 16)
    (tmp_path / "outs/spatial").mkdir()  # the images of the whole run
    folder = tmp_path / "outs/binned_outputs/square_016um"
    assert found(tmp_path / place, bin_um=16) == {
        "matrix": f"{folder}/filtered_feature_bc_matrix.h5",
        "positions": f"{folder}/spatial/tissue_positions.parquet",
        "scalefactors": f"{folder}/spatial/scalefactors_json.json",
    }


def test_the_only_bin_size_need_not_be_said(tmp_path):
    write_bins(tmp_path / "outs", 16)
    assert "square_016um" in found(tmp_path / "outs")["matrix"]
    write_bins(tmp_path / "outs", 2, 8)
    assert "square_016um" in found(tmp_path / "outs/binned_outputs/square_016um")["matrix"]
    with pytest.raises(InputError, match=r"bins of 2, 8, 16 um, and bin_um is empty; .*set bin_um to 8"):
        found(tmp_path / "outs")


def test_a_bin_size_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    write_bins(tmp_path / "outs", 8, 16)
    with pytest.raises(InputError, match="Visium HD with bins of 8, 16 um, and bin_um is 32") as caught:
        find_files({"S1": section(tmp_path / "outs", bin_um=32)}, simulated=["S1"])
    assert caught.value.section == "S1"


def test_a_bin_folder_of_another_size_than_the_sheet_says_is_refused(tmp_path):
    folder = write_bins(tmp_path / "outs", 8, 16) / "binned_outputs/square_008um"
    with pytest.raises(InputError, match="bin_um is 16, and the folder is that of bins of 8 um"):
        found(folder, bin_um=16)


def test_a_bin_size_for_plain_visium_is_refused(outs):
    with pytest.raises(InputError, match="bin_um is 8, and the folder is not one of Visium HD"):
        found(outs, bin_um=8)


def test_the_folder_of_the_matrix_alone_is_refused_with_the_one_to_give(outs):
    write_mtx(outs / "filtered_feature_bc_matrix")
    with pytest.raises(InputError, match=rf"the matrix alone; .*set the column expression to {outs}\."):
        found(outs / "filtered_feature_bc_matrix")


SPATIAL = ("tissue_positions.csv", "scalefactors_json.json")


@pytest.mark.parametrize("prefix", ["GSM777_A1_", "GSM777_A1-", "GSM777.A1."])
def test_a_section_with_a_prefix_before_every_file_is_found(outs, tmp_path, prefix):
    flat = tmp_path / "flat"
    write_mtx(flat)
    for file in (*flat.iterdir(), *(outs / "spatial").iterdir()):
        shutil.move(file, flat / f"{prefix}{file.name}")
    assert {Path(file).name for file in found(flat).values()} == {
        *(f"{prefix}{name}.gz" for name in ("matrix.mtx", "features.tsv", "barcodes.tsv")),
        *(prefix + name for name in SPATIAL),
    }


@pytest.mark.parametrize("prefix", ["GSM778_A1_", "B1-"])
def test_positions_of_another_sample_are_refused(outs, tmp_path, prefix):
    flat = tmp_path / "flat"
    write_mtx(flat)
    for file in list(flat.iterdir()):
        shutil.move(file, flat / f"GSM777_A1_{file.name}")
    for file in (outs / "spatial").iterdir():
        shutil.copy(file, flat / f"{prefix}{file.name}")
    with pytest.raises(InputError, match=r"files of two samples, .*_matrix.mtx.gz") as caught:
        found(flat)
    assert caught.value.action.startswith("give each section a folder of its own")


@pytest.mark.parametrize("where", ["outs", "bins", "matrix folder"])
def test_hidden_files_change_nothing(outs, where):
    if where == "bins":
        write_bins(outs, 8)
    if where == "matrix folder":
        (outs / "filtered_feature_bc_matrix.h5").unlink()
        write_mtx(outs / "filtered_feature_bc_matrix")
    before = found(outs)
    for folder in (outs, *(path for path in outs.rglob("*") if path.is_dir())):
        for name in [*(path.name for path in folder.iterdir()), "x_tissue_positions.csv", "square_016um"]:
            (folder / f"._{name}").touch()
        (folder / ".DS_Store").touch()
    assert found(outs) == before


@pytest.mark.parametrize("shadow", ["._filtered_feature_bc_matrix.h5", "._A_filtered_feature_bc_matrix.h5"])
def test_a_hidden_file_is_not_the_matrix(outs, shadow):
    shutil.move(outs / "filtered_feature_bc_matrix.h5", outs / shadow)
    assert found(outs)["matrix"] == f"{outs}/filtered_feature_bc_matrix.h5"  # which is said to be missing


@pytest.mark.parametrize(
    "name",
    [
        "aggr_tissue_positions.csv",
        "spatial/aggr_tissue_positions_list.csv",
        "GSE7_aggr_tissue_positions.csv.gz",
        "aggregation.csv",
    ],
)
@pytest.mark.parametrize("place", ["", "run"])
def test_outs_of_aggr_are_named_as_such(tmp_path, name, place):
    folder = tmp_path / place / "outs"
    (folder / "spatial/library_7").mkdir(parents=True)
    for file in (name, "filtered_feature_bc_matrix.h5", "scalefactors_json.json"):
        (folder / file).touch()
    for subset in ({}, {"subset": "-2"}):
        with pytest.raises(InputError) as caught:
            found(tmp_path / place if place else folder, **subset)
        file = name.rpartition("/")[2]
        assert str(caught.value).startswith(
            f"outs of spaceranger aggr, which joins several sections ({file}); exp"
        )
        assert "expected the outs of spaceranger count, of one section" in str(caught.value)


@pytest.mark.parametrize("name", ["aggr_tissue_positions.csv", "aggregation.csv"])
def test_a_sections_own_positions_are_read_beside_those_of_aggr(outs, name):
    expected = found(outs)
    (outs / name).touch()
    (outs / "spatial" / name).touch()
    assert found(outs) == found(outs, subset="-2") == expected


@pytest.mark.parametrize("prefix", ["GSM777_A1_", "P1."])
def test_a_folder_spatial_with_a_prefix_is_found(outs, prefix):
    (outs / "spatial").rename(outs / f"{prefix}spatial")
    matrix = outs / "filtered_feature_bc_matrix.h5"
    matrix.rename(outs / f"{prefix}{matrix.name}")
    assert found(outs) == {
        "matrix": f"{outs}/{prefix}{matrix.name}",
        "positions": f"{outs}/{prefix}spatial/tissue_positions.csv",
        "scalefactors": f"{outs}/{prefix}spatial/scalefactors_json.json",
    }


@pytest.mark.parametrize("prefixes", [("A_", "B_"), ("S1.", "S2.")])
def test_folders_spatial_of_two_samples_are_not_guessed_among(outs, prefixes):
    for prefix in prefixes:
        shutil.copytree(outs / "spatial", outs / f"{prefix}spatial")
    shutil.rmtree(outs / "spatial")
    assert found(outs)["positions"] == f"{outs}/spatial/tissue_positions.csv"  # which is said to be missing
