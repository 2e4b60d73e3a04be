"""extract_features: stream a section's tiles through stain normalisation and the encoder into the cache.

Input
    slide, tiles, stain, weights unless they are random, and definition, the file of an encoder of one's own
Output
    features: the encoder's outputs and, for the study's first encoder, colour statistics
Params
    encoder, mean and sd (None for its own), precision, batch_size, colour (whether colour statistics are
    taken), seed (of random weights)
"""

import torch

from ressat.base.device import choose_device
from ressat.base.errors import about
from ressat.base.joblog import job_log
from ressat.base.progress import progress
from ressat.encoders.choice import choose_encoder
from ressat.encoders.network import build_network
from ressat.features.cache_writer import write_features
from ressat.features.extraction import encode
from ressat.features.memory import keep_freed_memory
from ressat.stain.section_stain import SectionStain
from ressat.tiles.loader import tile_batches
from ressat.tiles.table import Tiles

section, params = snakemake.wildcards.sample, snakemake.params

with job_log(snakemake.log[0], f"extract_features {'/'.join(snakemake.wildcards)}") as log:
    torch.set_num_threads(snakemake.threads)
    keep_freed_memory()
    with about(section=section):
        tiles = Tiles.read(snakemake.input.tiles)
        stain = SectionStain.read(snakemake.input.stain)
    definition = snakemake.input.get("definition") or None
    encoder = choose_encoder(params.encoder, definition, params.mean, params.sd)
    device = choose_device(params.precision, encoder.precision)
    # With a GPU, reading is the bottleneck; on a CPU, the network. Reading starts before the network is made.
    on_gpu = device.name == "cuda"
    batches = tile_batches(
        snakemake.input.slide,
        tiles.coords,
        tiles.geometry,
        device.batch_size(params.batch_size, encoder.parameters, encoder.activations),
        readers=max(1, snakemake.threads - 1) if on_gpu else 1,
        pinned=on_gpu,
    )
    weights = snakemake.input.get("weights") or None
    network, name, digest = build_network(encoder, weights, params.seed, device.dtype)
    log.info("%s on %s in %s, %d tiles", name, device.name, device.precision, len(tiles.coords))
    features = encode(batches, network, stain.transform, device.name, colour=params.colour)
    counted = next(iter(encoder.layers))
    batches_done = progress(features, len(tiles.coords), lambda batch: len(batch[counted]), section, "tile")
    provenance = {
        "encoder": name,
        "weights_sha256": digest,
        "stain": stain.method,
        "stain_target": stain.target,
        "stain_fallback": stain.fallback or "",
        "precision": device.precision,
        "tile_px": tiles.geometry.tile_px,
    }
    with about(section=section):
        write_features(
            snakemake.output.features, tiles, encoder.layers, batches_done, provenance, colour=params.colour
        )
