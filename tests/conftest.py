"""What every test may ask for."""

import os
from pathlib import Path

import pytest

from studies import REPOSITORY


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
