from pathlib import Path

import pytest

from count_files import section, write_outs
from ressat.base.errors import InputError
from ressat.workflow.expression_source import expression_files, require_files


@pytest.fixture
def store(tmp_path):
    """The names in a SpatialData store."""
    for name in ("tables/t1/X/c/0", "tables/t2/X/c/0", "shapes/a/shapes.parquet", "shapes/b/shapes.parquet"):
        (tmp_path / "s.zarr" / name).parent.mkdir(parents=True)
        (tmp_path / "s.zarr" / name).touch()
    for name in ("zarr.json", "tables/zarr.json"):
        (tmp_path / "s.zarr" / name).touch()
    return tmp_path / "s.zarr"


def test_a_space_ranger_folder(tmp_path):
    outs = write_outs(tmp_path / "outs")
    assert expression_files(section(outs)) == (
        "space_ranger",
        {
            "matrix": outs / "filtered_feature_bc_matrix.h5",
            "positions": outs / "spatial/tissue_positions.csv",
            "scalefactors": outs / "spatial/scalefactors_json.json",
        },
    )


@pytest.mark.parametrize("name", ["a.h5ad", "A.H5AD"])
def test_h5ad(name):
    assert expression_files(section(name)) == ("h5ad", {"h5ad": Path(name)})


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz", "a.csv", "a.csv.gz", "a.txt", "a.TXT.GZ"])
def test_a_legacy_table_comes_with_its_spots(name):
    spots = Path("spots.tsv")
    found = expression_files(section(name, spots=spots))
    assert found == ("legacy", {"counts": Path(name), "spots": spots})
    with pytest.raises(
        InputError, match=r"section S1: .* a counts table without a spot table; .*column spots"
    ):
        expression_files(section(name))


@pytest.mark.parametrize("ending", [".zarr", ".ZARR", ""])
def test_a_spatialdata_store_is_known_by_its_ending_or_its_content(store, ending):
    moved = store.rename(store.with_suffix(ending))
    format, files = expression_files(section(moved))
    assert (format, files["store"]) == ("spatialdata", moved / "zarr.json")
    names = [str(file.relative_to(moved)) for file in files["elements"]]
    assert names == [
        "shapes/a/shapes.parquet",
        "shapes/b/shapes.parquet",
        "tables/t1/X/c/0",
        "tables/t2/X/c/0",
        "tables/zarr.json",
    ]


def test_only_the_files_of_the_table_and_region_that_the_sheet_names_are_watched(store):
    files = expression_files(section(store, table="t2", region="a"))[1]["elements"]
    assert files == [store / "shapes/a/shapes.parquet", store / "tables/t2/X/c/0"]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"table": "t3"}, r"no t3 among its tables \(t1, t2\); .* set the column table to one of them"),
        ({"region": "c"}, r"no c among its shapes \(a, b\); .* set the column region to one of them"),
    ],
)
def test_a_table_or_region_that_is_not_there_is_refused(store, named, said):
    with pytest.raises(InputError, match=said):
        expression_files(section(store, **named))


def test_a_store_without_tables_is_refused(tmp_path):
    (tmp_path / "a.zarr/X").mkdir(parents=True)
    with pytest.raises(InputError, match=r"no tables; expected a SpatialData store with a table of counts"):
        expression_files(section(tmp_path / "a.zarr"))


@pytest.mark.parametrize(
    ("name", "option", "said"),
    [
        (
            "outs",
            {"layer": "counts"},
            "layer is counts, and the counts are a Space Ranger folder; exp",
        ),
        ("outs", {"table": "t"}, "expected table for a SpatialData store only"),
        ("outs", {"spots": Path("s.tsv")}, "expected spots for a counts table only"),
        (
            "a.h5ad",
            {"bin_um": 8},
            "bin_um is 8, and the counts are an .h5ad file; expected bin_um for a",
        ),
        ("a.h5ad", {"region": "r"}, "leave the column region empty for this section"),
        ("a.zarr", {"bin_um": 8}, "expected bin_um for a Space Ranger folder only"),
        ("a.tsv", {"layer": "x"}, "expected layer for an .h5ad file or a SpatialData store only"),
    ],
)
def test_what_a_format_does_not_have_is_refused(name, option, said):
    with pytest.raises(InputError) as caught:
        expression_files(section(name, **option))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("outs/filtered_feature_bc_matrix.h5", "outs"),
        ("outs/filtered_feature_bc_matrix/matrix.mtx.gz", "outs"),
        ("outs/spatial/tissue_positions.parquet", "outs"),
    ],
)
def test_one_file_of_space_ranger_is_refused_with_the_folder_to_give(name, folder):
    with pytest.raises(InputError, match=rf"one file of a Space Ranger run; .* expression to {folder}\."):
        expression_files(section(name))


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "counts.rds").touch()
    with pytest.raises(InputError, match=r"a file of type .rds; expected a Space Ranger outs folder"):
        expression_files(section(tmp_path / "counts.rds"))


def test_the_first_missing_file_is_named(tmp_path):
    outs = write_outs(tmp_path / "outs")
    counts = section(outs)
    require_files(counts, expression_files(counts)[1])
    (outs / "spatial/tissue_positions.csv").unlink()
    with pytest.raises(InputError, match=r"tissue_positions.csv: no such file or folder") as caught:
        require_files(counts, expression_files(counts)[1])
    assert caught.value.section == "S1"


def test_one_missing_file_of_several_of_a_kind_is_named(store):
    counts = section(store)
    files = expression_files(counts)[1]
    require_files(counts, files)
    (store / "shapes/b/shapes.parquet").unlink()
    with pytest.raises(InputError, match=r"b/shapes.parquet: no such file or folder \(elements\)"):
        require_files(counts, files)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "none/such", "none.zarr"])
def test_a_path_that_cannot_exist_is_a_missing_file(name):
    counts = section(name)
    with pytest.raises(InputError, match="no such file or folder"):
        require_files(counts, {"slide": Path(name), **expression_files(counts)[1]})


def test_a_folder_that_may_not_be_entered_is_a_missing_file(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.stat", refuse)  # root may enter any
    with pytest.raises(InputError, match="no such file or folder"):
        require_files(section(tmp_path / "outs"), {"slide": tmp_path / "s.svs"})
