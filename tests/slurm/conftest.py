"""A SLURM to run studies on; only where RESSAT_TEST_SLURM=1 allows to start one."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from slurm.cluster import Cluster, ForeignClusterError, missing_commands, started
from studies import REPOSITORY, Run, finish

HERE = Path(__file__).parent
LIMIT_S = 600


@dataclass(frozen=True)
class Submitter:
    """Runs snakemake as on a login node: with the profile as it is, and looking at its jobs every second."""

    cluster: Cluster

    def start(self, study: Path, *arguments: str, **environment: str) -> subprocess.Popen:
        """Start a run as the leader of a process group; what it asks SLURM for is left to the profile."""
        # The node has two cores: rules get as many threads as on a workstation of that size.
        command = [
            *(sys.executable, str(HERE / "quick_snakemake.py"), "--snakefile", str(REPOSITORY / "Snakefile")),
            *("--workflow-profile", str(REPOSITORY / "profiles" / "slurm"), "--directory", str(study)),
            *("--slurm-init-seconds-before-status-checks", "1", "--max-threads", "2", "--latency-wait", "5"),
        ]
        return subprocess.Popen(
            [*command, *arguments],
            env={**self.cluster.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def run(self, study: Path, *arguments: str, succeeds: bool = True, **environment: str) -> Run:
        """Run to the end; fails the test unless it ends as expected."""
        process = self.start(study, *arguments, **environment)
        return finish(process, succeeds=succeeds, limit_s=LIMIT_S)

    def jobs_of(self, run: Run) -> dict[int, Mapping[str, str]]:
        """What SLURM says of the jobs that a run submitted: id -> ``scontrol show job``."""
        submitted = [int(job) for job in re.findall(r"has been submitted with SLURM jobid (\d+)", run.output)]
        known = self.cluster.jobs()
        return {job: known[job] for job in submitted}


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A SLURM of one node, for this session."""
    if os.environ.get("RESSAT_TEST_SLURM") != "1":
        pytest.skip("RESSAT_TEST_SLURM=1 lets these tests start a SLURM of their own on this machine")
    if missing := missing_commands():
        pytest.fail(f"{', '.join(missing)} not found; Debian: apt-get install slurm-wlm munge")
    # Not below pytest's folders: the path of a socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="ressat-slurm-") as folder:
        try:
            with started(Path(folder)) as cluster:
                yield cluster
        except ForeignClusterError as error:
            pytest.fail(str(error))


@pytest.fixture(scope="session")
def slurm(cluster: Cluster) -> Submitter:
    """Runs studies on the SLURM of this session."""
    return Submitter(cluster)
