"""Encoders other than ResNet50, from their weights to predictions, in the micro-study."""

import json
import re
import shutil
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from own_encoders import OWN
from safetensors.torch import save_file

from parsed_page import Parsed
from ressat.encoders.encoder import Architecture
from ressat.encoders.families.vit import make_network
from ressat.model.bundle import Bundle
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


OWN_WEIGHTS = {"linear.weight": torch.ones(6, 12), "linear.bias": torch.zeros(6)}
THREE = [
    {"encoder": "resnet50", "weights": "random"},
    {"encoder": "small_vit", "weights": "model.safetensors"},
    {"name": "grey", "encoder": "shades.py", "weights": "shades.pth"},
]


def jobs_of(encoder: str) -> set[str]:
    """What a further encoder of the micro-study makes for itself."""
    return {
        f"check_encoder {encoder}",
        *(f"extract_further_features {encoder} {sample}" for sample in ("M1", "M2")),
        *(f"{rule}_of_encoder {encoder} holdout" for rule in ("train_model", "fit_baselines")),
        *(f"{rule}_of_encoder {encoder} holdout M2" for rule in ("predict_expression", "predict_baselines")),
    }


READERS = {"compare_encoders", "draw_figures", "render_report"}


@pytest.fixture(scope="module")
def three(micro, checkout, snakemake, tmp_path_factory):
    """The micro-study with two encoders more, after their comparison; and the run that made it."""
    study = configured(
        micro, tmp_path_factory.mktemp("three") / "study", {"encoders": THREE}, [{"context": 0}]
    )
    own = yaml.safe_load((micro / "config.yaml").read_text())["model"]["candidates"]
    config = yaml.safe_load((study / "config.yaml").read_text())
    config["model"]["candidates"] = own
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    torch.manual_seed(0)
    save_file(make_network(Architecture(NAME, ARGUMENTS)).state_dict(), study / "model.safetensors")
    (study / "shades.py").write_text(OWN)
    torch.save(OWN_WEIGHTS, study / "shades.pth")
    return study, snakemake(study, snakefile=checkout / "Snakefile")


def test_further_encoders_make_what_is_theirs_alone(micro, three):
    study, run = three
    assert run.job_names == jobs_of("small_vit") | jobs_of("grey") | READERS
    for file in (micro / "results").rglob("*"):
        same = study / "results" / file.relative_to(micro / "results")
        if file.is_file() and "figures" not in file.parts and file.name != "report.html":
            assert same.read_bytes() == file.read_bytes(), file


def test_encoders_are_compared_in_table_figure_and_report(three):
    study, _ = three
    table = pd.read_csv(
        study / "results/evaluation/encoders.tsv", sep="\t", keep_default_na=False, na_values="nan"
    )
    of_study = table[table["level"] == "study"].set_index(["encoder", "layer"])
    names = ["resnet50", "small_vit", "grey"]
    assert list(table["encoder"].unique()) == names
    assert (table["tiles_per_s"] > 0).all()
    summary = pd.read_csv(study / "results/evaluation/summary.tsv", sep="\t")
    summary = summary[(summary["level"] == "study") & (summary["panel"] == "all")].set_index("layer")
    for layer in ("combined", "tuned_ridge", "tuned_ridge_attended"):
        scores = of_study.xs(layer, level="layer")
        # The first encoder's model is the study's own.
        assert scores.loc["resnet50", "mean_pearson"] == pytest.approx(
            summary.loc[layer, "mean_pearson"], abs=1e-6
        )
        differences = scores["mean_pearson"] - scores.loc["resnet50", "mean_pearson"]
        np.testing.assert_allclose(scores["minus_first"], differences, atol=1e-5)
    assert all((study / f"results/figures/encoders.{kind}").stat().st_size > 5000 for kind in ("pdf", "png"))
    page = Parsed((study / "results/report.html").read_text(encoding="utf-8"))
    assert "Encoders compared" in page.text
    assert all(name in page.text for name in names)
    with h5py.File(study / "results/features/grey/M2.h5") as file:
        assert set(file["features"]) == {"shades", "grid"}, "colour statistics are with the first encoder"


def test_a_fourth_encoder_reruns_its_own_and_what_reads_it(three, checkout, snakemake, tmp_path):
    study = copy_study(three[0], tmp_path / "study", results=True)
    config = yaml.safe_load((study / "config.yaml").read_text())
    config["features"]["encoders"].append({"encoder": "coarse.py", "weights": "shades.pth"})
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    (study / "coarse.py").write_text(OWN.replace("adaptive_avg", "adaptive_max"))
    run = snakemake(study, "-n", snakefile=checkout / "Snakefile")
    assert run.job_names == jobs_of("coarse") | READERS


def test_a_model_may_read_several_encoders_and_be_used_elsewhere(three, checkout, snakemake, tmp_path):
    study = copy_study(three[0], tmp_path / "study", results=True)
    config = yaml.safe_load((study / "config.yaml").read_text())
    config["model"] |= {
        "layers": ["layer3", "grey.grid"],
        "candidates": [{"layers": ["grey.grid"], "context": 0}],
    }
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    own = snakemake(study, "results/predictions/all/M3.h5ad", snakefile=checkout / "Snakefile")
    assert own.job_names == {
        "extract_further_features grey M3",
        "train_model all",
        "predict_expression all M3",
    }
    bundle = Bundle.read(study / "results/folds/all/model.pt")
    assert bundle.trained.head.inputs.layers in (("resnet50.layer3", "grey.grid"), ("grey.grid",))
    tried = {tuple(trial["layers"]) for trial in bundle.provenance["tried"]}
    assert tried == {("resnet50.layer3", "grey.grid"), ("grey.grid",)}

    shutil.copy(study / "results/folds/all/model.pt", study / "saved.pt")
    sheet = (study / "samples.tsv").read_text().splitlines(keepends=True)
    (study / "samples.tsv").write_text(sheet[0] + sheet[-1])
    config["model"]["use"] = "saved.pt"
    config["simulate"]["sections"] = {"M3": config["simulate"]["sections"]["M3"]}
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    snakemake(study, "results/predictions/bundle/M3.h5ad", snakefile=checkout / "Snakefile")
    predicted = [
        anndata.read_h5ad(study / f"results/predictions/{fold}/M3.h5ad") for fold in ("all", "bundle")
    ]
    np.testing.assert_array_equal(predicted[0].X, predicted[1].X)

    # The model says by name which encoder is missing.
    config["features"]["encoders"] = config["features"]["encoders"][:2]
    config["model"] |= {"layers": None, "candidates": []}
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    run = snakemake(study, "results/bundle.json", snakefile=checkout / "Snakefile", succeeds=False)
    assert "the model reads the encoder grey, and the study has resnet50 and small_vit" in run.output
