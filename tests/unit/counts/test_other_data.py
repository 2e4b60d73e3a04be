import json
from dataclasses import replace

import h5py
import pytest

from count_files import section, source, write_bins, write_mtx, write_outs
from ressat.base.errors import InputError
from ressat.counts.readers.h5ad import read_h5ad
from ressat.counts.reading import read_counts
from ressat.workflow.files import find_files


def refusal(path, **more: object) -> InputError:
    path.parent.joinpath("s.svs").touch()
    row = replace(section(path, **more), slide=path.parent / "s.svs")
    with pytest.raises(InputError) as caught:
        find_files({"S1": row}, simulated=())
    assert caught.value.section == "S1"
    assert caught.value.action
    assert "correct the path" not in str(caught.value)
    return caught.value


def write_cells(folder):
    """Segmented cells as Space Ranger 4 writes them."""
    (folder / "spatial").mkdir(parents=True)
    (folder / "filtered_feature_cell_matrix.h5").touch()
    (folder / "nucleus_segmentations.geojson").touch()
    (folder / "spatial/scalefactors_json.json").write_text(json.dumps({"microns_per_pixel": 0.5}))
    return folder


@pytest.mark.parametrize(
    "place", ["segmented_outputs", "", "segmented_outputs/filtered_feature_cell_matrix.h5"]
)
@pytest.mark.parametrize("bin_um", [None, 8])
def test_segmented_cells_are_named(tmp_path, place, bin_um):
    write_cells(tmp_path / "outs/segmented_outputs")
    said = refusal(tmp_path / "outs" / place, bin_um=bin_um)
    assert "segmented cells" in said.problem
    assert "binned_outputs" in said.action


def test_of_segmented_cells_beside_bins_the_bins_are_proposed_or_read(tmp_path):
    write_cells(tmp_path / "outs/segmented_outputs")
    write_bins(tmp_path / "outs", 8)
    said = refusal(tmp_path / "outs/segmented_outputs")
    assert said.action == f"set the column expression to {tmp_path}/outs and bin_um to 8"
    assert "square_008um" in str(source(tmp_path / "outs", bin_um=8).files["matrix"])


def test_cells_in_a_folder_of_another_name_are_named(tmp_path):
    assert "segmented cells" in refusal(write_cells(tmp_path / "my_cells")).problem


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["experiment.xenium", "cells.parquet"], "outputs of Xenium"),
        (["cell_feature_matrix.h5"], "outputs of Xenium"),
        (["cell_by_gene.csv"], "outputs of MERSCOPE"),
        (["S0_exprMat_file.csv"], "outputs of CosMx"),
        (["per_sample_outs/S1/x"], "outputs of cellranger multi"),
        (["raw_probe_bc_matrix.h5", "spatial/x"], "counts of probes alone"),
        (["filtered_feature_bc_matrix.h5", "web_summary.html"], "counts without places: no folder spatial"),
        (["raw_feature_bc_matrix/matrix.mtx.gz"], "counts without places: no folder spatial"),
        (["X/zarr.json", "obs/x", "var/x"], "an AnnData object in zarr"),
        (["a/spatial/x", "a/filtered_feature_bc_matrix.h5"], "a folder in which a is a run of Space Ranger"),
        (["a/outs/binned_outputs/x", "b/outs/binned_outputs/x"], "a folder of 2 runs of Space Ranger (a, b)"),
        (["tissue_positions.csv", "scalefactors_json.json"], "places without counts"),
    ],
)
@pytest.mark.parametrize("inner", ["", "outs"])
def test_a_folder_of_other_data_is_named(tmp_path, files, said, inner):
    if inner and said.startswith(("an AnnData", "a folder", "places")):
        inner = ""
    for name in files:
        (tmp_path / "given" / inner / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "given" / inner / name).touch()
    assert refusal(tmp_path / "given").problem.startswith(said)


def test_for_the_folder_spatial_the_one_above_is_proposed(tmp_path):
    outs = write_outs(tmp_path / "outs")
    assert refusal(outs / "spatial").action == f"set the column expression to {outs}"
    inner = write_bins(tmp_path / "hd", 16) / "binned_outputs/square_016um"
    assert refusal(inner / "spatial").action == f"set the column expression to {inner}"


