"""Which unit of expression carries less sequencing depth, and what the same model makes of it.

Run with: python benchmarks/expression_units.py STUDY [STUDY ...]
Each STUDY is a finished one with counts, such as tests/workflow/her2st and tests/workflow/mob. For every
fold, the kernel is fitted to the training sections in each unit and predicts their pieces held back in turn;
no test section is read. Printed are means over genes, sections and folds:

depth       Pearson of the unit's observed map with the logarithm of a spot's total counts
own         depth-free Pearson of the predicted with the observed map, both in the unit
in log1p    the same against observed log1p CP10k, the truth that all units have in common

Units: log1p CP10k; log1p CP10k of counts thinned to the 5th percentile of the training spots' totals, the
mean of ten thinnings; and analytic Pearson residuals (Lause, Berens & Kobak 2021; theta = 100, clipped at the
square root of the number of spots).
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import sparse

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "workflow_scripts"))

from ressat.base.results_h5ad import read_results
from ressat.base.tables import read_table
from ressat.counts.expression import log1p_cp10k
from ressat.encoders.registry import ENCODERS
from ressat.model.components import Components
from ressat.model.inputs import InputSettings
from ressat.model.kernel_ridge import KernelRidge, held_back_moments
from ressat.model.pieces import pieces, turns
from ressat.model.section_data import SectionData, load_sections
from ressat.model.text_columns import PANEL
from ressat.stats.metrics import held_back_score, pearson
from ressat.stats.neighbours import spot_pitch
from ressat.stats.partial import without

TILE_UM, CONTEXT, THINNINGS, THETA = 164.6, 1.5, 10, 100.0
LAYERS = ENCODERS.load("resnet50").default_layers
Unit = Callable[[sparse.csr_matrix, np.ndarray, float], np.ndarray]


def plain(counts: sparse.csr_matrix, columns: np.ndarray, depth: float) -> np.ndarray:
    """log1p CP10k, shape (spots, genes)."""
    return log1p_cp10k(counts)[:, columns].toarray()


def thinned(counts: sparse.csr_matrix, columns: np.ndarray, depth: float) -> np.ndarray:
    """The same of counts thinned to a depth; spots below it are left as they are."""
    rng = np.random.default_rng(1)
    totals = np.asarray(counts.sum(axis=1)).ravel()
    share = np.repeat(np.minimum(1.0, depth / totals), np.diff(counts.indptr))
    total = 0
    for _ in range(THINNINGS):
        fewer = counts.copy()
        fewer.data = rng.binomial(counts.data.astype(np.int64), share).astype(float)
        total = total + log1p_cp10k(fewer)[:, columns].toarray()
    return total / THINNINGS


def pearson_residuals(counts: sparse.csr_matrix, columns: np.ndarray, depth: float) -> np.ndarray:
    """Residuals of a negative binomial of constant rates, in standard deviations."""
    totals = np.asarray(counts.sum(axis=1), dtype=float).ravel()
    observed = counts[:, columns].toarray().astype(float)
    expected = np.outer(totals, observed.sum(axis=0)) / totals.sum()
    spread = np.sqrt(expected + expected**2 / THETA)
    rest = np.divide(observed - expected, spread, out=np.zeros_like(expected), where=spread > 0)
    limit = np.sqrt(len(totals))
    return rest.clip(-limit, limit)


UNITS: dict[str, Unit] = {"log1p CP10k": plain, "thinned": thinned, "Pearson residuals": pearson_residuals}


def scores(sections: list[SectionData], common: list[SectionData]) -> np.ndarray:
    """The three figures of a fold; both lists have the same sections, in the unit and in log1p CP10k."""
    truth = {data.section: data.targets for data in common}
    pitch_um = float(np.median([spot_pitch(data.coords) for data in sections]))
    inputs, components = InputSettings(LAYERS, CONTEXT * pitch_um), Components.fit(sections, 0)
    ridges = [(KernelRidge(learning, inputs, 1), held) for learning, held in turns(pieces(sections, TILE_UM))]
    moments = [held_back_moments(*pair, components) for pair in ridges]
    rows = []
    for place, (ridge, held_back) in enumerate(ridges):
        fitted = ridge.fit(components, sum(m for other, m in enumerate(moments) if other != place))
        for data in held_back:
            predicted = fitted.predict(data.features[:, data.columns(LAYERS)], data.coords)
            rest = without(predicted, data.log_counts)
            depth = np.broadcast_to(data.log_counts[:, None], data.targets.shape)
            rows.append(
                [
                    np.nanmean(pearson(data.targets, depth)),
                    held_back_score(without(data.targets, data.log_counts), rest),
                    held_back_score(without(truth[data.section], data.log_counts), rest),
                ]
            )
    return np.mean(rows, axis=0)


def folds(study: Path) -> list[tuple[list[str], list[str]]]:
    """Training sections and genes of every fold of a study."""
    tables = [read_table(path, PANEL) for path in sorted(study.glob("results/folds/*/genes.tsv"))]
    return [(table["sections"].iloc[0].split(","), table["gene"].tolist()) for table in tables]


def in_unit(study: Path, data: SectionData, genes: list[str], unit: Unit, depth: float) -> SectionData:
    """The section with targets in another unit."""
    adata = read_results(study / f"results/expression/{data.section}.h5ad")
    counts = sparse.csr_matrix(adata.X)
    return replace(data, targets=unit(counts, adata.var_names.get_indexer(genes), depth))


def main() -> None:
    print(f"{'':<20}{'unit':<20}{'depth':>8}{'own':>8}{'in log1p':>10}")
    for study in map(Path, sys.argv[1:]):
        by_unit = {name: [] for name in UNITS}
        for names, genes in folds(study):
            common, _ = load_sections(
                [study / f"results/features/{name}.h5" for name in names],
                [study / f"results/expression/{name}.h5ad" for name in names],
                dict.fromkeys(names, "of the fold"),
                genes,
            )
            depth = float(np.quantile(np.exp(np.concatenate([data.log_counts for data in common])), 0.05))
            for name, unit in UNITS.items():
                sections = [in_unit(study, data, genes, unit, depth) for data in common]
                by_unit[name].append(scores(sections, common))
        for name, values in by_unit.items():
            own = np.mean(values, axis=0)
            print(f"{study.name:<20}{name:<20}{own[0]:>8.3f}{own[1]:>8.3f}{own[2]:>10.3f}", flush=True)


if __name__ == "__main__":
    main()
