"""Training one model on cached features: 8 sections of 3,000 spots, 1,000 genes, in 6 minutes and 4 GB.

Run with: python benchmarks/train_model.py [--growth | --pairs N]
The workflow's own script, with the settings of config.yaml but no further candidates, timed with its
imports. Printed are the job as a whole, which chooses the number of steps on held-back sections in turn, and
what remains without that choice, for which the target stands. With --growth, how time and memory grow with
spots, genes and sections, for 40 steps each. With --pairs, what kernel and components add to a study of the
size of docs/results.md: N times with and without them, alternated.
"""

import argparse
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import measured
import numpy as np
import pandas as pd
import yaml
from simulated_cohort import ALL_GENES, Nature, write_section
from study_section import ENCODER, run_script

from ressat.base.tables import read_table, write_table
from ressat.encoders.registry import ENCODERS
from ressat.evaluation.panels import PANELS
from ressat.evaluation.text_columns import HISTORY

CONFIG = Path(__file__).resolve().parent.parent / "config.yaml"
LIMIT_MINUTES, LIMIT_GB, THREADS = 6.0, 4.0, 2
SECTIONS, SPOTS, GENES = 8, 3000, 1000
# By spots of a section: numbers of sections and of genes.
GROWTH = {
    SPOTS: [(SECTIONS, GENES), (4, GENES), (16, GENES), (SECTIONS, 250), (SECTIONS, 2000)],
    1500: [(SECTIONS, GENES)],
    6000: [(SECTIONS, GENES)],
}
GROWTH_STEPS, GROWTH_ALL_GENES = 40, 3000
# Sections, spots and genes of a fold of real sections, and the model before it had a kernel.
SMALL = (2, 180, 250)
HEAD_ALONE = {"kernel_shares": (0,), "components": 0}


def write_study(folder: Path, sections: int, spots: int, all_genes: int = ALL_GENES) -> None:
    """Write what train_model reads but the genes."""
    nature = Nature(np.random.default_rng(1), all_genes)
    for index in range(sections):
        write_section(folder, nature, f"S{index + 1}", spots)


def train(folder: Path, sections: int, genes: int, max_steps: int | None, *, head_alone: bool) -> None:
    """Run the script on some of the sections and genes, in this process."""
    names = [f"S{index + 1}" for index in range(sections)]
    panel = pd.DataFrame({"gene": [f"GENE{index:05d}" for index in range(genes)]})
    panel = panel.assign(method="simulated", sections=",".join(names))
    for rank in PANELS.values():
        panel[rank] = np.arange(genes) + 1.0
    write_table(panel, folder / "genes.tsv")
    model = yaml.safe_load(CONFIG.read_text())["model"]
    layers = model["layers"] or list(ENCODERS.load(ENCODER).default_layers)
    head = {name: model[name] for name in ("hidden", "dropout", "members")}
    settings = ("learning_rate", "weight_decay", "max_steps", "patience", "spots_per_step")
    training = {name: model[name] for name in settings}
    if max_steps:
        training |= {"max_steps": max_steps, "patience": max_steps}
    mixture = {"kernel_shares": tuple(model["kernel"]), "components": model["components"]}
    run_script(
        folder,
        "train_model",
        {
            "features": [folder / f"results/features/{name}.h5" for name in names],
            "expression": [folder / f"results/expression/{name}.h5ad" for name in names],
            "genes": folder / "genes.tsv",
        },
        {"model": folder / "model.pt", "history": folder / "history.tsv"},
        THREADS,
        patients={name: name for name in names},
        candidates=[{"layers": layers, "context": model["context"], "head": head}],
        training=training,
        mixture=HEAD_ALONE if head_alone else mixture,
        seed=1,
    )


def measure(
    folder: Path, sections: int, genes: int, max_steps: int = 0, *options: str
) -> tuple[float, float, pd.DataFrame]:
    """Seconds, peak memory in GB, and history of one training, in a process of its own."""
    size = ["--sections", str(sections), "--genes", str(genes), "--max-steps", str(max_steps), *options]
    start = time.monotonic()
    _, peak = measured.run([sys.executable, __file__, "--folder", str(folder), *size], as_job=True)
    return time.monotonic() - start, peak, read_table(folder / "history.tsv", HISTORY)


def choice_s(log: Path) -> float:
    """Seconds from the start of the choice of steps to its end, by the job's log."""
    lines = log.read_text().splitlines()
    start, end = (
        datetime.fromisoformat(next(line for line in lines if words in line)[:23].replace(",", "."))
        for words in ("choosing the number of steps", "kernel share")
    )
    return (end - start).total_seconds()


def growth() -> None:
    """Print time and memory for sections, spots and genes that differ from the standard in one."""
    print(f"{GROWTH_STEPS} steps\nsections   spots   genes     time   memory")
    for spots, sizes in GROWTH.items():
        with tempfile.TemporaryDirectory() as folder:
            write_study(Path(folder), max(sections for sections, _ in sizes), spots, GROWTH_ALL_GENES)
            for sections, genes in sizes:
                seconds, peak, _ = measure(Path(folder), sections, genes, GROWTH_STEPS)
                print(f"{sections:>8}{spots:>8}{genes:>8}{seconds:>7.0f} s{peak:>6.2f} GB", flush=True)


def against_head_alone(pairs: int) -> None:
    """Print the seconds of jobs with and without kernel and components, and their ratio."""
    sections, spots, genes = SMALL
    print(f"{sections} sections of {spots} spots, {genes} genes\nas shipped   head alone   ratio")
    with tempfile.TemporaryDirectory() as folder:
        write_study(Path(folder), sections, spots)
        for _ in range(pairs):
            with_kernel, _, _ = measure(Path(folder), sections, genes)
            without, _, _ = measure(Path(folder), sections, genes, 0, "--head-alone")
            print(f"{with_kernel:>8.1f} s{without:>11.1f} s{with_kernel / without:>8.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--head-alone", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    for name in ("sections", "genes", "max-steps"):
        parser.add_argument(f"--{name}", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.folder:
        train(chosen.folder, chosen.sections, chosen.genes, chosen.max_steps, head_alone=chosen.head_alone)
        return
    if chosen.pairs:
        against_head_alone(chosen.pairs)
        return
    if chosen.growth:
        growth()
        return
    with tempfile.TemporaryDirectory() as folder:
        write_study(Path(folder), SECTIONS, SPOTS)
        seconds, peak, history = measure(Path(folder), SECTIONS, GENES)
        choosing = choice_s(Path(folder) / "train_model.log")
    steps = history.groupby("stage")["step"].max()
    print(f"{SECTIONS} sections of {SPOTS} spots, {GENES} genes, {THREADS} threads")
    print(f"steps: {steps['selection']} to choose their number, {steps['final']} on all sections")
    alone = (seconds - choosing) / 60
    print(f"job as a whole     {seconds / 60:>6.1f} min")
    print(f"without the choice {alone:>6.1f} min   target below {LIMIT_MINUTES:g} min")
    print(f"memory             {peak:>6.2f} GB    target below {LIMIT_GB:g} GB")
    if alone > LIMIT_MINUTES or peak > LIMIT_GB:
        sys.exit("missed")


if __name__ == "__main__":
    main()
