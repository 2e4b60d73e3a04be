"""Encoders other than ResNet50, from their weights to predictions, in the micro-study."""

import json
import re
import shutil
from pathlib import Path

import anndata
import h5py
import numpy as np
import pytest
import torch
import yaml
from own_encoders import OWN
from safetensors.torch import save_file

from ressat.encoders.encoder import Architecture
from ressat.encoders.families.vit import make_network
from studies import copy_study

# A small vision transformer with registers, as a member of the registry.
MEMBER = '''"""A small ViT, for the tests."""

from dataclasses import replace

from ressat.encoders.encoder import Architecture
from ressat.encoders.virchow2 import MEMBER as VIRCHOW2

MEMBER = replace(
    VIRCHOW2,
    name="small_vit",
    title="Small ViT",
    words="the tokens of a small ViT",
    layers={{"class_token": 48, "patch_mean": 48}},
    px=32,
    architecture=Architecture({name!r}, {arguments!r}),
)
'''
NAME = "vit_huge_patch14_224"
ARGUMENTS = {
    "img_size": 32,
    "patch_size": 8,
    "embed_dim": 48,
    "depth": 2,
    "num_heads": 3,
    "init_values": 0.1,
    "mlp_ratio": 5.33334,
    "mlp_layer": "SwiGLUPacked",
    "act_layer": "SiLU",
    "reg_tokens": 4,
}


@pytest.fixture(scope="module")
def checkout(repository, tmp_path_factory) -> Path:
    """A copy of the pipeline with a further encoder: one file and one line."""
    folder = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("rules", "workflow_scripts", "schemas", "envs", "report"):
        shutil.copytree(repository / name, folder / name, ignore=ignored)
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(repository / name, folder)
    encoders = folder / "workflow_scripts/ressat/encoders"
    (encoders / "small_vit.py").write_text(MEMBER.format(name=NAME, arguments=ARGUMENTS))
    registry = encoders / "registry.py"
    registry.write_text(registry.read_text().replace('"resnet50",', '"resnet50",\n        "small_vit",'))
    return folder


def configured(micro: Path, folder: Path, features: dict, candidates: list[dict]) -> Path:
    """The micro-study with all its results, with another encoder."""
    study = copy_study(micro, folder, results=True)
    config = yaml.safe_load((study / "config.yaml").read_text())
    config["features"] = {"precision": "fp32", **features}
    config["model"]["candidates"] = candidates
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return study


def test_a_vision_transformer_from_safetensors_predicts(micro, checkout, snakemake, tmp_path):
    features = {"encoder": "small_vit", "weights": "weights/model.safetensors"}
    candidates = [{"layers": ["patch_mean"], "context": 0}]
    study = configured(micro, tmp_path / "study", features, candidates)
    torch.manual_seed(0)
    state = make_network(Architecture(NAME, ARGUMENTS)).state_dict()
    (study / "weights").mkdir()
    save_file({f"module.{name}": tensor for name, tensor in state.items()}, study / features["weights"])
    wanted = ["results/encoders/small_vit.json", "results/predictions/holdout/M2.h5ad"]
    run = snakemake(study, *wanted, snakefile=checkout / "Snakefile")
    assert not run.job_names & {"tile_slide M1", "fit_stain M1", "select_genes holdout"}
    with h5py.File(study / "results/features/M1.h5") as file:
        assert set(file["features"]) == {"colour", "class_token", "patch_mean"}
        assert np.ptp(file["features/class_token"][()].astype(float), axis=0).min() > 0
        assert file.attrs["encoder"] == "small_vit"
    record = json.loads((study / "results/encoders/small_vit.json").read_text())
    assert record["layers"] == {"class_token": 48, "patch_mean": 48}
    assert record["licence"] == "CC-BY-NC-ND-4.0"
    adata = anndata.read_h5ad(study / "results/predictions/holdout/M2.h5ad")
    assert adata.uns["ressat"]["encoder"] == "small_vit"
    assert np.isfinite(adata.X).all()
    assert "Nothing to be done" in snakemake(study, *wanted, "-n", snakefile=checkout / "Snakefile").output

    # Another check makes no features anew.
    (study / wanted[0]).unlink()
    again = snakemake(study, *wanted, "-n", snakefile=checkout / "Snakefile")
    assert again.job_names == {"check_encoder small_vit"}


def test_an_encoder_of_ones_own_is_checked_and_its_content_counts(micro, snakemake, tmp_path):
    features = {"encoder": "shades.py", "weights": "shades.pth"}
    study = configured(micro, tmp_path / "study", features, [{"context": 0}])
    (study / "shades.py").write_text(OWN)
    weights = {"linear.weight": torch.ones(6, 12), "linear.bias": torch.zeros(6)}
    torch.save(weights, study / "shades.pth")
    wanted = ["results/features/M1.h5", "check"]
    run = snakemake(study, *wanted)
    with h5py.File(study / "results/features/M1.h5") as file:
        assert set(file["features"]) == {"colour", "shades", "grid"}
        assert file.attrs["encoder"] == "shades.py"
        np.testing.assert_allclose(
            file["features/shades"][()][:, 0], file["features/grid"][()].sum(axis=1), atol=0.02
        )
        digest = file.attrs["weights_sha256"]
    said = r"Encoder: Shades, weights shades.pth \(SHA-256 (\w+)\), giving shades \(6\), grid \(12\); licence"
    assert digest.startswith(re.search(said, run.output)[1])
    assert "Shades is meant for tiles of 100 um, and tiling.tile_um is 112" in run.output
    (study / "shades.py").touch()
    assert snakemake(study, *wanted, "-n").job_names <= {"check"}
    (study / "shades.py").write_text(OWN.replace("adaptive_avg", "adaptive_max"))
    assert snakemake(study, *wanted, "-n").job_names - {"check"} == {
        "extract_features M1",
        "check_encoder shades",
    }


def test_wrong_weights_are_refused_before_features(micro, snakemake, tmp_path):
    features = {"encoder": "uni", "weights": "resnet.pth"}
    study = configured(micro, tmp_path / "study", features, [{"context": 0}])
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, study / "resnet.pth")
    before = (study / "results/features/M1.h5").read_bytes()
    run = snakemake(study, "check", succeeds=False)
    said = r"resnet.pth: differences from a network of UNI, \d+ in all: cls_token is missing, pos_embed is"
    assert re.search(said, run.output)
    assert "- encoder uni: resnet.pth: differences" in run.output
    assert "Traceback" not in run.output
    assert (study / "results/features/M1.h5").read_bytes() == before
