"""Time of `snakemake check`: 50 sections of Visium's size in less than a minute on 2 cores.

Run with: python benchmarks/check_study.py [--sections 50] [--spots 3000] [--genes 18000]
Each section has a slide of 20,000 x 20,000 px and a matrix of which one value in ten is a count; all are
links to one. Checks of all of them alternate with those of a tenth, which tells what a section costs.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
from scipy import sparse
from study_section import MPP, write_slide

REPOSITORY = Path(__file__).resolve().parent.parent
LIMIT_S, CORES = 60.0, 2
EDGE, PITCH_UM = 20_000, 100.0
FILES = ("slide.tiff", "outs/filtered_feature_bc_matrix.h5", "outs/spatial/tissue_positions.csv")
FACTORS = "outs/spatial/scalefactors_json.json"


def write_counts(folder: Path, mask: np.ndarray, spots: int, genes: int, rng: np.random.Generator) -> None:
    """Write what Space Ranger writes of an array of spots over the slide."""
    pitch = PITCH_UM / MPP
    row, place = np.indices((78, 64)).reshape(2, -1)
    column = 2 * place + row % 2
    x, y = 1500 + column * pitch / 2, 1500 + row * pitch * np.sqrt(3) / 2
    inside = mask[
        np.minimum(y / 100, len(mask) - 1).astype(int), np.minimum(x / 100, len(mask) - 1).astype(int)
    ]
    chosen = np.flatnonzero(inside)[:spots]
    in_tissue = np.isin(np.arange(len(x)), chosen).astype(int)
    names = np.array([f"SPOT{i:012d}-1" for i in range(len(x))])
    (folder / "outs/spatial").mkdir(parents=True)
    header = "barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres"
    table = zip(names, in_tissue, row, column, y.round(2), x.round(2), strict=True)
    text = "\n".join([header, *(",".join(map(str, line)) for line in table)])
    (folder / FILES[2]).write_text(text + "\n")
    factors = (
        f'{{"spot_diameter_fullres": {65 / MPP}, "tissue_hires_scalef": 0.1, "tissue_lowres_scalef": 0.03}}'
    )
    (folder / FACTORS).write_text(factors)
    counts = sparse.random(genes, len(chosen), density=0.1, format="csc", random_state=rng)
    counts.data = rng.poisson(2, counts.nnz).astype(np.int32) + 1
    with h5py.File(folder / FILES[1], "w") as file:
        for part in ("data", "indices", "indptr", "shape"):
            file.create_dataset(f"matrix/{part}", data=getattr(counts, part), compression="gzip")
        file["matrix/barcodes"] = names[chosen].astype("S")
        features = {"id": [f"ENSG{i:011d}" for i in range(genes)], "name": [f"GENE{i}" for i in range(genes)]}
        features |= {"feature_type": ["Gene Expression"] * genes, "genome": ["GRCh38"] * genes}
        for name, values in features.items():
            file[f"matrix/features/{name}"] = np.array(values, dtype="S")


def write_study(study: Path, section: Path, number: int) -> None:
    lines = ["sample\tslide\texpression\tpatient\trole"]
    for index in range(number):
        name = f"S{index:03d}"
        for file in (*FILES, FACTORS):
            (study / name / file).parent.mkdir(parents=True, exist_ok=True)
            os.link(section / file, study / name / file)
        lines.append(f"{name}\t{name}/slide.tiff\t{name}/outs\tP{index}\ttrain")
    (study / "samples.tsv").write_text("\n".join(lines) + "\n")
    (study / "config.yaml").write_text("features: {weights: random}\n")


def check(study: Path) -> float:
    """Check a study that was never checked; seconds."""
    for made in ("results", "logs", ".snakemake"):
        shutil.rmtree(study / made, ignore_errors=True)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    start = time.monotonic()
    run = subprocess.run(
        [*command, "check", "--cores", str(CORES), "--keep-going", "--directory", str(study)],
        capture_output=True,
        text=True,
    )
    seconds = time.monotonic() - start
    if run.returncode or "Problems" in run.stderr:
        sys.exit(run.stderr)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("sections", 50), ("spots", 3000), ("genes", 18_000), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    size = parser.parse_args()
    numbers = [max(2, size.sections // 10), size.sections]
    found = {number: [] for number in numbers}
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        section = Path(folder) / "section"
        section.mkdir()
        mask = write_slide(section / FILES[0], EDGE, rng)
        write_counts(section, mask, size.spots, size.genes, rng)
        studies = {number: Path(folder) / str(number) for number in numbers}
        for number, study in studies.items():
            write_study(study, section, number)
        for _ in range(size.repeats):
            for number, study in studies.items():
                found[number].append(check(study))
    medians = {number: sorted(runs)[len(runs) // 2] for number, runs in found.items()}
    for number, seconds in medians.items():
        print(f"{number:>4} sections: {seconds:.1f} s, median of {size.repeats}")
    few, many = numbers
    print(f"a section more: {(medians[many] - medians[few]) / (many - few):.2f} s on {CORES} cores")
    worst = max(found[many])
    print(f"worst: {worst:.1f} s (target below {LIMIT_S:g})")
    if worst > LIMIT_S:
        sys.exit("missed")


if __name__ == "__main__":
    main()
