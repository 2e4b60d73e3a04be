import re
from pathlib import Path

import pytest

from count_files import section, source, write_outs
from ressat.base.errors import InputError
from ressat.counts.format import CountsSource
from ressat.workflow.files import find_files


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
    assert source(outs) == CountsSource(
        "space_ranger",
        {
            "matrix": outs / "filtered_feature_bc_matrix.h5",
            "positions": outs / "spatial/tissue_positions.csv",
            "scalefactors": outs / "spatial/scalefactors_json.json",
        },
    )


@pytest.mark.parametrize("name", ["a.h5ad", "A.H5AD"])
def test_h5ad(name):
    assert source(name) == CountsSource("h5ad", {"h5ad": Path(name)})


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz", "a.csv", "a.csv.gz", "a.txt", "a.TXT.GZ"])
def test_a_legacy_table_comes_with_its_spots(name):
    spots = Path("spots.tsv")
    assert source(name, spots=spots) == CountsSource("legacy", {"counts": Path(name), "spots": spots})
    said = rf"section S1: {re.escape(name)}: a counts table without a spot table; .*column spots"
    with pytest.raises(InputError, match=said):
        find_files({"S1": section(name)}, simulated=["S1"])


@pytest.mark.parametrize("ending", [".zarr", ".ZARR", ""])
def test_a_spatialdata_store_is_known_by_its_ending_or_its_content(store, ending):
    moved = store.rename(store.with_suffix(ending))
    found = source(moved)
    assert (found.format, found.files["store"]) == ("spatialdata", moved / "zarr.json")
    names = [str(file.relative_to(moved)) for file in found.files["elements"]]
    assert names == [
        "shapes/a/shapes.parquet",
        "shapes/b/shapes.parquet",
        "tables/t1/X/c/0",
        "tables/t2/X/c/0",
        "tables/zarr.json",
    ]


def test_only_the_files_of_the_table_and_region_that_the_sheet_names_are_watched(store):
    found = source(store, table="t2", region="a")
    assert found.options == {"table": "t2", "region": "a"}
    assert found.files["elements"] == [store / "shapes/a/shapes.parquet", store / "tables/t2/X/c/0"]


@pytest.mark.parametrize("name", ["outs", "a.h5ad", "s.zarr"])
@pytest.mark.parametrize("subset", ["-2", "-1-left"])
def test_the_part_that_the_sheet_names_is_an_option(store, name, subset):
    assert source(store if name == "s.zarr" else name, subset=subset).options == {"subset": subset}


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"table": "t3"}, r"no t3 among its tables \(t1, t2\); .* set the column table to one of them"),
        ({"region": "c"}, r"no c among its shapes \(a, b\); .* set the column region to one of them"),
    ],
)
def test_a_table_or_region_that_is_not_there_is_refused(store, named, said):
    with pytest.raises(InputError, match=said):
        source(store, **named)


def test_a_store_without_tables_is_refused(tmp_path):
    (tmp_path / "a.zarr/X").mkdir(parents=True)
    with pytest.raises(InputError, match=r"no tables; expected a SpatialData store with a table of counts"):
        source(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("name", "option", "said"),
    [
        (
            "outs",
            {"layer": "counts"},
            "layer is counts, and the counts are a folder of Space Ranger's outs; exp",
        ),
        ("outs", {"table": "t"}, "expected table for a SpatialData store (.zarr) only"),
        ("outs", {"spots": Path("s.tsv")}, "expected spots for a counts table (.tsv, .csv, also .gz) only"),
        (
            "a.h5ad",
            {"bin_um": 8},
            "bin_um is 8, and the counts are an .h5ad file; expected bin_um for a",
        ),
        (
            "a.tsv",
            {"subset": "-2"},
            "subset is -2, and the counts are a counts table (.tsv, .csv, also .gz); expected subset for a "
            "SpatialData store (.zarr) or an .h5ad file or a folder of Space Ranger's outs only",
        ),
        (
            "outs",
            {"subset": "batch=A"},
            "subset is batch=A, and a matrix of Space Ranger has no columns of obs",
        ),
        ("outs", {"subset": "library_id = 2"}, "expected the ending of this section's barcodes, such as -2"),
        ("a.h5ad", {"region": "r"}, "leave the column region empty for this section"),
        ("a.zarr", {"bin_um": 8}, "expected bin_um for a folder of Space Ranger's outs only"),
        ("a.tsv", {"layer": "x"}, "expected layer for a SpatialData store (.zarr) or an .h5ad file only"),
    ],
)
def test_what_a_format_does_not_have_is_refused(name, option, said):
    with pytest.raises(InputError) as caught:
        source(name, **option)
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
        source(name)


def test_a_folder_may_be_called_like_a_file(tmp_path):
    (tmp_path / "run.h5/outs").mkdir(parents=True)
    (tmp_path / "run.tsv/outs").mkdir(parents=True)
    for name in ("run.h5", "run.tsv"):
        found = source(tmp_path / name)
        assert found.format == "space_ranger"
        assert found.files["matrix"] == tmp_path / name / "outs/filtered_feature_bc_matrix.h5"


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "counts.svs").touch()
    with pytest.raises(InputError) as caught:
        source(tmp_path / "counts.svs")
    assert str(caught.value) == (
        "a file of type .svs; expected a folder of Space Ranger's outs, "
        "a counts table (.tsv, .csv, also .gz), an .h5ad file or a SpatialData store (.zarr); "
        "correct the column expression."
    )
