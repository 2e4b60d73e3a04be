"""extract_features: stream a section's tiles through stain normalisation and ResNet50 into the cache.

Input
    slide, tiles, stain, and weights unless they are random
Output
    features: pooled activations of the cached layers, and colour statistics
Params
    precision, batch_size, seed (of random weights)
"""

import torch

from ressat.base import keys
from ressat.base.device import choose_device
from ressat.base.joblog import job_log
from ressat.base.progress import progress
from ressat.encoders.resnet50 import build_encoder
from ressat.features.cache import write_features
from ressat.features.extraction import encode
from ressat.features.freed_memory import keep_freed_memory
from ressat.stain.section_stain import SectionStain
from ressat.tiles.loader import tile_batches
from ressat.tiles.table import Tiles

section, params = snakemake.wildcards.sample, snakemake.params

with job_log(snakemake.log[0], f"extract_features {section}") as log:
    torch.set_num_threads(snakemake.threads)
    keep_freed_memory()
    tiles = Tiles.read(snakemake.input.tiles)
    stain = SectionStain.read(snakemake.input.stain)
    device = choose_device(params.precision)
    # Beside a GPU reading is the bottleneck, on a CPU the network. Reading starts before the network is made.
    on_gpu = device.name == "cuda"
    batches = tile_batches(
        snakemake.input.slide,
        section,
        tiles.coords,
        tiles.geometry,
        device.batch_size(params.batch_size),
        readers=max(1, snakemake.threads - 1) if on_gpu else 1,
        pinned=on_gpu,
    )
    encoder, name, digest = build_encoder(snakemake.input.get("weights") or None, params.seed, device.dtype)
    log.info("%s on %s in %s, %d tiles", name, device.name, device.precision, len(tiles.coords))
    features = encode(batches, encoder, stain.transform, device.name)
    shown = progress(features, len(tiles.coords), lambda batch: len(batch[keys.COLOUR]), section, "tile")
    provenance = {
        "encoder": name,
        "weights_sha256": digest,
        "stain": stain.method,
        "stain_target": stain.target,
        "stain_fallback": stain.fallback or "",
        "precision": device.precision,
        "tile_px": tiles.geometry.tile_px,
    }
    write_features(snakemake.output.features, tiles, shown, provenance)
