"""Where SLURM and conda meet: jobs of a cluster, each in the environment of its rule."""

import json
import os
import shutil
from pathlib import Path

import pytest

from conda_fixtures import BIN
from studies import Run, content, copy_study

MADE = [*(f"results/tiles/M2.{kind}" for kind in ("h5", "json", "png")), "results/stain/M2.json"]


@pytest.fixture(scope="module")
def section(slurm, micro, conda_variables, tmp_path_factory) -> tuple[Path, Run]:
    """A section of the micro-study, from its counts and slide to its stain, on SLURM with --sdm conda."""
    study = copy_study(micro, tmp_path_factory.mktemp("both") / "micro")
    shutil.copytree(micro / "data", study / "data")
    path = f"{BIN}{os.pathsep}{slurm.cluster.environment['PATH']}"
    yield study, slurm.run(study, MADE[-1], "--sdm", "conda", PATH=path, **conda_variables)
    shutil.rmtree(study)


def test_every_step_of_a_section_ran_on_slurm_in_its_own_environment(section, slurm, conda_variables):
    study, run = section
    jobs = slurm.jobs_of(run).values()
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    lines = [json.loads(line) for line in Path(conda_variables["RESSAT_TEST_JOBS"]).read_text().splitlines()]
    prefixes = {one["rule"]: one["prefix"] for one in lines if Path(one["prefix"]).is_relative_to(study)}
    assert set(prefixes) == {"check_section", "read_expression", "tile_slide", "fit_stain"}
    assert len(set(prefixes.values())) == 4


def test_results_are_those_without_slurm_and_conda(section, micro):
    study, _ = section
    assert [name for name in MADE if content(study / name) != content(micro / name)] == []
