"""Peak memory of prepare_slide against the size of the picture: it streams, and stays below 2 GB.

Run with: python benchmarks/prepare_slide_memory.py [EDGE_PX ...]   (default: 10000 30000)
Each conversion is a process of its own; printed are its peak memory and the picture's uncompressed size.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyvips

LIBRARY = Path(__file__).resolve().parent.parent / "workflow_scripts"
SUFFIXES = (".jpg", ".png", ".tif")
LIMIT_GB = 2.0


def write_picture(path: Path, edge: int) -> None:
    """Stream a noisy picture to disk; a TIFF in strips."""
    noise = pyvips.Image.gaussnoise(edge, edge, mean=200, sigma=25, seed=1)
    noise.bandjoin([noise - 40, noise]).cast("uchar").copy(interpretation="srgb").write_to_file(str(path))


def peak_memory_gb(source: Path, target: Path) -> tuple[float, float]:
    """Convert in a process of its own; its peak memory in GB and its time in s."""
    code = (
        f"import sys, resource; sys.path.insert(0, {str(LIBRARY)!r}); "
        "from ressat.slides.pyramid import convert; "
        f"convert({str(source)!r}, {str(target)!r}, mpp=0.5); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    start = time.monotonic()
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return int(printed) * 1024 / 1e9, time.monotonic() - start


def main() -> None:
    edges = [int(edge) for edge in sys.argv[1:]] or [10_000, 30_000]
    print("picture        px       uncompressed   peak     time")
    for edge in edges:
        for suffix in SUFFIXES:
            with tempfile.TemporaryDirectory() as folder:
                source = Path(folder) / f"picture{suffix}"
                write_picture(source, edge)
                peak, seconds = peak_memory_gb(source, Path(folder) / "slide.tiff")
            print(f"{suffix:<10} {edge:>7}^2 {3 * edge**2 / 1e9:>10.2f} GB {peak:>7.2f} GB {seconds:>6.1f} s")
            if peak > LIMIT_GB:
                sys.exit(f"above {LIMIT_GB} GB")


if __name__ == "__main__":
    main()
