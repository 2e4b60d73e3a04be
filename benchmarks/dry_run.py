"""Time and memory of planning a large study: a dry run of 500 sections in 5 folds below 30 s and 1 GB.

Run with: python benchmarks/dry_run.py [--sections 500] [--folds 5] [--repeats 3]
Dry runs of the study alternate with those of one a tenth as large, so that the ratio tells how planning
grows. Nine of ten sections have counts, each of another patient; the rest are to be predicted. Linux only.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LIMIT_S, LIMIT_GB, CORES = 30.0, 1.0, 2
CONFIG = """\
evaluation: {{scheme: patient_kfold, folds: {folds}}}
"""
COUNTS = ("filtered_feature_bc_matrix.h5", "spatial/tissue_positions.csv", "spatial/scalefactors_json.json")


def write_study(study: Path, sections: int, folds: int) -> None:
    """Write a study whose files are empty: planning looks at names and times alone."""
    lines = ["sample\tslide\texpression\tpatient\trole"]
    for index in range(sections):
        name, labelled = f"S{index:04d}", index % 10 != 9
        counts = f"data/{name}/outs" if labelled else ""
        lines.append(f"{name}\tdata/{name}.svs\t{counts}\tP{index}\t{'train' if labelled else 'predict'}")
        files = [study / f"data/{name}.svs", *(study / f"data/{name}/outs" / file for file in COUNTS)]
        for file in files if labelled else files[:1]:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    (study / "samples.tsv").write_text("\n".join(lines) + "\n")
    (study / "config.yaml").write_text(CONFIG.format(folds=folds))


def dry_run(study: Path) -> tuple[float, float, int]:
    """Plan a study; seconds, peak memory in GB, and how many jobs it has."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    arguments = ["--cores", str(CORES), "--directory", str(study), "--dry-run", "--quiet", "rules"]
    start = time.monotonic()
    with open(study / "dry_run.log", "w") as log:
        process = subprocess.Popen([*command, *arguments], stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    seconds, shown = time.monotonic() - start, (study / "dry_run.log").read_text()
    if status:
        sys.exit(shown)
    total = next(line for line in shown.splitlines() if line.startswith("total"))
    return seconds, usage.ru_maxrss * 1024 / 1e9, int(total.split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("sections", 500), ("folds", 5), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    size = parser.parse_args()
    numbers = [max(10, size.sections // 10), size.sections]
    found = {number: [] for number in numbers}
    with tempfile.TemporaryDirectory() as folder:
        studies = {number: Path(folder) / str(number) for number in numbers}
        for number, study in studies.items():
            write_study(study, number, size.folds)
        for _ in range(size.repeats):
            for number, study in studies.items():
                found[number].append(dry_run(study))
    medians = {}
    for number, runs in found.items():
        seconds, memory, jobs = (sorted(values)[len(runs) // 2] for values in zip(*runs, strict=True))
        medians[number] = seconds
        print(f"{number:>5} sections, {jobs:>6} jobs: {seconds:>6.1f} s, {memory:.2f} GB, medians")
    print(f"time of {numbers[1]} to that of {numbers[0]}: {medians[numbers[1]] / medians[numbers[0]]:.1f}")
    worst_s, worst_gb = (max(run[part] for run in found[size.sections]) for part in (0, 1))
    print(f"worst: {worst_s:.1f} s (target below {LIMIT_S:g}), {worst_gb:.2f} GB (target below {LIMIT_GB:g})")
    if worst_s > LIMIT_S or worst_gb > LIMIT_GB:
        sys.exit("missed")


if __name__ == "__main__":
    main()
