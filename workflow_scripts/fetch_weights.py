"""fetch_weights: download published weights of an encoder, once, and verify them.

Output
    weights: the state dict; record: its address and full SHA-256
"""

import json
from urllib.error import URLError

import torch

from ressat.base.errors import InputError
from ressat.base.files import replacing, sha256, write_text
from ressat.base.joblog import job_log
from ressat.base.machine import refuse_trouble
from ressat.encoders.registry import ENCODERS

encoder, name = ENCODERS.load(snakemake.wildcards.encoder), snakemake.wildcards.weights

with job_log(snakemake.log[0], "fetch_weights") as log:
    published = encoder.published[name]
    url = published.url
    with replacing(snakemake.output.weights) as temporary:
        try:
            torch.hub.download_url_to_file(url, str(temporary), hash_prefix=published.sha256, progress=False)
        except (OSError, RuntimeError) as error:
            if not isinstance(error, URLError):
                refuse_trouble(error)
            raise InputError(
                f"{name} cannot be downloaded from {url} ({error})",
                expected="a network connection, or weights that are already on disk",
                action="download the file elsewhere and name its path under features.weights in config.yaml",
            ) from error
    digest = sha256(snakemake.output.weights)
    log.info("%s, sha256 %s", url, digest)
    write_text(snakemake.output.record, json.dumps({"url": url, "sha256": digest}, indent=2) + "\n")
