"""The whole chain on the micro-study: what is promised of every file, read back from the files."""

import json

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from ressat.base.tables import read_table
from ressat.checks.text_columns import FOLD_SECTIONS
from ressat.evaluation.text_columns import GENES, PER_SECTION, SPOTS
from ressat.model.text_columns import PANEL

SECTIONS = ["M1", "M2", "M3"]
BASELINES = {
    "training_mean", "depth_map", "colour_ridge", "hest_ridge",
    "tuned_ridge", "tuned_kernel", "tuned_ridge_attended", "tuned_ridge_smoothed",
}  # fmt: skip
LAYERS = {"direct", "attended", "combined"}
FIGURES = ["accuracy", "attention", "genes", "maps"]


def test_every_file_of_the_map_is_there(micro):
    results = micro / "results"
    expected = [
        *(f"{folder}/{name}.png" for name in SECTIONS for folder in ("tiles", "stain")),
        *(f"checks/{name}.json" for name in SECTIONS),
        *(f"checks/{name}.genes.json" for name in ("M1", "M2")),
        *(f"expression/{name}.{kind}" for name in ("M1", "M2") for kind in ("h5ad", "genes.tsv")),
        *(f"features/{name}.h5" for name in SECTIONS),
        "folds/folds.tsv",
        *(
            f"folds/{fold}/{file}"
            for fold in ("holdout", "all")
            for file in ("sections.tsv", "genes.tsv", "model.pt", "history.tsv")
        ),
        "folds/holdout/baselines.h5",
        "predictions/holdout/M2.h5ad",
        "predictions/all/M3.parquet",
        "baselines/holdout/M2.h5ad",
        "ceiling/M2.tsv",
        *(f"interaction/holdout/M2.{kind}" for kind in ("tsv", "genes.tsv", "json")),
        *(
            f"evaluation/{table}.tsv"
            for table in ("per_gene", "per_section", "summary", "usable_genes", "scales")
        ),
        *(f"figures/{name}.{kind}" for name in FIGURES for kind in ("pdf", "png")),
        "report.html",
    ]
    assert [file for file in expected if not (results / file).is_file()] == []


def test_no_tile_is_written_and_no_temporary_file_left(micro):
    pictures = [path for path in micro.rglob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".tif")]
    drawn = [path for path in pictures if "data" not in path.relative_to(micro).parts]
    assert len(drawn) == 2 * len(SECTIONS) + len(FIGURES)
    assert list(micro.rglob("*.part")) == []


def test_tiles_are_the_spots_of_labelled_sections(micro):
    counts = anndata.read_h5ad(micro / "results/expression/M1.h5ad")
    with h5py.File(micro / "results/tiles/M1.h5") as tiles:
        np.testing.assert_array_equal(tiles["barcodes"].asstr()[()], counts.obs_names)
        np.testing.assert_array_equal(tiles["coords"][()], np.round(counts.obsm["spatial"]))
        assert tiles.attrs["mpp_source"] == "spot pitch"
        assert tiles.attrs["mpp"] == pytest.approx(1.0, rel=0.02)
        assert tiles.attrs["tile_um"] == 112
        assert tiles["coords"].dtype == np.int32


def test_tiles_of_a_section_without_counts_are_a_grid_over_tissue(micro):
    with h5py.File(micro / "results/tiles/M3.h5") as tiles:
        coords = tiles["coords"][()].astype(float)
        assert tiles.attrs["mpp_source"] == "slide tags"
        assert (tiles["tissue"][()] >= 0.5).all()
    distances = np.linalg.norm(coords[:, None] - coords[None], axis=-1)
    nearest = np.sort(distances, axis=1)[:, 1]
    np.testing.assert_allclose(nearest, 100, atol=1.5)


def test_stains_are_fitted_and_recorded(micro):
    for name in SECTIONS:
        stain = json.loads((micro / f"results/stain/{name}.json").read_text())
        assert stain["method"] == "macenko"
        assert stain["fallback"] is None
        assert np.shape(stain["matrix"]) == (3, 3)
        assert stain["reference_name"] == "published"
        assert Image.open(micro / f"results/stain/{name}.png").size[0] > 500


def test_features_know_how_they_were_made(micro):
    with h5py.File(micro / "results/features/M2.h5") as features:
        assert {name: data.shape[1] for name, data in features["features"].items()} == {
            "layer3": 1024,
            "layer4": 2048,
            "colour": 9,
        }
        assert "random" in features.attrs["encoder"]
        assert features.attrs["stain"] == "macenko"
        assert len(features.attrs["weights_sha256"]) == 64
        assert np.isfinite(features["features/layer3"][()]).all()


def test_panel_comes_from_the_training_section_alone(micro):
    panel = pd.read_csv(micro / "results/folds/holdout/genes.tsv", sep="\t")
    counts = anndata.read_h5ad(micro / "results/expression/M1.h5ad")
    totals = np.asarray(counts.X.sum(axis=1))
    log = np.log1p(1e4 * counts.X.toarray() / totals)
    expected = pd.Series(log.mean(axis=0), index=counts.var_names).nlargest(12)
    assert set(panel["gene"]) == set(expected.index)
    np.testing.assert_allclose(panel["mean"], expected[panel["gene"]], rtol=1e-4)


