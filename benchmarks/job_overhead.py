"""What a job costs beside its work, on the demo study: below 4 s, median over jobs that do not need squidpy.

Run with: python benchmarks/job_overhead.py
The demo study runs as with make demo, one job at a time. A job is the process of its script, which Snakemake
starts itself on one machine. Its work is what its log says that the script took once its imports were done.
The rest is overhead: the start of the interpreter, and imports. A cluster adds two starts of Snakemake.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

REPOSITORY = Path(__file__).resolve().parent.parent
POLL_S, LIMIT_S = 0.02, 4.0
SCRIPT = re.compile(r"/scripts/[^/]+\.(\w+)\.py$")
WORK = re.compile(r"finished after ([0-9.]+) s")
# Rules whose scripts import squidpy.
WITH_SQUIDPY = {"select_genes"}


@dataclass
class Job:
    """A job: its rule, and when its process began and was last seen, in seconds."""

    rule: str
    start: float
    end: float


def run_watched(study: Path) -> list[Job]:
    """Run the study one job at a time."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    with open(study / "snakemake.log", "w") as log:
        main = subprocess.Popen(
            [*command, "--cores", "1", "--directory", str(study)], stdout=log, stderr=subprocess.STDOUT
        )
    jobs: dict[int, Job] = {}
    watched = psutil.Process(main.pid)
    while main.poll() is None:
        now = time.time()
        for process in watched.children():
            # One that has ended stays among the children until it is waited for, and answers nothing.
            with suppress(psutil.NoSuchProcess):
                found = SCRIPT.search(" ".join(process.cmdline()[1:2]))
                if found:
                    jobs.setdefault(process.pid, Job(found[1], process.create_time(), now)).end = now
        time.sleep(POLL_S)
    if main.returncode:
        sys.exit((study / "snakemake.log").read_text())
    return list(jobs.values())


def works(study: Path, rule: str) -> list[float]:
    """Seconds of work of a rule's jobs, in the order in which they ended."""
    logs = [*(study / "logs").glob(f"{rule}.log"), *(study / "logs" / rule).rglob("*.log")]
    logs.sort(key=lambda file: file.stat().st_mtime)
    return [float(WORK.findall(log.read_text())[-1]) for log in logs]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "demo"
        study.mkdir()
        for name in ("config.yaml", "samples.tsv"):
            shutil.copy(REPOSITORY / "demo" / name, study)
        jobs = run_watched(study)
        counted = []
        print("rule                  jobs  overhead    work   (s, medians)")
        for rule in dict.fromkeys(job.rule for job in jobs):
            of_rule = sorted((job for job in jobs if job.rule == rule), key=lambda job: job.end)
            work = works(study, rule)
            if len(work) != len(of_rule):
                sys.exit(f"{rule}: {len(of_rule)} jobs were seen and {len(work)} have logs")
            over = [job.end - job.start - worked for job, worked in zip(of_rule, work, strict=True)]
            print(f"{rule:<21}{len(of_rule):>5}{median(over):>10.1f}{median(work):>8.1f}")
            if rule not in WITH_SQUIDPY:
                counted += over
    overhead = median(counted)
    print(f"median of {len(counted)} jobs without squidpy: {overhead:.1f} s (target at most {LIMIT_S:g} s)")
    if overhead > LIMIT_S:
        sys.exit("missed")


if __name__ == "__main__":
    main()
