"""An orphan of a killed run ends, and cannot put its older results over newer ones."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ressat.base.files import replacing, write_text
from ressat.base.joblog import job_log
from ressat.base.ownership import RUN, end_with_run, process_name

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of the end of another process")

JOB = """
import sys, time
from ressat.base.files import replacing
from ressat.base.joblog import job_log
with job_log(sys.argv[1], "fit_stain S4"), replacing(sys.argv[2]) as temporary:
    temporary.write_text("old")
    print("written", flush=True)
    sys.stdin.readline()
"""
# Snakemake, in short: it says who it is, and starts a job by way of a shell that stays. A shell gives what it
# starts in the background an empty stdin; the job waits on ours, and so cannot finish before its run ends.
RUNNER = f"""
import os, subprocess, sys
from ressat.base.ownership import RUN, process_name
os.environ[RUN] = process_name()
shell = 'exec 3<&0; "$@" <&3 & echo $!; wait'
subprocess.run(["bash", "-c", shell, "bash", sys.executable, "-c", {JOB!r}, *sys.argv[1:]], stdin=0)
"""


@pytest.fixture
def environment(repository):
    kept = {name: value for name, value in os.environ.items() if name != RUN}
    return kept | {"PYTHONPATH": str(repository / "workflow_scripts")}


def ends(pid, limit_s=30):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


@linux
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_ends_with_the_run_that_started_it_though_a_shell_stands_between(environment, tmp_path, end):
    command = [sys.executable, "-c", RUNNER, str(tmp_path / "job.log"), str(tmp_path / "S4.json")]
    run = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = int(run.stdout.readline())
    assert run.stdout.readline() == "written\n"
    run.send_signal(end)
    run.wait(30)
    assert ends(pid)
    assert not (tmp_path / "S4.json").exists()
    assert "stopped: the Snakemake that started this job has ended" in (tmp_path / "job.log").read_text()


@linux
@pytest.mark.parametrize("number", [1, 2])
def test_a_job_whose_run_has_ended_does_not_start(environment, tmp_path, number):
    for _ in range(number):
        with subprocess.Popen(["sleep", "60"]) as other:
            gone = process_name(other.pid)
            other.kill()
    job = [sys.executable, "-c", JOB, str(tmp_path / "job.log"), str(tmp_path / "S4.json")]
    done = subprocess.run(job, env=environment | {RUN: gone}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("fit_stain S4: the Snakemake that started this job has ended")
    assert not (tmp_path / "S4.json").exists()


@pytest.mark.parametrize("run", ["", "1 2 3 another-boot", "999999999 1 4026531836 another-boot"])
def test_a_run_that_cannot_be_seen_from_here_is_no_reason_to_end(monkeypatch, run):
    monkeypatch.setenv(RUN, run)
    end_with_run()


@pytest.mark.parametrize("newer", ["fit_stain S4", "fit_stain S5"])
def test_a_job_that_was_started_again_does_not_write_over_the_newer_result(environment, tmp_path, newer):
    log, result = tmp_path / "job.log", tmp_path / "S4.json"
    command = [sys.executable, "-c", JOB, str(log), str(result)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, env=environment, text=True, **pipes) as old:
        assert old.stdout.readline() == "written\n"
        with job_log(str(log), newer):
            write_text(result, "new")
        _, said = old.communicate("\n", timeout=60)
    assert old.returncode == 1
    assert said.startswith("fit_stain S4: a newer run has started this job again")
    assert result.read_text() == "new"
    assert "newer run" not in log.read_text(), "the newer job's log is its own"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["S4.json", "job.log"]


@pytest.mark.parametrize("change", ["removed", "edited", "emptied"])
def test_a_log_that_someone_touches_is_no_newer_job(tmp_path, change):
    log = tmp_path / "job.log"
    with job_log(str(log), "fit_stain S4"), replacing(tmp_path / "S4.json") as temporary:
        temporary.write_text("result")
        if change == "removed":
            log.unlink()
        else:
            log.write_text("# a note\n" if change == "edited" else "")
    assert (tmp_path / "S4.json").read_text() == "result"


@pytest.mark.parametrize("host", ["node17", "node17.cluster.example.org"])
def test_a_job_removes_what_a_job_on_another_host_left_and_says_so(tmp_path, host):
    left = tmp_path / f".S4.json.{host}.4711.part"
    others = [tmp_path / f".S5.json.{host}.4711.part", tmp_path / f".S4.json.{host}.note.part"]
    for file in (left, *others):
        file.write_text("half")
    with job_log(str(tmp_path / "job.log"), "fit_stain S4"):
        write_text(tmp_path / "S4.json", "whole")
    assert not left.exists()
    assert all(file.exists() for file in others)
    assert f"which an interrupted job on {host} had left" in (tmp_path / "job.log").read_text()


def test_outside_of_a_job_what_another_host_left_is_kept(tmp_path):
    left = tmp_path / ".S4.json.node17.4711.part"
    left.write_text("half")
    write_text(tmp_path / "S4.json", "whole")
    assert left.exists()


@pytest.mark.parametrize("number", [1, 3])
def test_a_job_that_lost_its_claim_ends_in_a_sentence(tmp_path, capsys, number):
    log, results = tmp_path / "job.log", [tmp_path / f"S{index}.json" for index in range(number)]

    def job():
        with job_log(str(log), "fit_stain S4"):
            for result in results[1:]:
                write_text(result, "before")
            line = log.read_text().splitlines()[0]
            log.unlink()
            log.write_text(line.replace("process ", "process 9") + "\n")
            write_text(results[0], "after")

    with pytest.raises(SystemExit):
        job()
    assert "a newer run has started this job again (fit_stain S4 as process 9" in capsys.readouterr().err
    assert [result.exists() for result in results] == [False] + [True] * (number - 1)
