"""check_encoder: load the encoder once, and let it read two tiles, before hours of features.

Input
    weights unless they are random, and definition, the file of an encoder of one's own
Output
    checked: what the encoder is and where its weights come from, as JSON
Params
    encoder (the network), mean and sd (None for its own), tile_px, tile_um, seed (of random weights)
"""

from ressat.base.joblog import job_log
from ressat.encoders.choice import choose_encoder
from ressat.encoders.network import build_network
from ressat.encoders.record import EncoderRecord
from ressat.encoders.trial import encoder_warnings, read_trial_tiles

name, params = snakemake.wildcards.encoder, snakemake.params

with job_log(snakemake.log[0], f"check_encoder {name}") as log:
    encoder = choose_encoder(
        params.encoder, snakemake.input.get("definition") or None, params.mean, params.sd
    )
    weights = snakemake.input.get("weights") or None
    network, _, digest = build_network(encoder, weights, params.seed)
    read_trial_tiles(network, encoder, params.tile_px)
    warnings = encoder_warnings(encoder, params.tile_um)
    record = EncoderRecord.of(name, encoder, weights, digest, warnings)
    log.info("%s", record.sentence)
    for warning in warnings:
        log.warning("%s", warning)
    record.write(snakemake.output.checked)
