"""Draw what sequencing depth does to log1p CP10k, for docs/method.md.

Run with: .venv/bin/python docs/images/draw_depth.py
Poisson counts of genes with constant rates: there is nothing in them but depth.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import poisson

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "workflow_scripts"))

from ressat.figures.palette import BLUE, GREEN, INK, ORANGE, QUIET, VERMILION
from ressat.stats.metrics import pearson
from ressat.stats.partial import partial_pearson

RATES = {1: ORANGE, 3: VERMILION, 10: BLUE, 100: GREEN}  # counts per 10,000
DEPTHS = np.geomspace(200, 50_000, 60)
SPOTS, MEDIAN, SPREAD = 3000, 2000, 0.6  # of the section on the right; standard deviation of the log


def draws(rng: np.random.Generator, rates: np.ndarray, depths: np.ndarray) -> np.ndarray:
    """log1p CP10k of Poisson counts, (depths, rates)."""
    return np.log1p(1e4 * rng.poisson(np.outer(depths, rates / 1e4)) / depths[:, None])


def main() -> None:
    rng = np.random.default_rng(1)
    plt.rcParams.update(
        {"font.family": "sans-serif", "font.size": 9, "text.color": INK, "axes.edgecolor": QUIET}
    )
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.1), dpi=150, layout="constrained")
    for rate, colour in RATES.items():
        counts = np.arange(1500)[:, None]
        means = (poisson.pmf(counts, DEPTHS * rate / 1e4) * np.log1p(1e4 * counts / DEPTHS)).sum(axis=0)
        left.plot(DEPTHS, means / np.log1p(rate), color=colour, label=f"{rate} per 10,000")
    left.set(
        xscale="log", xlabel="total counts of the spot",
        ylabel="expected log1p CP10k,\nrelative to the rate's own",
    )  # fmt: skip
    left.axhline(1, color=QUIET, linewidth=0.8, linestyle=":")
    left.legend(frameon=False, title="constant rate of the gene")
    depths = np.round(MEDIAN * np.exp(SPREAD * rng.normal(size=SPOTS)))
    rates = np.geomspace(0.5, 200, 300)
    observed, shown = draws(rng, rates, depths), np.tile(np.log(depths)[:, None], len(rates))
    image = shown + 0.3 * rng.normal(size=(SPOTS, 1))  # a map that knows the depth nearly
    for score, values, colour in (
        ("Pearson's r", pearson(observed, image), VERMILION),
        ("given depth", partial_pearson(observed, image, np.log(depths)), BLUE),
    ):
        right.scatter(rates, values, s=7, color=colour, label=score, linewidths=0)
    right.axhline(0, color=QUIET, linewidth=0.8, linestyle=":")
    right.set(
        xscale="log", xlabel="constant rate of the gene, per 10,000",
        ylabel="score of one map of depth,\nshown for every gene",
    )  # fmt: skip
    right.set_ylim(-0.06, 0.27)
    right.legend(frameon=False, loc="upper left", borderaxespad=0)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(HERE / "depth.png")


if __name__ == "__main__":
    main()
