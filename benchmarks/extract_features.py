"""Time of extract_features, from slide to finished HDF5, against the bare forward pass of ResNet50.

Run with: python benchmarks/extract_features.py [--tiles 2000] [--precision fp32 bf16] [--repeats 3]
The sides alternate, each time as a process of its own, and are timed after imports. Bare is torchvision's
network up to the pooled layers that are cached: same batch, precision, memory format, threads and number of
tiles, which lie in memory as the network takes them. The pipeline's side is the workflow's own script. The
third side is the pipeline's network alone over the same tiles in memory, with batch normalisation folded and
freed memory kept: what the pipeline takes beyond that is the cost of all else that it does.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import measured
import numpy as np
from study_section import ENCODER, MPP, SCRIPTS, SECTION, run_script, write_slide

sys.path.insert(0, str(SCRIPTS))

EDGE_PX, TILE_PX, BATCH = 20_000, 224, 16
TARGETS = {"fp32": 1.10, "bf16": 1.20}
FASTER_IN_BF16 = 1.8
THREADS = len(os.sched_getaffinity(0))


def prepare(folder: Path, tiles: int) -> None:
    """Write slide, tiles and stain of a section, as the rules before extract_features do."""
    write_slide(folder / "slide.tiff", EDGE_PX, np.random.default_rng(1))
    slide = {"slide": folder / "slide.tiff"}
    checked = {"checked": folder / "checked.json", "genes": folder / "genes.txt"}
    run_script(
        folder, "check_section", slide, checked, THREADS, counts=None, ids=None, mpp=MPP, min_on_tissue=None
    )
    tiled = {name: folder / f"tiles.{name}" for name in ("tiles", "counted", "overlay")}
    geometry = {"tile_um": 112.0, "tile_px": TILE_PX, "lowres_px": 1600, "grid_um": 60.0, "min_tissue": 0.5}
    run_script(folder, "tile_slide", slide | checked, tiled, THREADS, named="slide.tiff", **geometry)
    from ressat.tiles.table import Tiles

    all_tiles = Tiles.read(tiled["tiles"])
    if len(all_tiles.coords) < tiles:
        sys.exit(f"the slide has {len(all_tiles.coords)} tiles only")
    chosen = slice(0, tiles)
    replace(
        all_tiles,
        coords=all_tiles.coords[chosen],
        barcodes=all_tiles.barcodes[chosen],
        tissue=all_tiles.tissue[chosen],
    ).write(tiled["tiles"])
    fit = {"method": "macenko", "is_reference": False, "max_pixels": 200_000, "seed": 1}
    stain = {"stain": folder / "stain.json", "preview": folder / "stain.png"}
    run_script(folder, "fit_stain", slide | tiled, stain, THREADS, **fit)


def pipeline(folder: Path, precision: str) -> None:
    import torch  # noqa: F401

    from ressat.encoders import network  # noqa: F401
    from ressat.encoders.families import resnet  # noqa: F401
    from ressat.encoders.families.torchvision_import import import_torchvision
    from ressat.features import cache_writer, extraction  # noqa: F401
    from ressat.stain import section_stain  # noqa: F401
    from ressat.tiles import loader  # noqa: F401

    import_torchvision()
    files = {"slide": folder / "slide.tiff", "tiles": folder / "tiles.tiles", "stain": folder / "stain.json"}
    made = {"features": folder / "features.h5"}
    start = time.monotonic()
    settings = {"encoder": ENCODER, "precision": precision, "batch_size": BATCH, "seed": 1}
    run_script(folder, "extract_features", files, made, THREADS, **settings)
    report(start)


def bare(folder: Path, precision: str) -> None:
    import torch

    from ressat.encoders.families.torchvision_import import import_torchvision

    network = import_torchvision().models.resnet50(weights=None).eval().to(memory_format=torch.channels_last)

    @torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16")
    def pooled(x: torch.Tensor) -> None:
        x = network.maxpool(network.relu(network.bn1(network.conv1(x))))
        third = network.layer3(network.layer2(network.layer1(x)))
        fourth = network.layer4(third)
        third.mean(dim=(2, 3)), fourth.mean(dim=(2, 3))

    forward(folder, pooled)


def network(folder: Path, precision: str) -> None:
    import torch

    from ressat.base.device import Device
    from ressat.encoders.network import build_network
    from ressat.encoders.registry import ENCODERS
    from ressat.features.memory import keep_freed_memory

    keep_freed_memory()
    dtype = Device("cpu", precision).dtype
    built, *_ = build_network(ENCODERS.load(ENCODER), None, 1, dtype)
    forward(folder, built.to(memory_format=torch.channels_last))


def forward(folder: Path, network: Callable) -> None:
    """Time a network over as many tiles as the section has."""
    import torch

    from ressat.tiles.table import Tiles

    torch.set_num_threads(THREADS)
    tiles = len(Tiles.read(folder / "tiles.tiles").coords)
    images = torch.randn(BATCH, 3, TILE_PX, TILE_PX).to(memory_format=torch.channels_last)
    start = time.monotonic()
    for first in range(0, tiles, BATCH):
        with torch.inference_mode():
            network(images[: tiles - first])
    report(start)


def report(start: float) -> None:
    print(time.monotonic() - start)


def measure(side: str, folder: Path, precision: str) -> tuple[float, float]:
    """Seconds and peak memory in GB of one side, in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--folder", str(folder), "--precision", precision]
    printed, memory = measured.run(command, as_job=side != "bare")
    return float(printed.split()[-1]), memory


def ratio_of(ours: list[tuple[float, float]], other: list[tuple[float, float]]) -> float:
    """Median of the ratios of seconds, each of two runs that followed one another."""
    return median(mine / theirs for (mine, _), (theirs, _) in zip(ours, other, strict=True))


SIDES = {"pipeline": pipeline, "bare": bare, "network": network}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--precision", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.side:
        SIDES[chosen.side](chosen.folder, *chosen.precision)
        return
    missed = False
    print(f"{SECTION}: {chosen.tiles} tiles, {THREADS} threads, median of {chosen.repeats}")
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), chosen.tiles)
        found = {(precision, side): [] for precision in chosen.precision for side in SIDES}
        for _ in range(chosen.repeats):
            for (precision, side), runs in found.items():
                runs.append(measure(side, Path(name), precision))
    for (precision, side), runs in found.items():
        speed = chosen.tiles / median(seconds for seconds, _ in runs)
        peak = max(memory for _, memory in runs)
        print(f"{precision} {side:<9}{speed:>7.1f} tiles/s {peak:>6.2f} GB")
    for precision in chosen.precision:
        ours = found[precision, "pipeline"]
        ratio = ratio_of(ours, found[precision, "bare"])
        missed |= ratio > TARGETS[precision]
        print(f"{precision} {ratio:.3f} x bare (target at most {TARGETS[precision]:.2f})")
        print(f"{precision} {ratio_of(ours, found[precision, 'network']):.3f} x the pipeline's network alone")
    if set(chosen.precision) == set(TARGETS):
        faster = ratio_of(found["fp32", "pipeline"], found["bf16", "pipeline"])
        missed |= faster < FASTER_IN_BF16
        print(f"bf16 {faster:.3f} x as fast as fp32 (target at least {FASTER_IN_BF16})")
    if missed:
        sys.exit("missed")


if __name__ == "__main__":
    main()
