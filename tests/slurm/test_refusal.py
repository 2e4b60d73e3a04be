"""The tests' own SLURM keeps away from machines that have one. These tests start none, and run everywhere."""

import shutil
import subprocess

import pytest

from slurm.cluster import CONFIGS, ForeignClusterError, refuse_foreign, running, started


@pytest.fixture
def config(tmp_path):
    """A configuration of somebody else's."""
    file = tmp_path / "slurm.conf"
    file.write_text("ClusterName=theirs\n")
    return file


def test_a_machine_with_a_configuration_is_refused(config):
    with pytest.raises(ForeignClusterError, match=f"{config} exists.*Nothing was touched"):
        refuse_foreign((*CONFIGS, config))


def test_a_shell_that_knows_a_cluster_is_refused_and_nothing_is_written(config, tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_CONF", str(config))
    folder = tmp_path / "ours"
    folder.mkdir()
    with pytest.raises(ForeignClusterError, match="exists"), started(folder):
        pass
    assert list(folder.iterdir()) == []
    assert config.read_text() == "ClusterName=theirs\n"


@pytest.mark.parametrize("daemon", ["slurmctld", "slurmd"])
def test_a_machine_on_which_a_daemon_runs_is_refused(daemon, tmp_path):
    program = shutil.copy(shutil.which("sleep"), tmp_path / daemon)
    with subprocess.Popen([program, "60"]) as process:
        try:
            with pytest.raises(ForeignClusterError, match=f"{daemon} runs as process {process.pid}"):
                refuse_foreign(())
        finally:
            process.kill()
    assert process.pid not in running((daemon,))


def test_a_controller_that_answers_is_refused_wherever_its_configuration_is(tmp_path):
    scontrol = tmp_path / "scontrol"
    scontrol.write_text("#!/bin/sh\necho 'Slurmctld(primary) at login1 is UP'\n")
    scontrol.chmod(0o755)
    with pytest.raises(ForeignClusterError, match="reaches a controller"):
        refuse_foreign((), {"PATH": f"{tmp_path}:/usr/bin:/bin"})
