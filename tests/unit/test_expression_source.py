from pathlib import Path

import pytest

from ressat.errors import InputError
from ressat.expression_source import expression_files, require_files
from ressat.sheet import Section


def section(expression: Path, spots: Path | None = None) -> Section:
    return Section("S1", Path("s1.svs"), expression, spots, "P", "train", None)


def outs(folder: Path, *positions: str) -> Path:
    for name in ("filtered_feature_bc_matrix.h5", "spatial/scalefactors_json.json", *positions):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("present", "taken"),
    [
        (["tissue_positions.csv"], "tissue_positions.csv"),
        (["tissue_positions_list.csv"], "tissue_positions_list.csv"),
        (["tissue_positions.csv", "tissue_positions_list.csv"], "tissue_positions.csv"),
    ],
)
def test_space_ranger_folders_of_either_version(tmp_path, present, taken):
    folder = outs(tmp_path / "outs", *(f"spatial/{name}" for name in present))
    assert expression_files(section(folder)) == (
        "space_ranger",
        {
            "matrix": folder / "filtered_feature_bc_matrix.h5",
            "positions": folder / "spatial" / taken,
            "scalefactors": folder / "spatial/scalefactors_json.json",
        },
    )


def test_a_folder_that_is_still_to_be_written_is_one_of_the_newer_version(tmp_path):
    form, files = expression_files(section(tmp_path / "outs"))
    assert form == "space_ranger"
    assert files["positions"].name == "tissue_positions.csv"


@pytest.mark.parametrize("name", ["a.h5ad", "A.H5AD"])
def test_h5ad(name):
    assert expression_files(section(Path(name))) == ("h5ad", {"h5ad": Path(name)})


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz", "a.csv", "a.csv.gz", "a.txt", "a.TXT.GZ"])
def test_a_legacy_table_comes_with_its_spots(name):
    spots = Path("spots.tsv")
    found = expression_files(section(Path(name), spots))
    assert found == ("legacy", {"counts": Path(name), "spots": spots})
    with pytest.raises(
        InputError, match=r"section S1: .* a counts table without a spot table; .*column spots"
    ):
        expression_files(section(Path(name)))


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "counts.rds").touch()
    with pytest.raises(InputError, match=r"a file of type .rds; expected a Space Ranger outs folder"):
        expression_files(section(tmp_path / "counts.rds"))


def test_the_first_missing_file_is_named(tmp_path):
    folder = outs(tmp_path / "outs")
    counts = section(folder)
    with pytest.raises(InputError, match=r"tissue_positions.csv: no such file or folder") as caught:
        require_files(counts, expression_files(counts)[1])
    assert caught.value.section == "S1"
    outs(folder, "spatial/tissue_positions.csv")
    require_files(counts, expression_files(counts)[1])


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "none/such"])
def test_a_path_that_cannot_exist_is_a_missing_file(name):
    counts = section(Path(name))
    with pytest.raises(InputError, match="no such file or folder"):
        require_files(counts, {"slide": Path(name), **expression_files(counts)[1]})


def test_a_folder_that_may_not_be_entered_is_a_missing_file(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.stat", refuse)  # root may enter any
    with pytest.raises(InputError, match="no such file or folder"):
        require_files(section(tmp_path / "outs"), {"slide": tmp_path / "s.svs"})
