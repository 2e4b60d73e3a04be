"""Time and memory of the evaluation: below 10 minutes on 2 cores and below 4 GB.

Run with: python benchmarks/evaluation_speed.py [--patients 8] [--sections 36] [--spots 350] [--genes 1000]
It writes a study whose features, counts and predictions are simulated, leaves one patient out in turn, and
has Snakemake make results/evaluation/ from them, as a user would: baselines are fitted in every fold and
predicted, noise ceilings estimated, everything scored. Printed are time and memory by rule and of the whole.
Memory is what is resident, shared pages counted for each process; Linux only.
"""

import argparse
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from simulated_cohort import MPP, Nature, write_section
from study_section import ENCODER

from ressat.base.layers import ATTENDED, COMBINED, DIRECT, EXPRESSION_UNIT
from ressat.base.roles import TEST, TRAIN
from ressat.base.tables import write_table
from ressat.checks.text_columns import FOLD_SECTIONS
from ressat.counts.expression import LogExpression
from ressat.evaluation.panels import PANELS
from ressat.evaluation.protocol import UNSEEN_PATIENT
from ressat.model.prediction import to_anndata, write_predictions
from ressat.stats.neighbours import smoothed
from ressat.workflow.folds import Fold, make_folds
from ressat.workflow.sheet import Section

REPOSITORY = Path(__file__).resolve().parent.parent
LIMIT_MINUTES, LIMIT_GB, CORES = 10.0, 4.0, 2
TARGET = "results/evaluation/summary.tsv"
PROTOCOL = f"leave one patient out, {UNSEEN_PATIENT}"
POLL_S = 0.25
SCRIPT = re.compile(r"[^\0]*python[^\0]*\0[^\0]*/scripts/[^/\0]+\.(\w+)\.py\0")

CONFIG = """\
features: {{weights: random}}
genes: {{method: highest, number: {genes}}}
evaluation: {{scheme: leave_one_patient_out}}
"""


def write_fold(
    study: Path, nature: Nature, fold: Fold, sections: dict[str, Section], simulated: dict, genes: int
) -> None:
    """Write what comes of a fold before its evaluation."""
    folder = study / "results/folds" / fold.name
    sides = dict.fromkeys(fold.train, TRAIN) | dict.fromkeys(fold.test, TEST)
    rows = [
        (name, sections[name].patient, side, "", "", np.median(simulated[name].n_counts))
        for name, side in sides.items()
    ]
    write_table(pd.DataFrame(rows, columns=[*FOLD_SECTIONS, "median_counts"]), folder / "sections.tsv")

    means = np.mean([simulated[name].log_expression.mean(axis=0) for name in fold.train], axis=0).ravel()
    panel = np.argsort(-means, kind="stable")[:genes]
    ranks = {rank: nature.rng.permutation(genes) + 1.0 for rank in PANELS.values()}
    ranks[PANELS["heg"]] = np.arange(genes) + 1.0
    table = pd.DataFrame({"gene": nature.names[panel], "mean": means[panel], **ranks})
    table = table.assign(method="highest", sections=",".join(fold.train))
    write_table(table, folder / "genes.tsv")
    for name in fold.test:
        one, patient = simulated[name], sections[name].patient
        coords = one.features.coords
        observed = one.log_expression[:, panel].toarray()
        measured = LogExpression(observed.astype(np.float32), one.n_counts, one.features.barcodes)
        # For the time it takes, any map that is smooth and somewhat like the truth will do.
        direct = smoothed(observed + nature.rng.normal(size=observed.shape), coords, 2.0)
        attended = smoothed(direct, coords, 1.5)
        adata = to_anndata(
            {DIRECT: direct, ATTENDED: attended, COMBINED: (direct + attended) / 2},
            headline=COMBINED,
            genes=table.set_index("gene"),
            features=one.features,
            tiles=one.tiles,
            observed=measured,
            unit=EXPRESSION_UNIT,
            provenance={
                "fold": fold.name,
                "section": name,
                "patient": patient,
                "protocol": PROTOCOL,
                "encoder": ENCODER,
                "mpp": MPP,
            },
        )
        file = study / f"results/predictions/{fold.name}/{name}.h5ad"
        write_predictions(adata, file, file.with_suffix(".parquet"))


