"""What precision, and drawing spots in training, do to the scores of three real sections.

Run with: RESSAT_REAL_DATA=... python benchmarks/her2st_scores.py [--seeds 1 2 3]
Features of her2st C2 to C4 are made in fp32 and in bf16 by the workflow, in the study of
tests/workflow/her2st. Then each section is predicted by a model trained on the two others, as in that study
but without further candidates, and scored by mean per-gene Pearson of the combined layer: with either
features, and with fewer spots in a training step than the sections have (about 176). Whole sections are
predicted always. Test sections are looked at: see docs/results.md.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "workflow_scripts"))

import torch

from ressat.base.tables import read_table
from ressat.encoders.registry import ENCODERS
from ressat.features.cache import Features
from ressat.model.mixture import MixtureSettings
from ressat.model.network import HeadSettings, spot_interaction
from ressat.model.section_data import load_sections
from ressat.model.text_columns import PANEL
from ressat.model.training import TrainSettings
from ressat.model.tuning import Candidate, train
from ressat.stats.metrics import pearson

SECTIONS, TILE_UM = ("C2", "C3", "C4"), 164.6
# Precision of the features, and spots in a training step.
VARIANTS = [("fp32", 512), ("bf16", 512), ("bf16", 88), ("bf16", 44)]
LEAST_COSINE, LARGEST_CHANGE = 0.999, 0.005
ENCODER = ENCODERS.load("resnet50")  # of that study


def make_features(study: Path, precision: str) -> float:
    """Run the study up to features and gene panels; the seconds that its features took."""
    shutil.copytree(REPOSITORY / "tests/workflow/her2st", study)
    config = yaml.safe_load((study / "config.yaml").read_text())
    config["features"]["precision"] = precision
    (study / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    targets = [f"results/{kind}" for kind in files(("features", ".h5"), ("expression", ".h5ad"))]
    targets += [f"results/folds/without_{name}/genes.tsv" for name in SECTIONS]
    command += [*targets, "--cores", "2", "--directory", str(study), "--quiet", "all"]
    subprocess.run(command, check=True)
    tables = [study / f"benchmarks/extract_features/{name}.tsv" for name in SECTIONS]
    return sum(float(table.read_text().splitlines()[1].split("\t")[0]) for table in tables)


def files(*kinds: tuple[str, str]) -> list[str]:
    """Paths below results/ of all sections."""
    return [f"{folder}/{name}{ending}" for folder, ending in kinds for name in SECTIONS]


def least_cosine(one: Path, other: Path) -> float:
    """The smallest cosine similarity of any tile's features, in any cached layer."""
    smallest = 1.0
    for name in SECTIONS:
        for layer in ENCODER.layers:
            x, y = (
                Features.read(study / f"results/features/{name}.h5", [layer]).values.astype(float)
                for study in (one, other)
            )
            norms = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
            smallest = min(smallest, ((x * y).sum(axis=1) / norms).min())
    return smallest


def score(study: Path, left_out: str, spots_per_step: int, seed: int) -> float:
    """Mean per-gene Pearson of the combined layer in the section that is left out."""
    genes = read_table(study / f"results/folds/without_{left_out}/genes.tsv", PANEL)["gene"].tolist()
    model = yaml.safe_load((REPOSITORY / "config.yaml").read_text())["model"]
    sections, _ = load_sections(
        [study / "results" / file for file in files(("features", ".h5"))],
        [study / "results" / file for file in files(("expression", ".h5ad"))],
        dict.fromkeys(SECTIONS, "C"),
        genes,
    )
    learnt = [data for data in sections if data.section != left_out]
    unseen = next(data for data in sections if data.section == left_out)
    head = HeadSettings(*(model[name] for name in ("hidden", "dropout", "members")))
    names = ("learning_rate", "weight_decay", "max_steps", "patience")
    settings = TrainSettings(
        **{name: model[name] for name in names}, spots_per_step=spots_per_step, seed=seed
    )
    candidate = Candidate(tuple(model["layers"] or ENCODER.default_layers), model["context"], head)
    mixtures = MixtureSettings(tuple(model["kernel"]), model["components"])
    trained, *_ = train(learnt, TILE_UM, [candidate], settings, mixtures)
    columns = unseen.columns(trained.head.inputs.layers)
    direct = trained.predict(unseen.features[:, columns], unseen.coords)
    attended = spot_interaction(torch.from_numpy(direct)).numpy()
    combined = trained.attended_share * attended + (1 - trained.attended_share) * direct
    return float(np.nanmean(pearson(unseen.targets, combined)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    seeds = parser.parse_args().seeds
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        studies, seconds = {}, {}
        for precision in ("fp32", "bf16"):
            studies[precision] = Path(folder) / precision
            seconds[precision] = make_features(studies[precision], precision)
        cosine = least_cosine(*studies.values())
        print(f"features: bf16 {seconds['fp32'] / seconds['bf16']:.2f} x as fast as fp32, jobs as a whole")
        print(f"features: smallest cosine similarity {cosine:.5f} (target above {LEAST_COSINE})", flush=True)

        means = []
        print(
            "features  spots a step  seed " + "".join(f"{name:>8}" for name in SECTIONS) + "    mean     time"
        )
        for precision, spots in VARIANTS:
            scores = []
            for seed in seeds:
                start = time.monotonic()
                scores.append([score(studies[precision], name, spots, seed) for name in SECTIONS])
                shown = "".join(f"{value:>8.4f}" for value in [*scores[-1], np.mean(scores[-1])])
                lasted = time.monotonic() - start
                print(f"{precision:<10}{spots:>12}{seed:>6} {shown}{lasted:>7.0f} s", flush=True)
            means.append(float(np.mean(scores)))
    missed = cosine <= LEAST_COSINE
    for (precision, spots), mean in zip(VARIANTS, means, strict=True):
        change = mean - means[VARIANTS.index(("bf16", 512))]
        print(f"{precision}, {spots} spots a step: {mean:.4f}, {change:+.4f} from the default")
        missed |= change > LARGEST_CHANGE if precision == "fp32" else change < -LARGEST_CHANGE
    if missed:
        sys.exit("missed")


if __name__ == "__main__":
    main()
