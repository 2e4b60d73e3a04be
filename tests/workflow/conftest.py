"""Studies that the tests of the workflow share."""

from pathlib import Path

import pytest

from studies import copy_study


@pytest.fixture(scope="session")
def micro(repository: Path, snakemake, tmp_path_factory) -> Path:
    """The micro-study, run to its report: two small labelled sections, and one without counts."""
    study = copy_study(
        repository / "tests" / "workflow" / "micro", tmp_path_factory.mktemp("whole") / "micro"
    )
    snakemake(study)
    return study
