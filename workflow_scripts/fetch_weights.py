"""fetch_weights: download torchvision's ImageNet weights of ResNet50, once, and verify them.

Output
    weights: the state dict; record: its address and full SHA-256
"""

import json

import torch

from ressat.base.errors import InputError
from ressat.base.files import replacing, sha256, write_text
from ressat.base.joblog import job_log
from ressat.encoders.torchvision_import import import_torchvision

name = snakemake.wildcards.weights

with job_log(snakemake.log[0], "fetch_weights") as log:
    url = import_torchvision().models.ResNet50_Weights[name].url
    # torchvision writes the first digits of the SHA-256 into the name of the file.
    prefix = url.rsplit("-", 1)[1].removesuffix(".pth")
    with replacing(snakemake.output.weights) as temporary:
        try:
            torch.hub.download_url_to_file(url, str(temporary), hash_prefix=prefix, progress=False)
        except (OSError, RuntimeError) as error:
            raise InputError(
                f"{name} cannot be downloaded from {url} ({error})",
                expected="a network, or weights that are on disk already",
                action="download the file elsewhere and name its path under features.weights in config.yaml",
            ) from error
    digest = sha256(snakemake.output.weights)
    log.info("%s, sha256 %s", url, digest)
    write_text(snakemake.output.record, json.dumps({"url": url, "sha256": digest}, indent=2) + "\n")
