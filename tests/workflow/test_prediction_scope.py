"""A prediction depends on the model and on its own section, and on nothing else."""

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from ressat.encoders.network import build_network
from ressat.encoders.registry import ENCODERS
from ressat.features.extraction import encode
from ressat.model.bundle import Bundle
from ressat.model.prediction import predict
from ressat.stain.section_stain import SectionStain
from ressat.tiles.loader import tile_batches
from ressat.tiles.table import Tiles
from studies import copy_study

LAYERS = ["direct", "attended", "combined"]


def z_units(file: Path, layer: str) -> np.ndarray:
    adata = anndata.read_h5ad(file)
    return (adata.layers[layer] - adata.var["training_mean"].to_numpy()) / adata.var["training_sd"].to_numpy()


def bundle_study(micro: Path, folder: Path, **overrides: dict) -> Path:
    """A study without counts that predicts with the micro-study's model."""
    study = copy_study(micro, folder)
    config = yaml.safe_load((study / "config.yaml").read_text())
    config["model"] = {"use": str(micro / "results/model/model.pt")}
    del config["simulate"]
    for name, values in overrides.items():
        config.setdefault(name, {}).update(values)
    (study / "config.yaml").write_text(yaml.safe_dump(config))
    # M1 has joined as another section without counts, and stands first.
    rows = [("M1", "slide.tiff"), ("M3", "slide.tiff")]
    lines = ["sample\tslide\trole", *(f"{name}\t{micro}/data/{name}/{file}\tpredict" for name, file in rows)]
    (study / "samples.tsv").write_text("\n".join(lines) + "\n")
    return study


@pytest.fixture(scope="module")
def with_bundle(micro, snakemake, tmp_path_factory) -> Path:
    study = bundle_study(micro, tmp_path_factory.mktemp("bundle"))
    snakemake(study)
    return study


@pytest.mark.parametrize("layer", LAYERS)
def test_other_sections_do_not_change_a_prediction(micro, with_bundle, layer):
    alone = z_units(micro / "results/predictions/all/M3.h5ad", layer)
    joined = z_units(with_bundle / "results/predictions/bundle/M3.h5ad", layer)
    np.testing.assert_allclose(joined, alone, atol=1e-5)


@pytest.fixture(scope="module")
def predict_again(micro):
    """Predict section M2 from its slide, its tiles in another order and batches of another size."""
    tiles = Tiles.read(micro / "results/tiles/M2.h5")
    stain = SectionStain.read(micro / "results/stain/M2.json")
    bundle = Bundle.read(micro / "results/folds/holdout/model.pt")
    network, _, digest = build_network(ENCODERS.load("resnet50"), None, 1)
    assert digest == bundle.requires["weights_sha256"]

    def run(batch_size: int, order: np.ndarray) -> dict[str, np.ndarray]:
        slide = micro / "data/M2/slide.tiff"
        batches = tile_batches(slide, tiles.coords[order], tiles.geometry, batch_size)
        parts = list(encode(batches, network, stain.transform, "cpu"))
        names = bundle.trained.head.inputs.layers
        layers = [np.concatenate([part[name] for part in parts]) for name in names]
        coords_um = tiles.coords[order] * tiles.scale.mpp
        return predict(bundle, np.hstack(layers).astype(np.float32), coords_um)

    return run


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_neither_batches_nor_the_order_of_spots_change_a_prediction(micro, predict_again, batch_size):
    file = micro / "results/predictions/holdout/M2.h5ad"
    count = anndata.read_h5ad(file).n_obs
    order = np.random.default_rng(batch_size).permutation(count)
    torch.set_num_threads(2)
    again = predict_again(batch_size, order)
    for layer in LAYERS:
        np.testing.assert_allclose(again[layer], z_units(file, layer)[order], atol=1e-5)


def test_what_is_known_of_the_genes_goes_where_the_model_predicts(micro, with_bundle):
    var = anndata.read_h5ad(with_bundle / "results/predictions/bundle/M3.h5ad").var
    table = pd.read_csv(micro / "results/evaluation/usable_genes.tsv", sep="\t")
    usable = table.dropna(subset="gene").set_index("gene")
    genes = [gene for gene in var.index if gene in usable.index]
    assert len(genes) > 5
    for name in ("pearson", "pearson_depth_free", "tuned_ridge", "ceiling", "fdr"):
        np.testing.assert_allclose(var.loc[genes, name], usable.loc[genes, name].astype(float), atol=1e-5)
    verdicts = [
        "usable" if gene else "not usable" for gene in usable.loc[genes, "usable"].astype(str) == "True"
    ]
    assert var.loc[genes, "verdict"].tolist() == verdicts
    assert ((var["reason"] == "") == (var["verdict"] == "usable")).all()
    untested = var.index.difference(usable.index)
    assert set(var.loc[untested, "verdict"]) <= {"not tested"}


def test_predictions_say_where_the_scores_come_from(micro, with_bundle):
    record = anndata.read_h5ad(with_bundle / "results/predictions/bundle/M3.h5ad").uns["ressat"]
    assert record["reliability"]["source"] == "tested"
    assert list(record["reliability"]["patients"]) == ["P2"]
    own = anndata.read_h5ad(micro / "results/predictions/holdout/M2.h5ad")
    assert "verdict" not in own.var, "what is scored does not know its scores"
    known = Bundle.read(micro / "results/folds/all/model.pt").reliability
    assert known.source == "held back"
    assert np.isfinite(known.genes["pearson"]).any()


def test_the_card_of_the_model_has_no_paths_and_the_scores_of_the_study(micro):
    card = (micro / "results/model/model_card.md").read_text()
    summary = pd.read_csv(micro / "results/evaluation/summary.tsv", sep="\t")
    lead = summary[
        (summary["layer"] == "combined") & (summary["panel"] == "all") & (summary["level"] == "study")
    ]
    assert f"| {lead['mean_pearson'].item():.3f} (12) |" in card
    assert "of 12 genes are usable" in card
    assert str(micro) not in card
    assert "/home" not in card


def test_a_study_without_counts_is_predicted_and_reported(with_bundle):
    adata = anndata.read_h5ad(with_bundle / "results/predictions/bundle/M1.h5ad")
    assert adata.n_obs > 10
    assert np.isfinite(adata.X).all()
    assert adata.uns["ressat"]["trained_on"].tolist() == ["M1"]
    assert not (with_bundle / "results/evaluation").exists()
    assert not (with_bundle / "results/figures").exists(), "nothing is scored"
    assert (with_bundle / "results/report.html").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"tiling": {"tile_um": 56}}, "the tile size"),
        ({"stain": {"method": "reinhard"}}, "the stain method"),
        ({"features": {"weights": "{micro}/other.pth"}}, "the encoder's weights"),
    ],
)
def test_a_model_made_in_another_way_is_refused(micro, snakemake, tmp_path, overrides, words):
    (tmp_path / "other.pth").write_bytes(b"other weights")
    text = yaml.safe_dump(overrides).replace("{micro}", str(tmp_path))
    study = bundle_study(micro, tmp_path / "study", **yaml.safe_load(text))
    run = snakemake(study, "results/bundle.json", succeeds=False)
    assert words in run.output
    assert "model.pt" in run.output
    assert "Traceback" not in run.output


def test_the_model_is_checked_before_sections_are_worked_on(micro, snakemake, tmp_path):
    study = bundle_study(micro, tmp_path / "study", tiling={"tile_um": 56})
    snakemake(study, succeeds=False)
    assert list((study / "results").glob("features/*.h5")) == []
