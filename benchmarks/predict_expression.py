"""Prediction of one large section: 100,000 tiles and 250 genes in less than 6 GB; and how it grows.

Run with: python benchmarks/predict_expression.py [--tiles 25000 50000 100000] [--genes 250]
The workflow's own script on simulated features and an untrained head of the shape in config.yaml, each
number of tiles in a process of its own, timed with its imports.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import measured
import numpy as np
import yaml
from study_section import ENCODER, FOLD, MADE, MPP, SCRIPTS, SECTION, run_script

sys.path.insert(0, str(SCRIPTS))

from ressat.base.layers import COMBINED
from ressat.encoders.registry import ENCODERS
from ressat.evaluation.panels import PANELS
from ressat.features.cache import COLOUR
from ressat.features.colour import COLOUR_STATISTICS
from ressat.slides.scale import Scale
from ressat.tiles.table import Tiles
from ressat.tiles.tiling import TileGeometry, hexagonal_grid

CONFIG = SCRIPTS.parent / "config.yaml"
LIMIT_GB, THREADS, PITCH_PX, BATCH = 6.0, 2, 200, 1000


def write_section(folder: Path, count: int) -> None:
    """Write tiles and features of a section with so many tiles."""
    from ressat.features.cache_writer import write_features

    edge = int(PITCH_PX * np.sqrt(count))
    coords, barcodes = (values[:count] for values in hexagonal_grid((edge, edge), PITCH_PX))
    count = len(coords)
    tiles = Tiles(
        section=SECTION,
        coords=coords,
        barcodes=barcodes,
        tissue=np.ones(count),
        lowres=np.zeros((60, 60, 3), np.uint8),
        lowres_downsample=edge / 60,
        scale=Scale(MPP, "sheet"),
        geometry=TileGeometry(112.0, 224, 0, 224, 1.0),
        spot_px=PITCH_PX,
        edge_tiles=0,
        fingerprint="simulated",
    )
    tiles.write(folder / "tiles.h5")
    rng = np.random.default_rng(1)
    layers = ENCODERS.load(ENCODER).layers
    widths = {**layers, COLOUR: len(COLOUR_STATISTICS)}
    sizes = [min(BATCH, count - first) for first in range(0, count, BATCH)]
    batches = ({name: rng.random((size, width)) for name, width in widths.items()} for size in sizes)
    made = MADE | {"precision": "fp32"}
    write_features(folder / "features.h5", tiles, layers, batches, made)


def write_model(folder: Path, genes: int) -> None:
    """Write an untrained model that reads such features."""
    import torch

    from ressat.model.bundle import Bundle
    from ressat.model.inputs import InputSettings
    from ressat.model.kernel import MOST_LANDMARKS, KernelMap, LandmarkBlock, Landmarks
    from ressat.model.network import Head, HeadSettings
    from ressat.model.scaler import Scaler
    from ressat.model.trained_model import TrainedHead, TrainedModel

    model = yaml.safe_load(CONFIG.read_text())["model"]
    settings = HeadSettings(model["hidden"], model["dropout"], model["members"])
    encoder = ENCODERS.load(ENCODER)
    layers = tuple(model["layers"] or encoder.default_layers)
    width = sum(encoder.layers[layer] for layer in layers)
    torch.manual_seed(1)
    network = Head(width, genes, settings).eval()
    scalers = Scaler(np.full(width, 0.5), np.full(width, 0.1)), Scaler(np.zeros(genes), np.ones(genes))
    inputs = InputSettings(layers, model["context"] * PITCH_PX * MPP)
    rng = np.random.default_rng(1)
    marks = rng.normal(size=(MOST_LANDMARKS, width)).astype(np.float32)
    block = LandmarkBlock(scalers[0], marks, 2.0 * width)
    weights = rng.normal(size=(MOST_LANDMARKS, genes))
    kernel = KernelMap(Landmarks(inputs.context_um, (block, block)), weights, np.zeros(genes))
    head = TrainedHead(network, inputs, *scalers, steps=0)
    trained = TrainedModel(head, kernel, kernel_share=0.5, attended_share=0.5)
    names = [f"GENE{index}" for index in range(genes)]
    ranks = {rank: [float(index + 1) for index in range(genes)] for rank in PANELS.values()}
    requires = {name: MADE[name] for name in ("weights_sha256", "stain", "stain_target", "tile_px")}
    requires["tile_um"] = 112.0
    chosen = {"layers": list(layers), "context": model["context"], **vars(settings), "steps": 0}
    chosen |= {"attended_share": 0.5, "held_back_pearson": 0.0}
    provenance = {
        "fold": FOLD,
        "sections": ["simulated"],
        "patients": {"simulated": "simulated"},
        "slides": {"simulated": "simulated"},
        "held_back_in_turn": ["nothing"],
        "chosen": chosen,
        "tried": [chosen],
        "encoder": MADE["encoder"],
        "seed": 1,
        "config_hash": MADE["weights_sha256"],
    }
    Bundle(trained, settings, names, ranks, requires, provenance).write(folder / "model.pt")


def predict(folder: Path) -> None:
    """Run the script on what the folder holds, in this process."""
    inputs = {name: folder / f"{name}.h5" for name in ("features", "tiles")} | {"model": folder / "model.pt"}
    outputs = {"h5ad": folder / "predictions.h5ad", "parquet": folder / "predictions.parquet"}
    settings = {"headline": COMBINED, "protocol": "simulated", "patient": SECTION}
    run_script(folder, "predict_expression", inputs, outputs, THREADS, **settings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, nargs="+", default=[25_000, 50_000, 100_000])
    parser.add_argument("--genes", type=int, default=250)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.folder:
        predict(chosen.folder)
        return
    peaks = []
    print(f"{chosen.genes} genes, {THREADS} threads")
    for count in chosen.tiles:
        with tempfile.TemporaryDirectory() as name:
            write_section(Path(name), count)
            write_model(Path(name), chosen.genes)
            start = time.monotonic()
            _, peak = measured.run([sys.executable, __file__, "--folder", name], as_job=True)
        peaks.append(peak)
        print(f"{count:>7} tiles {time.monotonic() - start:>6.0f} s {peak:>6.2f} GB", flush=True)
    print(f"largest {max(peaks):.2f} GB, target below {LIMIT_GB:g} GB")
    if max(peaks) > LIMIT_GB:
        sys.exit("missed")


if __name__ == "__main__":
    main()
