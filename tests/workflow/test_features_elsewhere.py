"""A section whose features were made elsewhere, from their file to its predictions, in the micro-study."""

from pathlib import Path

import anndata
import h5py
import numpy as np
import openslide
import pytest
import torch
import yaml

from ressat.encoders.network import build_network
from ressat.encoders.registry import ENCODERS
from ressat.tiles.table import Tiles
from ressat.tiles.tiling import top_left
from studies import copy_study

PREDICTIONS = "results/predictions/all/M3.h5ad"
FEATURES = "results/features/M3.h5"


def encode_again(slide: Path, corners: np.ndarray, edge: int) -> np.ndarray:
    """Layer 4 of the micro-study's network, float32, of patches that are cut as other software cuts them."""
    network, _, _ = build_network(ENCODERS.load("resnet50"), None, 1)
    with openslide.OpenSlide(slide) as image:
        cut = [image.read_region(tuple(map(int, at)), 0, (edge, edge)).convert("RGB") for at in corners]
    pixels = torch.from_numpy(np.stack([np.asarray(patch) for patch in cut])).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        return network(pixels)["layer4"].numpy()


def write(path: Path, features: np.ndarray, corners: np.ndarray, edge: int, size: tuple[int, int]) -> None:
    """Write features as TRIDENT does."""
    with h5py.File(path, "w") as file:
        file["features"], file["coords"] = features, corners
        file["features"].attrs["encoder"] = "resnet50"
        file["coords"].attrs.update(
            patch_size=edge,
            patch_size_level0=edge,
            level0_magnification=10,
            target_magnification=10,
            overlap=0,
            level0_width=size[0],
            level0_height=size[1],
        )


@pytest.fixture(scope="module")
def own(micro, snakemake, tmp_path_factory) -> Path:
    """The micro-study without stain normalisation, with its own features and predictions."""
    study = copy_study(micro, tmp_path_factory.mktemp("own") / "micro", results=True)
    config = yaml.safe_load((study / "config.yaml").read_text()) | {"stain": {"method": "none"}}
    # Layer 4 alone, and no context, so that a prediction of the layer `direct` depends on its own tile.
    config["model"] |= {"layers": ["layer4"], "context": 0, "candidates": []}
    (study / "config.yaml").write_text(yaml.safe_dump(config))
    snakemake(study, PREDICTIONS)
    return study


@pytest.fixture
def given(own, tmp_path) -> Path:
    """The same study with features of the same tiles of M3 that were made elsewhere."""
    study = copy_study(own, tmp_path / "micro", results=True)
    tiles = Tiles.read(own / "results/tiles/M3.h5")
    edge = int(tiles.geometry.edge)
    corners = top_left(tiles.coords, edge)
    slide = study / "data/M3/slide.tiff"
    with openslide.OpenSlide(slide) as image:
        size = image.dimensions
    # Other software sees black beyond the slide.
    inside = ((corners >= 0) & (corners + edge <= size)).all(axis=1)
    assert inside.sum() > 16
    corners = corners[inside]
    np.save(study / "inside.npy", inside)
    write(study / "M3.h5", encode_again(slide, corners, edge), corners, edge, size)
    header, *rows = (study / "samples.tsv").read_text().splitlines()
    rows = [f"{row}\tM3.h5" if row.startswith("M3") else row for row in rows]
    (study / "samples.tsv").write_text("\n".join([f"{header}\tfeatures", *rows]) + "\n")
    return study


def test_features_made_elsewhere_predict_what_the_pipelines_own_do(own, given, snakemake):
    run = snakemake(given, PREDICTIONS)
    assert run.job_names == {
        "tile_slide M3",
        "fit_stain M3",
        "import_features M3",
        "predict_expression all M3",
    }
    inside = np.load(given / "inside.npy")
    expected, found = (anndata.read_h5ad(study / PREDICTIONS) for study in (own, given))
    np.testing.assert_array_equal(found.obsm["spatial"], expected.obsm["spatial"][inside])
    np.testing.assert_allclose(found.layers["direct"], expected.layers["direct"][inside], atol=2e-3)
    with h5py.File(given / FEATURES) as file, h5py.File(own / FEATURES) as made_here:
        assert list(file["features"]) == ["layer4"]
        assert file.attrs["made_elsewhere"] == "TRIDENT"
        assert file.attrs["proof_deviation"] < 0.01
        for name in ("encoder", "weights_sha256", "stain", "stain_target", "tile_um", "tile_px"):
            assert file.attrs[name] == made_here.attrs[name]
        np.testing.assert_allclose(
            file["features/layer4"][()], made_here["features/layer4"][()][inside], rtol=2e-3, atol=2e-3
        )
    assert "Nothing to be done" in snakemake(given, PREDICTIONS, "-n").output

    # Another file makes its tiles and features again, and no model.
    with h5py.File(given / "M3.h5", "r+") as file:
        file["features"][...] = np.roll(file["features"][()], 1, axis=0)
    assert snakemake(given, PREDICTIONS, "-n").job_names == run.job_names
    refused = snakemake(given, PREDICTIONS, succeeds=False)
    assert (
        "M3.h5: its features are not those of ResNet50 at these places: 16 tiles, encoded" in refused.output
    )
    assert "Traceback" not in refused.output
    assert not (given / FEATURES).exists()


def test_layers_that_a_model_may_read_must_be_in_the_file(given, snakemake):
    config = yaml.safe_load((given / "config.yaml").read_text())
    config["model"]["candidates"] = [{"layers": ["layer3", "layer4"]}]
    (given / "config.yaml").write_text(yaml.safe_dump(config))
    refused = snakemake(given, FEATURES, succeeds=False)
    assert "M3.h5: it has layer4 alone, and the model may read layer3; expected all layers" in refused.output


def test_patches_of_another_edge_are_refused_before_any_feature(given, snakemake):
    with h5py.File(given / "M3.h5", "r+") as file:
        file["coords"].attrs["patch_size_level0"] = 128
    refused = snakemake(given, PREDICTIONS, succeeds=False)
    said = "section M3: M3.h5: its patches are 128 um wide (128 px of 1 um), and tiling.tile_um is 112; "
    assert said in refused.output
    assert "Traceback" not in refused.output


def test_stain_normalisation_is_refused_while_the_workflow_is_parsed(given, snakemake):
    config = yaml.safe_load((given / "config.yaml").read_text()) | {"stain": {"method": "macenko"}}
    (given / "config.yaml").write_text(yaml.safe_dump(config))
    refused = snakemake(given, "-n", succeeds=False)
    assert "config.yaml: stain.method is macenko, and the features of section M3 were made" in refused.output
    assert "set it, or leave the column features empty" in refused.output
