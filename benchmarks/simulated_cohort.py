"""Simulated sections for benchmarks: features and counts that follow the same hidden variables."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from study_section import ENCODER, MADE

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow_scripts"))

from ressat.counts.expression import log1p_cp10k, spot_totals
from ressat.counts.expression_file import expression_anndata
from ressat.counts.gene_names import SYMBOL, study_genes
from ressat.counts.spot_counts import SpotArray, SpotCounts
from ressat.encoders.registry import ENCODERS
from ressat.features.cache import COLOUR, Features
from ressat.features.cache_writer import write_features
from ressat.features.colour import COLOUR_STATISTICS
from ressat.slides.scale import Scale
from ressat.stats.neighbours import smoothed
from ressat.tiles.table import Tiles
from ressat.tiles.tiling import TileGeometry, hexagonal_grid

ALL_GENES, COUNTS_PER_SPOT = 15_000, 8_000
LAYERS = ENCODERS.load(ENCODER).layers
HIDDEN = 16  # smooth variables of the tissue that features and counts both follow
MPP, PITCH_UM = 0.5, 100.0


class Nature:
    """What all sections share: how features and genes follow the hidden variables."""

    def __init__(self, rng: np.random.Generator, genes: int = ALL_GENES) -> None:
        self.rng = rng
        widths = {**LAYERS, COLOUR: len(COLOUR_STATISTICS)}
        self.features = {name: rng.normal(size=(HIDDEN, width)) for name, width in widths.items()}
        self.genes = 0.1 * rng.normal(size=(HIDDEN, genes))
        self.log_means = rng.normal(0, 1.8, genes)
        self.names = np.array([f"GENE{index:05d}" for index in range(genes)])


@dataclass(frozen=True)
class Simulated:
    """What a section's predictions are made from, once it is written."""

    features: Features
    tiles: Tiles
    log_expression: sparse.csr_matrix
    n_counts: np.ndarray


def write_section(study: Path, nature: Nature, section: str, spots: int) -> Simulated:
    """Write all that is made of a section before any fold, through the library's own writers."""
    rng = nature.rng
    pitch = PITCH_UM / MPP
    edge = int(pitch * (1.5 * np.sqrt(spots) + 2))
    places, _ = hexagonal_grid((edge, edge), pitch)
    coords = places[np.argsort(((places - edge / 2) ** 2).sum(axis=1), kind="stable")[:spots]]
    barcodes = np.array([f"spot{index:04d}" for index in range(spots)])
    hidden = smoothed(rng.normal(size=(spots, HIDDEN)), coords, 2.0)
    hidden /= hidden.std(axis=0)

    # A section has an offset of its own, as stains and depths differ.
    rates = np.exp(nature.log_means + hidden @ nature.genes + rng.normal(0, 0.2, len(nature.names)))
    rates *= rng.lognormal(np.log(COUNTS_PER_SPOT), 0.4, spots)[:, None] / rates.sum(axis=1, keepdims=True)
    found = SpotCounts(
        "simulated",
        pd.Index(barcodes),
        pd.DataFrame({"name": nature.names, "symbol": nature.names, "ensembl": None}),
        sparse.csr_matrix(rng.poisson(rates).astype(np.float32)),
        pd.DataFrame(coords.astype(float), columns=["x", "y"], index=barcodes),
        SpotArray("visium", pitch, 0.55 * pitch, PITCH_UM),
        total=spots,
        left_out={},
    )
    counts = expression_anndata(section, found, study_genes(found.genes, SYMBOL), SYMBOL)
    expression = study / f"results/expression/{section}.h5ad"
    expression.parent.mkdir(parents=True, exist_ok=True)
    counts.write_h5ad(expression, compression="gzip")

    tiles = Tiles(
        section=section,
        coords=coords,
        barcodes=barcodes,
        tissue=np.ones(spots),
        lowres=rng.integers(0, 255, (60, 60, 3), dtype=np.uint8),
        lowres_downsample=edge / 60,
        scale=Scale(MPP, "spot pitch"),
        geometry=TileGeometry(112.0, 224, 0, 224, 1.0),
        spot_px=0.55 * pitch,
        edge_tiles=0,
        fingerprint="simulated",
    )
    tiles.write(study / f"results/tiles/{section}.h5")
    batch = {}
    for name, loadings in nature.features.items():
        offset = rng.normal(0, 0.2, loadings.shape[1])
        values = 0.2 * hidden @ loadings + 0.5 + offset + rng.normal(0, 0.8, (spots, loadings.shape[1]))
        batch[name] = np.maximum(values, 0)  # pooled activations are not negative
    cache = study / f"results/features/{section}.h5"
    write_features(cache, tiles, LAYERS, [batch], MADE | {"precision": "fp32"})
    return Simulated(Features.read(cache), tiles, log1p_cp10k(counts.X), spot_totals(counts.X))
