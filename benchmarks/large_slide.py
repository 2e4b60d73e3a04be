"""tile_slide and fit_stain on a slide of 60,000 x 60,000 px: below 30 s and 10 s, and below 1 GB.

Run with: python benchmarks/large_slide.py [--edge 60000] [--repeats 3] [--flat]
The workflow's own scripts run as processes of their own, timed with their imports. With --flat the slide has
no pyramid: every pixel is read, and memory alone has a target.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import measured
import numpy as np
from study_section import MPP, run_script, write_slide

SECONDS = {"tile_slide": 30, "fit_stain": 10}
LIMIT_GB = 1.0
THREADS = 2
TILING = {"tile_um": 112.0, "tile_px": 224, "lowres_px": 1600, "grid_um": 100.0, "min_tissue": 0.5}


def run(folder: Path, name: str) -> None:
    """Run the script of a rule on the folder's slide, in this process."""
    slide = {"slide": folder / "slide.tiff"}
    checked = {"checked": folder / "checked.json"}
    tiled = {part: folder / f"tiles.{part}" for part in ("tiles", "counted", "overlay")}
    if name == "check_section":
        made = checked | {"genes": folder / "genes.txt"}
        run_script(folder, name, slide, made, THREADS, counts=None, ids=None, mpp=MPP, min_on_tissue=None)
    elif name == "tile_slide":
        run_script(folder, name, slide | checked, tiled, THREADS, named="slide.tiff", **TILING)
    else:
        stain = {"stain": folder / "stain.json", "preview": folder / "stain.png"}
        fit = {"method": "macenko", "is_reference": False, "max_pixels": 200_000, "seed": 1}
        run_script(folder, name, slide | tiled, stain, THREADS, **fit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edge", type=int, default=60_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--flat", action="store_true")
    parser.add_argument("--rule", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.rule:
        start = time.monotonic()
        run(chosen.folder, chosen.rule)
        print(time.monotonic() - start)
        return
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        slide = Path(folder) / "slide.tiff"
        write_slide(slide, chosen.edge, np.random.default_rng(1), pyramid=not chosen.flat)
        kind = "without pyramid" if chosen.flat else "with pyramid"
        print(f"{chosen.edge} x {chosen.edge} px {kind}, {slide.stat().st_size / 1e9:.2f} GB", flush=True)
        for name in ("check_section", "tile_slide", "fit_stain"):
            seconds, peaks = [], []
            for _ in range(chosen.repeats):
                command = [sys.executable, __file__, "--folder", folder, "--rule", name]
                printed, peak = measured.run(command, as_job=True)
                seconds.append(float(printed.split()[-1]))
                peaks.append(peak)
            limit = None if chosen.flat else SECONDS.get(name)
            target = f" (target below {limit} s)" if limit else ""
            print(f"{name:<14}{median(seconds):>7.1f} s{target}  {max(peaks):.2f} GB", flush=True)
            missed |= max(peaks) > LIMIT_GB or bool(limit and median(seconds) > limit)
    if missed:
        sys.exit("missed")


if __name__ == "__main__":
    main()