def write_study(study: Path, patients: int, number: int, spots: int, genes: int) -> None:
    """Write a study that lacks its evaluation, and nothing else."""
    sections = {}
    for index in range(number):
        name, patient = f"S{index + 1:02d}", f"P{index % patients + 1}"
        files = Path(f"data/{name}.svs"), Path(f"data/{name}.h5ad"), None
        sections[name] = Section(name, *files, patient=patient, role=TRAIN, mpp=None)
    sheet = pd.DataFrame(sections.values())[["sample", "slide", "expression", "patient", "role"]]
    sheet.to_csv(study / "samples.tsv", sep="\t", index=False)
    (study / "config.yaml").write_text(CONFIG.format(genes=genes))

    nature = Nature(np.random.default_rng(1))
    simulated = {name: write_section(study, nature, name, spots) for name in sections}
    scheme = {"scheme": "leave_one_patient_out", "folds": None}
    folds = make_folds(sections.values(), scheme, bundle=None, sheet="samples.tsv")
    for fold in folds.values():
        if fold.test:
            write_fold(study, nature, fold, sections, simulated, genes)

    # What Snakemake wants to see and no rule of the evaluation opens.
    stand_ins = [f"data/{name}{suffix}" for name in sections for suffix in (".svs", ".h5ad")]
    stand_ins += [
        f"results/{kind}/{name}.json" for name in sections for kind in ("expression", "tiles", "stain")
    ]
    stand_ins += [f"results/folds/{fold}/model.pt" for fold in folds]
    for name in stand_ins:
        (study / name).parent.mkdir(parents=True, exist_ok=True)
        (study / name).touch()
    # One time for all: nothing is older than what it was made from.
    now = time.time()
    for file in study.rglob("*"):
        os.utime(file, (now, now))


def command(study: Path, *arguments: str) -> list[str]:
    """Return the call of Snakemake for the evaluation."""
    run = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), TARGET]
    return [*run, "--cores", str(CORES), "--directory", str(study), "--rerun-triggers", "mtime", *arguments]


def check_jobs(study: Path, folds: int, sections: int) -> None:
    """Make sure that what Snakemake would run is the evaluation, all of it and nothing else."""
    shown = subprocess.run(command(study, "--dry-run"), check=True, capture_output=True, text=True)
    table = (shown.stdout + shown.stderr).split("Job stats:")[1].split("\n\n")[0].splitlines()
    rows = [line.split() for line in table if line and not line.startswith(("job ", "---", "total"))]
    found = {name: int(count) for name, count in rows}
    expected = {"fit_baselines": folds, "predict_baselines": sections, "estimate_ceiling": sections}
    expected["evaluate_predictions"] = 1
    if found != expected:
        sys.exit(f"Snakemake would run {found}, not {expected}")


@dataclass
class Job:
    """What is seen of a script while it runs."""

    rule: str
    start: float
    end: float = 0.0
    cpu_s: float = 0.0
    peak: int = 0


def run_watched(study: Path) -> tuple[list[Job], float, int]:
    """Run the evaluation; its jobs, its time in s, and the most memory of all its processes, bytes."""
    jobs: dict[int, Job] = {}
    most, start = 0, time.monotonic()
    with open(study / "snakemake.log", "w") as log:
        main = subprocess.Popen(command(study), stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        while main.poll() is None:
            most = max(most, look(main.pid, jobs))
            time.sleep(POLL_S)
    finally:
        if main.poll() is None:
            os.killpg(main.pid, signal.SIGTERM)
    if main.returncode:
        sys.exit((study / "snakemake.log").read_text())
    return list(jobs.values()), time.monotonic() - start, most


def look(session: int, jobs: dict[int, Job]) -> int:
    """Bring the jobs of a session up to date; the memory of all its processes, bytes."""
    together, now = 0, time.monotonic()
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            # After the name, proc(5) has parent and session at 2 and 4, times at 12 and 13, pages at 22.
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if int(stat[3]) != session:
                continue
            script = SCRIPT.match(Path(f"/proc/{pid}/cmdline").read_text())
        except OSError:  # it has ended
            continue
        memory = int(stat[21]) * os.sysconf("SC_PAGE_SIZE")
        together += memory
        if script and int(stat[1]) not in jobs:
            job = jobs.setdefault(int(pid), Job(script[1], now))
            job.end, job.peak = now, max(job.peak, memory)
            job.cpu_s = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return together


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("patients", 8), ("sections", 36), ("spots", 350), ("genes", 1000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    size = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder)
        write_study(study, size.patients, size.sections, size.spots, size.genes)
        check_jobs(study, size.patients, size.sections)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        jobs, seconds, most = run_watched(study)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)

    print("rule                  jobs   wall of all   of one   cpu of all   peak of one")
    for rule in dict.fromkeys(job.rule for job in jobs):
        of_rule = [job for job in jobs if job.rule == rule]
        wall, cpu = sum(job.end - job.start for job in of_rule), sum(job.cpu_s for job in of_rule)
        print(
            f"{rule:<21} {len(of_rule):>4} {wall:>11.0f} s {wall / len(of_rule):>6.1f} s {cpu:>10.0f} s "
            f"{max(job.peak for job in of_rule) / 1e9:>10.2f} GB"
        )
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    peak = used.ru_maxrss * 1024 / 1e9
    print(f"{CORES} cores, {cpu:.0f} s of cpu in all; load over 5 min {os.getloadavg()[1]:.1f}")
    print(f"wall time    {seconds / 60:>6.1f} min   target below {LIMIT_MINUTES:g} min")
    print(f"largest job  {peak:>6.2f} GB    target below {LIMIT_GB:g} GB")
    print(f"all at once  {most / 1e9:>6.2f} GB    target below {LIMIT_GB:g} GB")
    if seconds > 60 * LIMIT_MINUTES or most / 1e9 > LIMIT_GB:
        sys.exit("missed")


if __name__ == "__main__":
    main()
