"""Speed and memory of every encoder on a CPU, in fp32 and bf16, against ResNet50.

Run with: python benchmarks/encoders.py [uni virchow2 ...] [--threads 2] [--repeats 3] [--precision fp32 bf16]
Without names, all of the registry are measured; half an hour on 2 cores. Networks are untrained, as the
pipeline builds them, and read tiles of 224 px that lie in memory, in batches of 16, which
`features.batch_size: auto` takes on a CPU, or of 4 above 250 M parameters. An encoder in a precision is a
process of its own, with the settings of the pipeline's jobs. It computes for some seconds, one batch at
least, in turn with ResNet50 in the same precision, and the median of the ratios counts; after a turn of five
seconds there is no other. Seconds are the processor's, of all threads, divided by their number: what else
runs on the machine counts little. Memory is the most that was resident before ResNet50 was made. ResNet50
against itself shows the noise.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from statistics import median

import measured
from study_section import ENCODER, SCRIPTS

sys.path.insert(0, str(SCRIPTS))

from ressat.encoders.encoder import BF16, FP32
from ressat.encoders.registry import ENCODERS

TILE_PX, SEED, TURN_S, LONG_TURN_S = 224, 1, 2.0, 5.0
# Above so many parameters, batches are small, or one would take up to a minute.
LARGE, SMALL_BATCH = 250e6, 4
# Of the smallest batch: a lone tile is computed differently.
WARM_UP = 2


def side(name: str, precision: str, threads: int, turns: int) -> None:
    """Print tiles per second of an encoder and of ResNet50, in each turn, and the encoder's memory in GB."""
    import torch

    from ressat.base.device import Device
    from ressat.encoders.network import build_network
    from ressat.features.memory import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(threads)
    device = Device("cpu", precision)
    generator = torch.Generator().manual_seed(SEED)
    batch = SMALL_BATCH if ENCODERS.load(name).parameters > LARGE else device.batch_size("auto")
    tiles = torch.randint(256, (batch, 3, TILE_PX, TILE_PX), generator=generator).float()
    tiles = tiles.to(memory_format=torch.channels_last)

    def built(encoder: str) -> torch.nn.Module:
        network, *_ = build_network(ENCODERS.load(encoder), None, SEED, device.dtype)
        return network.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def speed(network: torch.nn.Module) -> float:
        network(tiles[:WARM_UP])
        start, batches, seconds = time.process_time(), 0, 0.0
        while seconds < TURN_S:
            network(tiles)
            batches += 1
            seconds = (time.process_time() - start) / threads
        return batches * len(tiles) / seconds

    network = built(name)
    speeds, others = [speed(network)], []
    peak = most_resident()
    other = built(ENCODER)
    others.append(speed(other))
    while len(speeds) < turns and len(tiles) / speeds[0] < LONG_TURN_S:
        speeds.append(speed(network))
        others.append(speed(other))
    print(json.dumps([speeds, others, peak]))


def most_resident() -> float:
    """Peak memory of this process, in GB; Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoders", nargs="*", metavar="ENCODER", help="of the registry; default: all")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--precision", nargs="+", choices=(FP32, BF16), default=[FP32, BF16])
    parser.add_argument("--side", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.side:
        side(*chosen.encoders, *chosen.precision, chosen.threads, chosen.repeats)
        return
    print(f"{chosen.threads} threads, tiles of {TILE_PX} px, median of at most {chosen.repeats}")
    print("encoder        M parameters  tokens  precision  tiles/s  x ResNet50      GB")
    for encoder in map(ENCODERS.load, chosen.encoders or ENCODERS.names):
        options = ["--side", "--threads", str(chosen.threads), "--repeats", str(chosen.repeats)]
        for precision in chosen.precision:
            command = [sys.executable, __file__, encoder.name, *options, "--precision", precision]
            printed, _ = measured.run(command, as_job=True)
            speeds, others, peak = json.loads(printed.splitlines()[-1])
            ratio = median(ours / theirs for ours, theirs in zip(speeds, others, strict=True))
            print(
                f"{encoder.name:<15}{encoder.parameters / 1e6:>12.0f}{encoder.tokens or '-':>8}"
                f"{precision:>11}{median(speeds):>9.2f}{ratio:>12.3f}{peak:>8.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
