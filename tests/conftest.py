"""What every test may ask for."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from xdist.scheduler import LoadScopeScheduling

from studies import REPOSITORY, Run, copy_study, finish, start

# What the tests of conda and of SLURM share.
pytest_plugins = ["conda_fixtures"]

LIMIT_S = 900


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout that is tested."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real sections, slides and weights; not part of the project."""
    folder = Path(os.environ.get("RESSAT_REAL_DATA", REPOSITORY.parent / "shared")).resolve()
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data in {folder}; RESSAT_REAL_DATA names the folder of data/ and weights/")
    return folder


@pytest.fixture(scope="session")
def snakemake() -> Callable[..., Run]:
    """Run snakemake on a study; fails the test unless it ends as expected."""

    def run(
        study: Path, *arguments: str, succeeds: bool = True, limit_s: float = LIMIT_S, **how: object
    ) -> Run:
        return finish(start(study, *arguments, **how), succeeds=succeeds, limit_s=limit_s)

    return run


@pytest.fixture(scope="session")
def micro(repository: Path, snakemake, tmp_path_factory) -> Path:
    """The micro-study, run to its report: two small labelled sections, and one without counts."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # that of all workers: one runs the study, the others wait for it
    study = folder / "micro"
    with FileLock(folder / "micro.lock"):
        if not (study / "results/report.html").exists():
            copy_study(repository / "tests/workflow/micro", study)
            snakemake(study)
    return study


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes test, let the longest come first and the short ones last: all end together."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: (item.path.stem != "test_real_sections", "unit" in item.path.parts))


class _ByFile(LoadScopeScheduling):
    """Hands out tests by file, and those of these folders together: they share what takes long to set up."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        folder = file.rpartition("/")[0]
        return folder if folder.endswith(("/conda", "/slurm")) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _ByFile:
    """Say which tests one process runs, where several do."""
    return _ByFile(config, log)
