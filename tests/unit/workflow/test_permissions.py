"""Links that lead nowhere, where results are to go, are said before any job."""

import pytest

from ressat.base.errors import InputError
from ressat.workflow.permissions import check_writable


@pytest.fixture
def study(tmp_path):
    for name in ("results/folds/all", "results/features", "logs/check_section", "benchmarks"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "results/features/S1.h5").touch()
    (tmp_path / "disk").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ["results", "logs", "benchmarks", ".snakemake", "resources", "data"])
def test_a_folder_that_is_a_dead_link_is_said_with_its_target(name, tmp_path):
    (tmp_path / name).symlink_to("/mnt/gone")
    with pytest.raises(InputError) as caught:
        check_writable(tmp_path)
    assert str(caught.value).startswith(
        f"{tmp_path / name}: a link to /mnt/gone, which is not there; expected "
    )
    assert f"or remove the link {name}" in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["results/tiles", "results/features/S2.h5", "results/folds/all/model.pt", "logs/check_section/S1.log"],
)
def test_a_dead_link_deeper_down_is_said(name, study):
    (study / name).symlink_to("nowhere/here")
    with pytest.raises(InputError, match=f"{name}: a link to nowhere/here, which is not there"):
        check_writable(study)


@pytest.mark.parametrize("name", ["results", "logs"])
def test_a_file_in_the_place_of_a_folder_is_said(name, tmp_path):
    (tmp_path / name).touch()
    with pytest.raises(InputError, match=f"{name}: {name} is a file; expected a folder"):
        check_writable(tmp_path)


def test_links_that_lead_somewhere_are_fine(study):
    (study / "results/tiles").symlink_to(study / "disk")
    (study / "resources").symlink_to("disk")
    (study / "results/features/S2.h5").symlink_to("S1.h5")
    check_writable(study)