def test_predictions_carry_all_layers_truth_and_image(micro):
    adata = anndata.read_h5ad(micro / "results/predictions/holdout/M2.h5ad")
    assert set(adata.layers) == LAYERS | {"observed"}
    np.testing.assert_array_equal(adata.X, adata.layers["combined"])
    counts = anndata.read_h5ad(micro / "results/expression/M2.h5ad")
    assert list(adata.obs_names) == list(counts.obs_names)
    raw = counts[:, adata.var_names].X.toarray() / np.asarray(counts.X.sum(axis=1))
    np.testing.assert_allclose(adata.layers["observed"], np.log1p(1e4 * raw), rtol=1e-4)
    image = adata.uns["spatial"]["M2"]["images"]["hires"]
    scale = adata.uns["spatial"]["M2"]["scalefactors"]["tissue_hires_scalef"]
    assert (adata.obsm["spatial"] * scale < image.shape[1::-1]).all()
    assert adata.uns["ressat"]["trained_on"].tolist() == ["M1"]
    assert adata.uns["ressat"]["protocol"] == "holdout, unseen patients"


def test_a_section_without_counts_is_predicted_by_the_model_of_all(micro):
    adata = anndata.read_h5ad(micro / "results/predictions/all/M3.h5ad")
    assert "observed" not in adata.layers
    assert adata.uns["ressat"]["fold"] == "all"
    assert np.isfinite(adata.X).all()
    table = pd.read_parquet(micro / "results/predictions/all/M3.parquet")
    np.testing.assert_array_equal(table[list(adata.var_names)].to_numpy(), adata.X)


def test_scores_are_those_of_the_files(micro):
    adata = anndata.read_h5ad(micro / "results/predictions/holdout/M2.h5ad")
    scores = pd.read_csv(micro / "results/evaluation/per_gene.tsv", sep="\t")
    rows = scores[(scores["model"] == "ressat") & (scores["layer"] == "combined")].set_index("gene")
    for gene in adata.var_names:
        observed, predicted = (
            np.asarray(adata[:, gene].layers[layer]).ravel() for layer in ("observed", "combined")
        )
        assert rows.loc[gene, "pearson"] == pytest.approx(np.corrcoef(observed, predicted)[0, 1], abs=1e-4)
    assert set(scores["layer"]) == LAYERS | BASELINES | {"observed_depth"}


def test_every_output_says_from_which_sections_it_comes(micro):
    results = micro / "results"
    assert set(read_table(results / "folds/holdout/genes.tsv", PANEL)["sections"]) == {"M1"}
    bundle = torch.load(results / "folds/holdout/model.pt", weights_only=True)
    assert bundle["provenance"]["sections"] == ["M1"]
    assert all("section M1" in words for words in bundle["provenance"]["held_back_in_turn"])
    for folder in ("predictions", "baselines"):
        adata = anndata.read_h5ad(results / f"{folder}/holdout/M2.h5ad")
        assert list(adata.uns["ressat"]["trained_on"]) == ["M1"]
    assert set(read_table(results / "evaluation/per_section.tsv", PER_SECTION)["trained_on"]) == {"M1"}
    sides = read_table(results / "folds/holdout/sections.tsv", FOLD_SECTIONS).set_index("section")["side"]
    assert sides.to_dict() == {"M1": "train", "M2": "test"}


def test_both_candidates_were_tried(micro):
    tried = torch.load(micro / "results/folds/holdout/model.pt", weights_only=True)["provenance"]["tried"]
    assert sorted((one["layers"], one["context"]) for one in tried) == [(["layer3"], 1.5), (["layer4"], 0)]


def test_baselines_and_predictions_are_of_the_same_spots_and_genes(micro):
    baselines = anndata.read_h5ad(micro / "results/baselines/holdout/M2.h5ad")
    predictions = anndata.read_h5ad(micro / "results/predictions/holdout/M2.h5ad")
    assert set(baselines.layers) == BASELINES
    assert baselines.obs_names.equals(predictions.obs_names)
    assert baselines.var_names.equals(predictions.var_names)


def test_interaction_is_described_of_the_very_spots_and_genes_that_are_predicted(micro):
    predictions = anndata.read_h5ad(micro / "results/predictions/holdout/M2.h5ad")
    interaction = micro / "results/interaction/holdout"
    summary = json.loads((interaction / "M2.json").read_text())
    spots = read_table(interaction / "M2.tsv", SPOTS)
    genes = read_table(interaction / "M2.genes.tsv", GENES)
    assert spots["spot"].tolist() == predictions.obs_names.tolist()
    assert genes["gene"].tolist() == predictions.var_names.tolist()
    assert (summary["section"], summary["fold"], summary["clusters"]) == ("M2", "holdout", 6)
    for by in ("interaction", "expression"):
        assert spots[f"{by}_cluster"].nunique() == summary[f"{by}_clusters"] == 6
    sd = predictions.var["training_sd"].to_numpy()
    moved = (predictions.layers["attended"] - predictions.layers["direct"]) / sd
    np.testing.assert_allclose(genes["moved"], np.sqrt((moved**2).mean(axis=0)), rtol=1e-3)


def test_report_stands_alone_and_warns_of_untrained_weights(micro):
    page = (micro / "results/report.html").read_text(encoding="utf-8")
    assert "untrained" in page.lower()
    assert 'src="http' not in page
    assert str(micro) not in page


def test_a_second_run_has_nothing_to_do(micro, snakemake):
    assert "Nothing to be done" in snakemake(micro, "--dry-run").output
