import getpass
import os

import pytest

from ressat.base.ownership import RUN, process_name
from ressat.workflow.job_environment import COMMAND, TUNING, set_job_environment, shown_command


@pytest.fixture(autouse=True)
def run(monkeypatch):
    """Whatever is set is as it was after the test."""
    monkeypatch.setenv(RUN, "")


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["/home/jane/.venv/bin/snakemake", "--cores", "all"], "snakemake --cores all"),
        (["snakemake", "results/features/S1.h5", "--cores=4"], "snakemake results/features/S1.h5 --cores 4"),
        (["snakemake", "check", "-k", "--sdm", "conda"], "snakemake check -k --sdm conda"),
        (["snakemake", "--directory", "/home/jane doe/study"], "snakemake --directory ..."),
        (["snakemake", "--directory=/home/jane", "-c2"], "snakemake --directory ... -c2"),
        (["snakemake", "--apptainer-args", "-B /home/jane:/home/jane"], "snakemake --apptainer-args ..."),
        (["snakemake", "--storage-s3-secret-key", "SECRET123"], "snakemake --storage-s3-secret-key ..."),
        (["snakemake", "--config", "a=https://user:token@host/b"], "snakemake --config ..."),
        (["snakemake", "../jane/results.h5", "~jane"], "snakemake ... ..."),
        (["snakemake", "results/../../jane"], "snakemake ..."),
        (["/home/jane/snakemake", "-ujane", r"C:\Users\Jane Doe"], "snakemake ... ..."),
    ],
)
def test_a_command_is_shown_without_where_and_who(command, shown):
    assert shown_command(command) == shown


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.delenv(COMMAND, raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    # Set first, so that it is as it was after the test.
    monkeypatch.setenv("GLIBC_TUNABLES", "")
    monkeypatch.delenv("GLIBC_TUNABLES")
    set_job_environment(["snakemake", "-n"])
    assert os.environ["GOMP_SPINCOUNT"] == "7"
    assert os.environ["GLIBC_TUNABLES"] == TUNING["GLIBC_TUNABLES"]
    assert os.environ[COMMAND] == "snakemake -n"
    set_job_environment(["snakemake", "--a-job"])
    assert os.environ[COMMAND] == "snakemake -n"


@pytest.mark.parametrize("user", [12345, 4242])
def test_a_user_without_a_name_gets_one(monkeypatch, user):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr("os.getuid", lambda: user)
    with pytest.raises((KeyError, OSError)):
        getpass.getuser()
    set_job_environment(["snakemake"])
    assert getpass.getuser() == f"uid{user}"


@pytest.mark.parametrize("name", ["jane", "root"])
def test_a_name_that_is_known_stays(monkeypatch, name):
    monkeypatch.setenv("LOGNAME", name)
    set_job_environment(["snakemake"])
    assert os.environ["LOGNAME"] == name


def test_jobs_know_the_snakemake_that_starts_them(monkeypatch):
    monkeypatch.setenv(RUN, "that of the user's own process")
    set_job_environment(["snakemake"])
    assert os.environ[RUN] == process_name()
    assert process_name().split()[0] == str(os.getpid())
