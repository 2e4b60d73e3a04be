"""What goes wrong on a cluster: too little memory, a bad section, a controller that forgets jobs soon."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from studies import Run, content, copy_study

FEATURES = "results/features/M1.h5"
WEIGHTS = "resources/weights/resnet50_IMAGENET1K_V2.pth"
NOWHERE = "http://127.0.0.1:9"
COUNTS = "data/M2/outs/filtered_feature_bc_matrix.h5"
CHECK_OF_M2 = "check_section_wildcards_M2"


@dataclass(frozen=True)
class Failed:
    """A run in which one section failed, and what SLURM says of its jobs, oldest first."""

    study: Path
    run: Run
    jobs: list[Mapping[str, str]]

    def attempts(self, name: str) -> list[Mapping[str, str]]:
        """The jobs of a rule or a group."""
        return [job for job in self.jobs if job["Comment"].startswith(f"rule_{name}")]


@pytest.fixture(scope="module")
def failed(slurm, micro, tmp_path_factory) -> Failed:
    """M1 gets too little memory at first, M2 has counts that nobody can read, and there is no network."""
    study = copy_study(micro, tmp_path_factory.mktemp("failing") / "micro", results=True)
    (study / FEATURES).unlink()
    (study / COUNTS).write_text("no HDF5")
    run = slurm.run(
        study,
        *(FEATURES, "results/checks/M2.genes.json", WEIGHTS, "--retries", "1", "--set-resources"),
        *("extract_features:mem_mb=300 if attempt == 1 else 4000", "extract_features:gpu=0"),
        "extract_features:slurm_partition=gpu",
        succeeds=False,
        https_proxy=NOWHERE,
    )
    return Failed(study, run, [job for _, job in sorted(slurm.jobs_of(run).items())])


def test_slurm_kills_a_job_that_takes_more_memory_than_it_asked_for(failed):
    first = failed.attempts("extract_features")[0]
    assert first["MinMemoryNode"] == "300M"
    assert first["JobState"] == "FAILED"
    log = (failed.study / f"logs/slurm/rule_extract_features/M1/{first['JobId']}.log").read_text()
    assert f"> {300 * 2**20}), being killed" in log


def test_a_job_killed_for_memory_is_retried_with_more_and_succeeds(failed, micro):
    states = [(job["MinMemoryNode"], job["JobState"]) for job in failed.attempts("extract_features")]
    assert states[1:] == [("4000M", "COMPLETED")]
    assert content(failed.study / FEATURES) == content(micro / FEATURES)


def test_a_retry_asks_for_double_the_memory_and_time(failed):
    first, second = failed.attempts(CHECK_OF_M2)
    megabytes = [int(job["MinMemoryNode"].removesuffix("M")) for job in (first, second)]
    assert megabytes[1] == 2 * megabytes[0]
    assert (first["TimeLimit"], second["TimeLimit"]) == ("00:15:00", "00:30:00")


def test_a_failing_section_fails_the_run_with_its_name_while_others_finish(failed):
    assert {job["JobState"] for job in failed.attempts(CHECK_OF_M2)} == {"FAILED"}
    assert (failed.study / FEATURES).is_file()
    told = failed.run.output
    assert "Error in rule check_section" in told
    assert "logs/check_section/M2.log" in told
    assert "M2" in (failed.study / "logs/check_section/M2.log").read_text()


def test_weights_are_downloaded_where_snakemake_runs(failed):
    assert "localrule fetch_weights:" in failed.run.output
    assert failed.attempts("fetch_weights") == []


def test_a_site_without_gpus_can_ask_for_none(failed):
    assert ["TresPerJob" in job for job in failed.attempts("extract_features")] == [False, False]


def test_a_rule_can_have_a_partition_of_its_own(failed):
    assert {job["Partition"] for job in failed.attempts("extract_features")} == {"gpu"}
    assert {job["Partition"] for job in failed.attempts("check_section")} == {"cpu"}


@pytest.fixture
def forgetful(slurm, tmp_path) -> str:
    """PATH of a cluster that has accounting and whose controller keeps ended jobs for two seconds only."""
    tools = tmp_path / "bin"
    tools.mkdir()
    scontrol = shutil.which("scontrol", path=slurm.cluster.environment["PATH"])
    scripts = {
        # Without -X it is asked for accounts, and knows none.
        "sacct": (
            f'echo "$@" >> {tmp_path}/asked\n'
            'case "$*" in *-X*) exec squeue --noheader --states=all "--format=%i|%T";; esac'
        ),
        "scontrol": f'{scontrol} "$@" | sed "s/^MinJobAge .*/MinJobAge = 2 sec/"',
    }
    for name, script in scripts.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    return f"{tools}:{slurm.cluster.environment['PATH']}"


def test_accounting_is_asked_where_the_controller_forgets_jobs_too_soon(slurm, micro, forgetful, tmp_path):
    study = copy_study(micro, tmp_path / "micro", results=True)
    (study / "results/ceiling/M2.tsv").unlink()
    slurm.run(study, "results/ceiling/M2.tsv", PATH=forgetful)
    assert (study / "results/ceiling/M2.tsv").is_file()
    assert "--format=JobIdRaw,State" in (tmp_path / "asked").read_text()
