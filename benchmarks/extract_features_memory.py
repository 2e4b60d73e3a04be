"""Peak memory of extract_features: at most 1.3 GB, for 500 tiles as for 5,000.

Run with: python benchmarks/extract_features_memory.py [--tiles 500 5000] [--precision bf16]
Each number of tiles is a process of its own, whose memory is watched with that of the processes it starts.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from extract_features import TARGETS, measure, prepare

LIMIT_GB, LARGEST_RATIO = 1.3, 1.10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, nargs="+", default=[500, 5000])
    parser.add_argument("--precision", choices=TARGETS, default="bf16")
    chosen = parser.parse_args()
    peaks = []
    for tiles in chosen.tiles:
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), tiles)
            seconds, peak = measure("pipeline", Path(folder), chosen.precision)
        peaks.append(peak)
        print(f"{tiles:>6} tiles in {chosen.precision}: {peak:.2f} GB, {seconds:.0f} s", flush=True)
    ratio = max(peaks) / min(peaks)
    print(
        f"largest {max(peaks):.2f} GB (target at most {LIMIT_GB}), "
        f"{ratio:.2f} x the smallest (target at most {LARGEST_RATIO})"
    )
    if max(peaks) > LIMIT_GB or ratio > LARGEST_RATIO:
        sys.exit("missed")


if __name__ == "__main__":
    main()
