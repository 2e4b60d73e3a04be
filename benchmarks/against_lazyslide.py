"""Features from a raw slide, beside LazySlide: same slide, same tiles, same network, 2,000 tiles and more.

Run with: python benchmarks/against_lazyslide.py --lazyslide PYTHON [--edge 16000] [--repeats 3]
PYTHON is the interpreter of an environment of its own with what benchmarks/lazyslide.txt lists. The sides
take turns, each a process of its own, timed after imports, from the slide to features on disk: LazySlide
finds tissue, lays tiles and runs the network; the pipeline checks the section, lays its tiles, fits stains,
normalises and runs the network, by the workflow's own scripts. The tiles that features are made of are
LazySlide's on both sides; the network is torchvision's ResNet50 with the same random weights. Memory is that
of all processes of a side.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from statistics import median

import measured
import numpy as np

# The batch is LazySlide's default.
TILE_PX, BATCH, SEED = 224, 32, 1
# LazySlide at its default and at its best, us at the same precision and at our default.
SIDES = ("lazyslide fp32", "pipeline fp32", "lazyslide best", "pipeline auto")
# (faster side, slower side, how many times as fast it has to be)
TARGETS = [
    ("pipeline fp32", "lazyslide fp32", 1.4),
    ("pipeline auto", "lazyslide fp32", 2.5),
    ("pipeline auto", "lazyslide best", 1.0),
]


# Reading processes of LazySlide at its best; none by default, and two are slower on two cores.
WORKERS = 1
THREADS = 2


def lazyslide_side(folder: Path, best: bool) -> float:
    """Tile the slide and store features with LazySlide; keep where its tiles are. Seconds."""
    import torch

    from ressat.encoders.families.torchvision_import import import_torchvision

    torchvision = import_torchvision()
    import lazyslide
    import wsidata
    from torchvision.transforms import v2

    torch.set_num_threads(THREADS)
    torch.manual_seed(SEED)
    network = torchvision.models.resnet50(weights=None).eval()
    network.fc = torch.nn.Identity()
    # What it stores goes through numpy, which has no bfloat16.
    network.register_forward_hook(lambda *args: args[2].float())
    settings = {}
    if best:
        network = network.to(memory_format=torch.channels_last)
        settings = {"num_workers": WORKERS, "amp": True, "autocast_dtype": torch.bfloat16}
    # The transform of its own ImageNet models.
    imagenet = v2.Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    settings["transform"] = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), imagenet])
    rmtree(folder / "slide.zarr", ignore_errors=True)

    start = time.monotonic()
    slide = wsidata.open_wsi(folder / "slide.tiff", store=str(folder / "slide.zarr"))
    lazyslide.pp.find_tissues(slide)
    lazyslide.pp.tile_tissues(slide, TILE_PX)
    lazyslide.tl.feature_extraction(
        slide, network, model_name="resnet50", device="cpu", batch_size=BATCH, pbar=False, **settings
    )
    slide.write()
    seconds = time.monotonic() - start
    corners = slide.shapes["tiles"].geometry.bounds[["minx", "miny"]].to_numpy()
    np.save(folder / "centres.npy", np.round(corners + TILE_PX / 2).astype(np.int32))
    return seconds


def pipeline_side(folder: Path, precision: str) -> float:
    """Run the workflow's scripts on the same tiles. Seconds."""
    import torch
    from large_slide import run
    from study_section import ENCODER, run_script

    from ressat.encoders import network  # noqa: F401
    from ressat.encoders.families import resnet  # noqa: F401
    from ressat.encoders.families.torchvision_import import import_torchvision
    from ressat.features import cache_writer, extraction  # noqa: F401
    from ressat.stain import section_stain  # noqa: F401
    from ressat.tiles import loader  # noqa: F401
    from ressat.tiles.table import Tiles

    torch.set_num_threads(THREADS)
    import_torchvision()
    centres = np.load(folder / "centres.npy")
    start = time.monotonic()
    run(folder, "check_section")
    run(folder, "tile_slide")
    own = Tiles.read(folder / "tiles.tiles")
    names = np.array([f"tile{index}" for index in range(len(centres))])
    replace(own, coords=centres, barcodes=names, tissue=np.ones(len(centres))).write(folder / "tiles.tiles")
    run(folder, "fit_stain")
    files = {"slide": folder / "slide.tiff", "tiles": folder / "tiles.tiles", "stain": folder / "stain.json"}
    settings = {"encoder": ENCODER, "precision": precision, "batch_size": "auto", "seed": SEED}
    made = {"features": folder / "features.h5"}
    run_script(folder, "extract_features", files, made, THREADS, **settings)
    return time.monotonic() - start


def stored(folder: Path, side: str) -> float:
    """MB on disk of what a side made."""
    if side.startswith("lazyslide"):
        files = [file for file in (folder / "slide.zarr").rglob("*") if file.is_file()]
    else:
        files = [*folder.glob("tiles.*"), *folder.glob("stain.*"), folder / "features.h5"]
    return sum(file.stat().st_size for file in files) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lazyslide", metavar="PYTHON", required=True)
    parser.add_argument("--edge", type=int, default=16_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.side:
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow_scripts"))
        tool, setting = chosen.side.split()
        if tool == "lazyslide":
            print(lazyslide_side(chosen.folder, setting == "best"))
        else:
            print(pipeline_side(chosen.folder, setting))
        return

    from study_section import write_slide

    found = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_slide(folder / "slide.tiff", chosen.edge, np.random.default_rng(1))
        for _ in range(chosen.repeats):
            for side, runs in found.items():
                python = chosen.lazyslide if side.startswith("lazyslide") else sys.executable
                command = [python, __file__, "--lazyslide", python, "--side", side, "--folder", name]
                printed, peak = measured.run(command, as_job=side.startswith("pipeline"))
                runs.append((float(printed.split()[-1]), peak, stored(folder, side)))
        tiles = len(np.load(folder / "centres.npy"))

    print(f"{tiles} tiles of {TILE_PX} px, {THREADS} threads, median of {chosen.repeats}")
    for side, runs in found.items():
        seconds, peak, disk = (median(values) for values in zip(*runs, strict=True))
        print(f"{side:<16}{tiles / seconds:>6.1f} tiles/s {peak:>6.2f} GB {disk:>7.1f} MB on disk")
    missed = False
    for faster, slower, least in TARGETS:
        pairs = zip(found[slower], found[faster], strict=True)
        ratio = median(theirs[0] / ours[0] for theirs, ours in pairs)
        missed |= ratio < least
        print(f"{faster} {ratio:.2f} x as fast as {slower} (target at least {least})")
    for index, what in ((1, "memory"), (2, "disk")):
        ours, theirs = (
            max(run[index] for side in SIDES if side.startswith(tool) for run in found[side])
            for tool in ("pipeline", "lazyslide")
        )
        missed |= ours > theirs
        print(f"{what}: {ours / theirs:.2f} x LazySlide's (target at most 1)")
    if missed:
        sys.exit("missed")


if __name__ == "__main__":
    main()
