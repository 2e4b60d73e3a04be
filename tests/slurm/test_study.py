"""The micro-study on SLURM: killed while its jobs run, taken up again, and finished."""

import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from slurm.cluster import wait_until
from studies import Run, content, copy_study


@dataclass(frozen=True)
class Finished:
    """A study that went through SLURM to its report, and how."""

    study: Path
    before: Mapping[str, Mapping[str, str]]
    run: Run
    jobs: Mapping[str, Mapping[str, str]]


def by_comment(jobs: Mapping[int, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Jobs by the names of their rules and wildcards."""
    return {job["Comment"]: job for job in jobs.values()}


@pytest.fixture(scope="module")
def finished(slurm, micro, tmp_path_factory) -> Finished:
    """The micro-study with its drawn sections at hand; snakemake dies while features are extracted."""
    study = copy_study(micro, tmp_path_factory.mktemp("slurm") / "micro")
    shutil.copytree(micro / "data", study / "data")
    process = slurm.start(study)

    def extracting() -> bool:
        assert process.poll() is None, process.communicate()[0]
        jobs = slurm.cluster.jobs().values()
        return any(
            job["JobState"] == "RUNNING" and job["Comment"].startswith("rule_extract_features")
            for job in jobs
        )

    try:
        wait_until(extracting, "a section's features to be extracted", limit_s=300)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    before = slurm.jobs_of(Run(process.returncode, output))
    slurm.run(study, "--unlock")
    run = slurm.run(study)
    return Finished(study, by_comment(before), run, by_comment(slurm.jobs_of(run)))


def test_a_run_whose_snakemake_was_killed_is_taken_up_again(finished):
    again = finished.before.keys() & finished.jobs.keys()
    assert any(name.startswith("rule_extract_features") for name in again)
    done = [name for name, job in finished.before.items() if job["JobState"] == "COMPLETED"]
    assert any(name.startswith("rule_read_expression_") for name in done)
    assert (finished.study / "results/report.html").is_file()


def test_results_are_those_of_a_workstation_to_the_last_bit(finished, micro):
    """Same code, same threads, same machine: there is no reason for a difference, so none is tolerated."""
    names = sorted(file.relative_to(micro) for file in (micro / "results").rglob("*") if file.is_file())
    assert len(names) > 30
    assert [name for name in names if content(finished.study / name) != content(micro / name)] == []


def test_a_gpu_is_asked_for_by_the_network_and_by_training_only(finished):
    jobs = {**finished.before, **finished.jobs}
    with_gpu = {name for name, job in jobs.items() if "gpu:1" in job.get("TresPerJob", "")}
    expected = {name for name in jobs if name.startswith(("rule_extract_features", "rule_train_model"))}
    assert with_gpu == expected
    assert len(with_gpu) == 5


def test_every_job_asks_for_memory_and_time_of_its_own(finished):
    jobs = {**finished.before, **finished.jobs}
    assert {job["Partition"] for job in jobs.values()} == {"cpu"}
    assert all(int(job["MinMemoryNode"].removesuffix("M")) >= 200 for job in jobs.values())
    assert len({job["TimeLimit"] for job in jobs.values()}) > 4
    assert "UNLIMITED" not in {job["TimeLimit"] for job in jobs.values()}


def test_short_rules_of_a_section_share_a_job_and_the_folds_are_made_without_one(finished):
    jobs = {**finished.before, **finished.jobs}
    for section in ("M1", "M2", "M3"):
        assert f"rule_tiles_{section}_fit_stain_tile_slide" in jobs
    alone = ("check_genes", "tile_slide", "fit_stain", "split_sections")
    assert not [name for name in jobs if name.removeprefix("rule_").startswith(alone)]


def test_the_log_of_every_job_is_kept(finished):
    logs = finished.study / "logs" / "slurm"
    kept = {int(log.stem) for log in logs.rglob("*.log")}
    jobs = {**finished.before, **finished.jobs}
    assert {int(job["JobId"]) for job in jobs.values()} <= kept


def test_a_second_run_has_nothing_to_do(finished, slurm):
    assert "Nothing to be done" in slurm.run(finished.study, "--dry-run").output
