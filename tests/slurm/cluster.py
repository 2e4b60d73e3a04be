"""A real SLURM of one node in a folder of its own: no systemd, no accounting, nothing under /etc.

Its memory limits are enforced and its GPU is a fake one, so that jobs can ask for it.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

CLIENTS = ("sbatch", "srun", "squeue", "scontrol", "scancel", "sinfo", "sacct", "sacctmgr", "sshare")
COMMANDS = ("munged", "slurmctld", "slurmd", "setpriv", *CLIENTS)
CONFIGS = tuple(
    Path(folder) / "slurm.conf" for folder in ("/etc/slurm", "/etc/slurm-llnl", "/run/slurm/conf")
)
DAEMONS = ("slurmctld", "slurmd", "slurmdbd", "sackd")
LIMIT_S = 60
# Debian keeps daemons in sbin, which is not on every user's PATH.
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])

# MinJobAge: finished jobs can still be asked about at the end of the tests.
# SchedulerParameters: a job that can run is started at once.
# config_overrides: the node has what is said here, whatever the machine has.
SLURM_CONF = """\
ClusterName=ressat-tests
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
MinJobAge=3600
KillWait=1
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000
GresTypes=gpu
NodeName=localhost NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes=localhost Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=localhost MaxTime=INFINITE State=UP
"""


class ForeignClusterError(RuntimeError):
    """This machine belongs to a SLURM that is not ours."""


@dataclass(frozen=True)
class Cluster:
    """A running SLURM, and what a process needs in its environment to use it."""

    folder: Path
    environment: Mapping[str, str]

    def command(self, *arguments: str) -> str:
        """What a SLURM command prints.

        Raises
        ------
        subprocess.CalledProcessError
            The command failed.
        """
        return subprocess.run(
            arguments, env=self.environment, check=True, capture_output=True, text=True, timeout=LIMIT_S
        ).stdout

    def jobs(self) -> dict[int, dict[str, str]]:
        """All jobs since the start, finished ones too: id -> what ``scontrol show job`` says of it."""
        lines = self.command("scontrol", "show", "job", "-o").splitlines()
        jobs = [dict(field.split("=", 1) for field in line.split() if "=" in field) for line in lines]
        return {int(job["JobId"]): job for job in jobs if "JobId" in job}

    def unfinished(self) -> list[int]:
        """Ids of the jobs that wait, run or end just now."""
        return [int(line) for line in self.command("squeue", "--noheader", "--format=%i").split()]

    def cancel(self) -> None:
        """End every job of this cluster, by its id, and wait until it is gone."""
        for job in self.unfinished():
            self.command("scancel", str(job))
        wait_until(lambda: not self.unfinished(), "cancelled jobs to end")


def wait_until(condition: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
    """Wait until a condition holds.

    Raises
    ------
    TimeoutError
        It does not within ``limit_s`` seconds.
    """
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {limit_s} s for {what}")
        time.sleep(0.1)


def running(names: tuple[str, ...]) -> dict[int, str]:
    """Processes of these names on this machine, dead ones that nobody has collected left out: id -> name."""
    found = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # 12 (slurmd) S 1 ...
            name, _, rest = file.read_text().partition("(")[2].rpartition(")")
            if name in names and not rest.startswith(" Z"):
                found[int(file.parent.name)] = name
    return found


def refuse_foreign(configs: tuple[Path, ...] = CONFIGS, environment: Mapping[str, str] = os.environ) -> None:
    """Make sure that this machine knows of no SLURM.

    Raises
    ------
    ForeignClusterError
        A configuration exists, a daemon runs, or a controller answers.
    """
    named = [Path(environment["SLURM_CONF"])] if environment.get("SLURM_CONF") else []
    found = [f"{path} exists" for path in (*named, *configs) if path.exists()]
    found += [f"{name} runs as process {process}" for process, name in running(DAEMONS).items()]
    if answers(environment, "is UP", "scontrol", "ping"):
        found.append("scontrol ping reaches a controller")
    if found:
        raise ForeignClusterError(
            "the SLURM tests start a SLURM of their own, and do so only where there is none: "
            + "; ".join(found)
            + ". Nothing was touched. Run them elsewhere, for example in a container."
        )


def missing_commands() -> list[str]:
    """Commands that the tests need and that are not installed."""
    return [command for command in COMMANDS if shutil.which(command, path=PATH) is None]


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_configuration(folder: Path, cpus: int, memory_mb: int) -> None:
    """Write all that the daemons read, into ``folder``."""
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir(parents=True)
    text = SLURM_CONF.format(
        folder=folder,
        user=pwd.getpwuid(os.getuid()).pw_name,
        cpus=cpus,
        memory_mb=memory_mb,
        controller_port=free_port(),
        node_port=free_port(),
    )
    (folder / "slurm.conf").write_text(text)
    (folder / "gres.conf").write_text("NodeName=localhost Name=gpu File=/dev/null\n")
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    # The plugin starts srun in each job without SLURM_CONF, and snakemake drops it when it runs in a job.
    for command in filter(None, (shutil.which(client, path=PATH) for client in CLIENTS)):
        wrapper = folder / "bin" / Path(command).name
        wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {command} "$@"\n')
        wrapper.chmod(0o755)


@contextlib.contextmanager
def started(folder: Path, *, cpus: int = 2, memory_mb: int = 8000) -> Iterator[Cluster]:
    """Start a SLURM in an empty folder; its daemons end with the block, or with this process.

    Parameters
    ----------
    folder
        Where all its files are; short, because it holds a socket.
    cpus, memory_mb
        What the node offers.

    Yields
    ------
    Cluster
        It takes jobs.

    Raises
    ------
    ForeignClusterError
        This machine has a SLURM already.
    """
    refuse_foreign()
    write_configuration(folder, cpus, memory_mb)
    environment = {**os.environ, "PATH": os.pathsep.join([str(folder / "bin"), PATH])}
    cluster, config = Cluster(folder, environment), str(folder / "slurm.conf")
    munged = ("munged", "--foreground", "--force", "--num-threads=2")
    files = {
        "key-file": "munge.key",
        "socket": "munge.socket",
        "pid-file": "munged.pid",
        "seed-file": "munged.seed",
    }
    with contextlib.ExitStack() as daemons:
        daemons.enter_context(
            daemon(cluster, *munged, *(f"--{option}={folder / name}" for option, name in files.items()))
        )
        wait_until((folder / "munge.socket").exists, "munged")
        daemons.enter_context(daemon(cluster, "slurmctld", "-D", "-i", "-f", config))
        wait_until(lambda: answers(environment, "is UP", "scontrol", "ping"), "slurmctld")
        daemons.enter_context(daemon(cluster, "slurmd", "-D", "-N", "localhost", "-f", config))
        node = ("sinfo", "-h", "-p", "cpu", "-o", "%T")
        wait_until(lambda: answers(environment, "idle", *node), "the node")
        daemons.callback(cluster.cancel)
        yield cluster


def answers(environment: Mapping[str, str], expected: str, *command: str) -> bool:
    """Whether a command prints what is expected; not if it does not exist."""
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return expected in done.stdout


@contextlib.contextmanager
def daemon(cluster: Cluster, *command: str) -> Iterator[None]:
    """A daemon in the foreground, which the system ends if this process dies."""
    with (cluster.folder / f"{command[0]}.out").open("w") as out:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *command],
            env=cluster.environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