def test_a_plain_matrix_beside_its_places_is_read(tmp_path):
    outs = write_outs(tmp_path / "outs")
    (outs / "filtered_feature_bc_matrix.h5").rename(outs / "raw_feature_bc_matrix.h5")
    (outs / "cell_segmentations.geojson").touch()
    assert source(outs).files["matrix"] == outs / "raw_feature_bc_matrix.h5"
    write_mtx(tmp_path / "outs/filtered_feature_bc_matrix")
    assert source(outs).files["features"].name == "features.tsv.gz"


def test_links_in_an_outs_folder_are_followed(tmp_path):
    outs = write_outs(tmp_path / "disk/outs")
    mine = tmp_path / "mine"
    (mine / "spatial").mkdir(parents=True)
    for name in (
        "filtered_feature_bc_matrix.h5",
        "spatial/tissue_positions.csv",
        "spatial/scalefactors_json.json",
    ):
        (mine / name).symlink_to(outs / name)
    assert read_counts(source(mine)).total == 4


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.rds", "an R object"),
        ("a.RData", "an R object"),
        ("a.h5Seurat", "a Seurat object"),
        ("a.loom", "a loom file"),
        ("a.h5mu", "a MuData file"),
        ("a.zip", "an archive"),
        ("outs.tar.gz", "an archive"),
        ("s.zarr.zip", "an archive"),
        ("a.h5ad.gz", "a packed HDF5 file"),
        ("a.gem.gz", "counts of Stereo-seq"),
        ("a.xlsx", "a spreadsheet"),
        ("a.cloupe", "a file of Loupe Browser"),
    ],
)
def test_a_file_of_other_data_is_named(tmp_path, name, said):
    (tmp_path / name).touch()
    assert refusal(tmp_path / name).problem.startswith(said)


def test_a_zarr_that_is_a_file_or_has_no_metadata_is_named(tmp_path):
    (tmp_path / "a.zarr").touch()
    assert refusal(tmp_path / "a.zarr").problem == "a file, and a store is a folder"
    (tmp_path / "b.zarr/tables/t").mkdir(parents=True)
    (tmp_path / "b.zarr/shapes/s").mkdir(parents=True)
    (tmp_path / "s.svs").write_bytes(b"any")
    with pytest.raises(InputError, match=r"a folder without zarr.json or .zgroup"):
        find_files({"S1": replace(section(tmp_path / "b.zarr"), slide=tmp_path / "s.svs")}, simulated=())


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["barcode_idx", "umi", "count"], "molecule_info.h5"),
        (["barcode", "umi", "reads"], "molecule_info.h5"),
        (["feature_slices", "masks"], "feature_slice.h5 of Visium HD"),
        (["matrix", "row_attrs", "col_attrs"], "a loom file"),
        (["X", "obs", "var"], "an AnnData file"),
        (["assays", "cell.names"], "a Seurat object"),
        (["mod"], "a MuData file"),
    ],
)
def test_an_h5_file_of_other_data_is_named(tmp_path, names, said):
    outs = write_outs(tmp_path / "outs")
    with h5py.File(outs / "filtered_feature_bc_matrix.h5", "w") as file:
        for name in names:
            file[name] = [1]
    with pytest.raises(InputError) as caught:
        read_counts(source(outs))
    assert caught.value.problem.startswith(said)
    assert "again" not in caught.value.action


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x1f\x8b\x08\x00", "a gzipped file"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS"),
        (None, "a folder"),
    ],
)
@pytest.mark.parametrize("name", ["a.h5ad", "outs/filtered_feature_bc_matrix.h5"])
def test_what_is_no_hdf5_is_named(tmp_path, content, said, name):
    write_outs(tmp_path / "outs")
    file = tmp_path / name
    file.unlink(missing_ok=True)
    file.mkdir() if content is None else file.write_bytes(content)
    given = file if file.suffix == ".h5ad" else file.parent
    with pytest.raises(InputError) as caught:
        read_counts(source(given))
    assert caught.value.problem.startswith(said)


def test_a_10x_matrix_named_h5ad_is_named(tmp_path):
    outs = write_outs(tmp_path / "outs")
    (outs / "filtered_feature_bc_matrix.h5").rename(tmp_path / "a.h5ad")
    with pytest.raises(InputError, match=r"a count matrix of 10x Genomics; .* give the folder"):
        read_h5ad(str(tmp_path / "a.h5ad"))
