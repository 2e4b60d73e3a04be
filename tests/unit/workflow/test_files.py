"""The files of sections: one that is missing is named, with its section."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from count_files import section, source, write_outs
from ressat.base.errors import InputError
from ressat.base.names import spelled_out
from ressat.counts.format import CountsSource
from ressat.workflow.files import find_files


@pytest.fixture
def slide(tmp_path):
    (tmp_path / "s.svs").touch()
    return tmp_path / "s.svs"


def found(slide: Path, expression: Path | str) -> CountsSource:
    """The counts of a section, all of whose files are there."""
    return find_files({"S1": replace(section(expression), slide=slide)}, simulated=())[1]["S1"]


def test_the_first_missing_file_is_named(tmp_path, slide):
    outs = write_outs(tmp_path / "outs")
    assert found(slide, outs) == source(outs)
    (outs / "spatial/tissue_positions.csv").unlink()
    with pytest.raises(InputError, match=r"tissue_positions.csv: no such file or folder") as caught:
        found(slide, outs)
    assert caught.value.section == "S1"


def test_one_missing_file_of_several_of_a_kind_is_named(tmp_path, slide):
    store = tmp_path / "s.zarr"
    for name in ("zarr.json", "tables/t/zarr.json", "shapes/a/shapes.parquet", "shapes/b/shapes.parquet"):
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).touch()
    assert found(slide, store) == source(store)
    (store / "shapes/b/shapes.parquet").unlink()
    (store / "shapes/b/shapes.parquet").symlink_to("nowhere")
    with pytest.raises(InputError, match=r"b/shapes.parquet: no such file or folder \(elements\)"):
        found(slide, store)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "none/such", "none.zarr"])
def test_a_path_that_cannot_exist_is_a_missing_file(slide, name):
    with pytest.raises(InputError, match=r"no such file or folder \(slide\)"):
        found(Path(name), name)
    with pytest.raises(InputError, match=r"no such file or folder \(expression\)"):
        found(slide, name)
    assert source(name).files  # told from names alone, as for a section that is simulated later


def test_a_folder_that_may_not_be_entered_is_a_missing_file(tmp_path, slide, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.stat", refuse)  # root may enter any
    with pytest.raises(InputError, match="no such file or folder"):
        found(slide, tmp_path / "outs")


@pytest.mark.parametrize(
    ("present", "written"), [("Zoe\u0308.svs", "Zoë.svs"), ("Scan.svs", "scan.svs\u200b")]
)
def test_a_slide_in_another_form_is_named(tmp_path, slide, present, written):
    (tmp_path / present).touch()
    with pytest.raises(InputError, match="in form alone") as caught:
        found(tmp_path / written, write_outs(tmp_path / "outs"))
    assert caught.value.action.startswith(f"{spelled_out(str(tmp_path / present))} is there")
    with pytest.raises(InputError, match="correct the path, which is taken relative to the sheet"):
        found(tmp_path / "other.svs", tmp_path / "outs")


@pytest.mark.parametrize(("present", "written"), [("Zoë", "Zoe\u0308"), ("Run 1", "Run\u00a01")])
def test_a_folder_of_counts_in_another_form_is_named(tmp_path, slide, present, written):
    write_outs(tmp_path / present / "outs")
    with pytest.raises(InputError) as caught:
        found(slide, tmp_path / written / "outs")
    assert spelled_out(str(tmp_path / present)) in caught.value.action


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00ff\nsize 2949520\n"


@pytest.mark.parametrize(
    "name", ["s.svs", "outs/filtered_feature_bc_matrix.h5", "outs/spatial/tissue_positions.csv"]
)
def test_a_file_that_git_has_not_fetched_is_named(tmp_path, slide, name):
    outs = write_outs(tmp_path / "outs")
    (tmp_path / name).write_text(POINTER)
    with pytest.raises(
        InputError, match=rf"{name}: a Git LFS pointer, .*2949520 bytes.*git lfs pull"
    ) as caught:
        found(slide, outs)
    assert caught.value.section == "S1"


@pytest.mark.parametrize("name", ["Färbung.svs", "schnitt_µ.tif"])
def test_a_name_that_the_system_cannot_be_given_is_told_with_what_to_set(tmp_path, name, monkeypatch):
    def ascii_only(path):
        return os.fspath(path).encode("ascii")

    monkeypatch.setattr("os.fsencode", ascii_only)
    with pytest.raises(
        InputError, match=r"encoding of this session \(ascii\); .*; set LC_ALL=C.UTF-8"
    ) as caught:
        found(tmp_path / name, tmp_path / "outs")
    assert str(caught.value).isascii()
