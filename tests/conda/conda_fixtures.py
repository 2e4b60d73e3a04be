"""A channel of what is installed here, and snakemake with a conda command that installs from it."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studies import Run

HERE = Path(__file__).parent
BIN = HERE / "bin"


@pytest.fixture(scope="session")
def conda_folder(repository, tmp_path_factory) -> Iterator[Path]:
    """Folder of the channels, of the unpacked packages, and of the list of jobs that ran in a prefix."""
    pytest.importorskip("rattler", reason="py-rattler is not installed: it solves and installs environments")
    here = (platform.system(), platform.machine(), platform.python_implementation())
    if here != ("Linux", "x86_64", "CPython"):
        pytest.skip(f"the channel can be made of CPython on Linux x86-64, and this is {' '.join(here)}")
    folder = tmp_path_factory.mktemp("conda")
    environments = sorted((repository / "envs").glob("*.yaml"))
    command = [sys.executable, HERE / "conda_channel.py", folder / "channels" / "conda-forge", *environments]
    subprocess.run(command, check=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def conda_variables(conda_folder) -> dict[str, str]:
    """What the tests' conda, which is in `BIN`, needs in its environment to find its channels."""
    return {
        "RESSAT_TEST_PYTHON": sys.executable,
        "RESSAT_TEST_CHANNELS": str(conda_folder / "channels"),
        "RESSAT_TEST_PACKAGES": str(conda_folder / "packages"),
        "RESSAT_TEST_JOBS": str(conda_folder / "jobs.jsonl"),
    }


@pytest.fixture(scope="session")
def snakemake_with_conda(snakemake, conda_variables) -> Callable[..., Run]:
    """Run snakemake with --sdm conda on a study; takes what ``snakemake`` takes."""

    def run(study: Path, *arguments: str, **options) -> Run:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(BIN), prepend=os.pathsep)
            for name, value in conda_variables.items():
                patch.setenv(name, value)
            return snakemake(study, *arguments, "--sdm", "conda", **options)

    return run
