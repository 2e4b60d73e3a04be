"""The micro-study with --sdm conda: each rule in its own prefix, with the same results as without conda."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from studies import Run, content, copy_study, rules

ITS_OWN = {"__main__", "ressat", "sitecustomize"}
INTERFACES = (f"snakemake_interface_{kind}" for kind in ("common", "logger_plugins", "storage_plugins"))
SNAKEMAKE = {"snakemake", *INTERFACES}


@pytest.fixture(scope="module")
def finished(repository, snakemake_with_conda, tmp_path_factory) -> tuple[Path, Run]:
    """The micro-study, run to its report with --sdm conda."""
    folder = tmp_path_factory.mktemp("prefixes") / "micro"
    copy_study(repository / "tests" / "workflow" / "micro", folder)
    yield folder, snakemake_with_conda(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def study(finished) -> Path:
    return finished[0]


@pytest.fixture(scope="module")
def jobs(study, conda_folder) -> list[dict]:
    """What every job left: its rule, its prefix, and the modules that it had from elsewhere."""
    lines = [json.loads(line) for line in (conda_folder / "jobs.jsonl").read_text().splitlines()]
    return [line for line in lines if Path(line["prefix"]).is_relative_to(study)]


def test_every_job_ran_in_the_environment_that_its_rule_names(finished, jobs, repository):
    assert Counter(job["rule"] for job in jobs) == finished[1].jobs
    named = {rule: re.search(r"envs/(\w+\.yaml)", text)[1] for rule, text in rules(repository).items()}
    for job in jobs:
        # Snakemake keeps a copy of the environment file beside the prefix that it made of it.
        copy = Path(f"{job['prefix']}.yaml")
        assert copy.read_bytes() == (repository / "envs" / named[job["rule"]]).read_bytes(), job


def test_no_job_had_a_module_from_outside_its_prefix(jobs):
    assert {name for job in jobs for name in job["outside"]} <= ITS_OWN | SNAKEMAKE


def test_results_are_those_without_conda(study, micro):
    names = sorted(file.relative_to(micro) for file in (micro / "results").rglob("*") if file.is_file())
    assert len(names) > 30
    assert [name for name in names if content(study / name) != content(micro / name)] == []


def test_a_second_run_has_nothing_to_do(study, snakemake_with_conda):
    assert "Nothing to be done" in snakemake_with_conda(study, "--dry-run").output


def test_switching_conda_off_runs_everything_again(study, snakemake):
    every = snakemake(study, "--dry-run", "--forceall").jobs
    assert snakemake(study, "--dry-run").jobs == every
    triggers = ("--rerun-triggers", "mtime", "params", "input", "code")
    assert "Nothing to be done" in snakemake(study, "--dry-run", *triggers).output


@pytest.fixture
def checkout(repository, tmp_path) -> Path:
    """A copy of the workflow, whose environment files may be changed."""
    for name in ("envs", "report", "rules", "schemas", "workflow_scripts"):
        shutil.copytree(repository / name, tmp_path / "checkout" / name)
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(repository / name, tmp_path / "checkout")
    return tmp_path / "checkout"


@pytest.fixture
def fresh(repository, tmp_path) -> Path:
    """The micro-study before its first run; its prefixes are not kept."""
    yield copy_study(repository / "tests" / "workflow" / "micro", tmp_path / "micro")
    shutil.rmtree(tmp_path / "micro")


def test_a_rule_fails_without_a_package_that_only_snakemake_has(checkout, fresh, snakemake_with_conda):
    file = checkout / "envs" / "simulate.yaml"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(line for line in lines if "h5py" not in line))
    snakefile = checkout / "Snakefile"
    output = snakemake_with_conda(fresh, "data/M1/slide.tiff", snakefile=snakefile, succeeds=False).output
    assert "Error in rule simulate_section" in output
    assert "ModuleNotFoundError: No module named 'h5py'" in output


def test_a_pin_file_decides_what_is_installed(checkout, fresh, snakemake_with_conda, conda_folder):
    channel = conda_folder / "channels" / "conda-forge"
    pinned = [*channel.glob("linux-64/python-3.*.conda"), *channel.glob("noarch/python-tzdata-*.conda")]
    pins = "\n".join(["@EXPLICIT", *(file.as_uri() for file in pinned)])
    (checkout / "envs" / "split_sections.linux-64.pin.txt").write_text(pins)
    snakemake_with_conda(fresh, "results/folds/folds.tsv", snakefile=checkout / "Snakefile")
    installed = fresh.glob(".snakemake/conda/*/conda-meta/*.json")
    assert sorted(file.stem for file in installed) == sorted(file.stem for file in pinned)
