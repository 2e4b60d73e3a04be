"""import_features: read features that were made elsewhere into the cache, once some tiles have proven them.

Input
    given, the file of features, and patches, the file that states their size, where one is named; slide,
    tiles, stain; weights unless they are random, and definition, the file of an encoder of one's own
Output
    features: as extract_features makes them, without colour statistics
Params
    encoder, mean and sd (None for its own), seed (of random weights), needed (layers that a model may read)
"""

import numpy as np
import torch

from ressat.base.errors import InputError, about
from ressat.base.joblog import job_log
from ressat.encoders.choice import choose_encoder
from ressat.encoders.network import build_network
from ressat.features.cache import MADE_ELSEWHERE
from ressat.features.cache_writer import write_features
from ressat.features.elsewhere.layers import columns, possible_layers, require_layers
from ressat.features.elsewhere.patches import read_patches
from ressat.features.elsewhere.proof import TILES, proof_tiles, prove
from ressat.features.elsewhere.values import feature_blocks, mean_and_some
from ressat.features.extraction import encode
from ressat.slides.slide import Slide
from ressat.stain.section_stain import SectionStain
from ressat.tiles.loader import tile_batches
from ressat.tiles.table import Tiles

section, params, files = snakemake.wildcards.sample, snakemake.params, snakemake.input

with job_log(snakemake.log[0], f"import_features {section}") as log, about(section=section):
    torch.set_num_threads(snakemake.threads)
    tiles, stain = Tiles.read(files.tiles), SectionStain.read(files.stain)
    patches = read_patches(files.given, files.get("patches") or None)
    encoder = choose_encoder(params.encoder, files.get("definition") or None, params.mean, params.sd)
    with about(file=files.given):
        if not np.array_equal(patches.barcodes, tiles.barcodes):
            raise InputError("its patches are not those that the tiles were made of", action="run again")
        possible = possible_layers(patches.width, encoder)
    with Slide(files.slide) as slide:
        rows = proof_tiles(tiles, slide.size)
    mean, given = mean_and_some(files.given, rows, tiles.barcodes)

    # A few tiles need no GPU. Reading starts before the network is made.
    batches = tile_batches(files.slide, tiles.coords[rows], tiles.geometry, TILES)
    network, name, digest = build_network(encoder, files.get("weights") or None, params.seed)
    (own,) = encode(batches, network, stain.transform, "cpu")
    with about(file=files.given):
        layers, deviation = prove(given, own, mean, possible, encoder, patches.encoder)
        require_layers(layers, params.needed)
    log.info(
        "%s of %s by %s, %d tiles: %d encoded again deviate by %.3f",
        ", ".join(layers), name, patches.software, len(tiles.coords), len(rows), deviation,
    )  # fmt: skip
    provenance = {
        "encoder": name,
        "weights_sha256": digest,
        "stain": stain.method,
        "stain_target": stain.target,
        "stain_fallback": stain.fallback or "",
        "precision": "unknown",
        "tile_px": tiles.geometry.tile_px,
        MADE_ELSEWHERE: patches.software,
        "proof_deviation": deviation,
    }
    widths = {name: encoder.layers[name] for name in layers}
    blocks = feature_blocks(files.given, columns(layers, encoder))
    write_features(snakemake.output.features, tiles, widths, blocks, provenance, colour=False)
