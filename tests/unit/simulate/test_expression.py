"""Simulated counts say what the image says, and read as Space Ranger's outs/ do."""

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import squidpy as sq
from scipy.spatial import cKDTree

from ressat.base.errors import InputError, about
from ressat.simulate.expression import (
    DepthSettings,
    GeneSettings,
    array_positions,
    gene_table,
    measure_tiles,
    read_settings,
    scalefactors,
    simulate_counts,
    write_matrix,
    write_preview,
)
from ressat.simulate.tissue import Tissue, TissueSettings, draw_tissue
from ressat.stats.metrics import pearson
from ressat.stats.partial import partial_pearson
from ressat.stats.significance import correlation_p_values

SETTINGS = TissueSettings(seed=5, rows=8, cols=7, mpp=1.0)
GENES = GeneSettings(density=4, eosin=3, noise=8)
PIXELS = ["pxl_col_in_fullres", "pxl_row_in_fullres"]


@pytest.fixture(scope="module")
def tissue() -> Tissue:
    return draw_tissue(SETTINGS)


@pytest.fixture(scope="module")
def positions(tissue) -> pd.DataFrame:
    return array_positions(SETTINGS, tissue)


@pytest.fixture(scope="module")
def wide_tiles() -> pd.DataFrame:
    """Covariates as in a drawn section, but of thousands of spots."""
    rng = np.random.default_rng(0)
    return pd.DataFrame({"density": rng.uniform(500, 6000, 3000), "eosin": rng.uniform(0.15, 0.65, 3000)})


def log_cp10k(counts: np.ndarray) -> np.ndarray:
    return np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)


def correlations(counts: np.ndarray, covariate: pd.Series) -> np.ndarray:
    return np.array([np.corrcoef(column, covariate)[0, 1] for column in log_cp10k(counts).T])


def test_spots_lie_on_the_visium_lattice_within_the_image(tissue, positions):
    assert len(positions) == SETTINGS.rows * SETTINGS.cols
    assert (positions["array_row"] % 2 == positions["array_col"] % 2).all()
    assert not positions.duplicated(["array_row", "array_col"]).any()
    centres = positions[PIXELS].to_numpy() * SETTINGS.mpp
    nearest = cKDTree(centres).query(centres, k=2)[0][:, 1]
    np.testing.assert_allclose(nearest, 100, atol=1.5)
    height, width = tissue.image.shape[:2]
    assert (centres > 56).all()
    assert (centres < np.array([width, height]) * SETTINGS.mpp - 56).all()


def test_a_position_has_the_same_barcode_in_every_section(tissue, positions):
    assert positions["barcode"].is_unique
    assert positions["barcode"].str.fullmatch("[ACGT]{16}-1").all()
    wider = array_positions(
        TissueSettings(rows=10, cols=9, mpp=1.0), draw_tissue(TissueSettings(rows=10, cols=9, mpp=1.0))
    )
    both = positions.merge(wider, on=["array_row", "array_col"])
    assert len(both) == len(positions)
    assert (both["barcode_x"] == both["barcode_y"]).all()


def test_in_tissue_is_what_the_outline_says(tissue, positions):
    on = tissue.inside[positions["pxl_row_in_fullres"], positions["pxl_col_in_fullres"]]
    assert 0.6 < positions["in_tissue"].mean() < 1
    assert (on == positions["in_tissue"].astype(bool)).mean() > 0.9


def test_tiles_are_measured_over_112_um_of_what_was_drawn():
    nuclei = np.array([[145.0, 200.0], [200.0, 255.0], [200.0, 257.0], [143.0, 200.0]])
    eosin = np.zeros((400, 400), np.float32)
    eosin[:, 200:] = 0.5
    drawn = Tissue(np.zeros((400, 400, 3), np.uint8), np.ones((400, 400), bool), eosin, nuclei)
    spot = pd.DataFrame({"barcode": ["A-1"], "pxl_row_in_fullres": [200], "pxl_col_in_fullres": [200]})
    tiles = measure_tiles(drawn, spot, 1.0)
    assert tiles.loc["A-1", "density"] == pytest.approx(2 / 0.112**2)
    assert tiles.loc["A-1", "eosin"] == pytest.approx(0.25)


def test_gene_names_say_what_they_are_and_as_many_rise_as_fall():
    genes = gene_table(GENES)
    assert list(genes.columns) == ["gene", "kind", "covariate", "direction"]
    assert genes["gene"].is_unique
    row = genes.set_index("gene").loc["EOSIN_DOWN02"]
    assert tuple(row) == ("planted", "eosin", "down")
    counted = genes.groupby(["covariate", "direction"]).size().to_dict()
    assert counted == {
        ("density", "up"): 4,
        ("density", "down"): 4,
        ("eosin", "up"): 3,
        ("eosin", "down"): 3,
        ("none", "none"): 8,
    }


def test_planted_genes_follow_their_covariate_and_noise_follows_none(wide_tiles):
    genes = gene_table(GeneSettings(density=10, eosin=10, noise=20))
    counts = simulate_counts(wide_tiles, genes, seed=1)
    for covariate in ("density", "eosin"):
        r = pd.Series(correlations(counts, wide_tiles[covariate]), genes["gene"])
        planted = genes["covariate"] == covariate
        assert (r[(planted & (genes["direction"] == "up")).to_numpy()] > 0.75).all()
        assert (r[(planted & (genes["direction"] == "down")).to_numpy()] < -0.75).all()
        # Nothing leaks through the spots' totals, in either direction.
        assert r[~planted.to_numpy()].abs().max() < 0.08
        assert abs(r[(genes["kind"] == "noise").to_numpy()].mean()) < 0.02


def test_library_size_depends_on_no_covariate(wide_tiles):
    totals = simulate_counts(wide_tiles, gene_table(GENES), seed=1).sum(axis=1)
    assert np.std(np.log(totals)) > 0.25
    for covariate in wide_tiles:
        assert abs(np.corrcoef(np.log(totals), wide_tiles[covariate])[0, 1]) < 0.06


def test_depth_that_follows_the_image_fools_the_plain_score_and_not_the_depth_free_one(wide_tiles):
    """Genes of constant rates, shown as one map of nuclear density: there is nothing to predict."""
    tiles = wide_tiles[:1500].assign(density=np.random.default_rng(1).normal(3000, 1000, 1500))
    counts = simulate_counts(tiles, gene_table(GeneSettings(0, 0, 1000)), 1, DepthSettings(1500, 0.7))
    totals = counts.sum(axis=1)
    assert np.mean(totals) == pytest.approx(1500, rel=0.1)
    observed, predicted = log_cp10k(counts), np.tile(tiles["density"].to_numpy()[:, None], 1000)
    plain, depth_free = pearson(observed, predicted), partial_pearson(observed, predicted, np.log(totals))
    assert np.mean(plain) > 0.2
    assert abs(np.mean(depth_free)) < 0.01
    coords = np.random.default_rng(2).uniform(0, 5000, (1500, 2))
    genes = slice(0, 200)
    p, _ = correlation_p_values(observed[:, genes], predicted[:, genes], coords)
    given, _ = correlation_p_values(observed[:, genes], predicted[:, genes], coords, np.log(totals))
    assert (p < 0.05).mean() > 0.95
    assert (given < 0.05).mean() < 0.1


def test_a_gene_has_the_same_curve_in_every_section(wide_tiles):
    genes = gene_table(GENES)
    first, second = (log_cp10k(simulate_counts(wide_tiles, genes, seed)) for seed in (1, 2))
    assert (first != second).any()
    upper = wide_tiles["density"].to_numpy() > 3000
    for rows in (upper, ~upper):
        np.testing.assert_allclose(first[rows].mean(0), second[rows].mean(0), atol=0.05)
    assert np.ptp(first.mean(0)) > 0.5


def test_the_same_seed_gives_the_same_counts(wide_tiles):
    first, second = (simulate_counts(wide_tiles, gene_table(GENES), 7) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_squidpy_reads_the_outs_and_finds_what_was_planted(tmp_path, tissue, positions):
    genes = gene_table(GENES)
    spots = positions[positions["in_tissue"] == 1].sort_values("barcode")
    tiles = measure_tiles(tissue, spots, SETTINGS.mpp)
    counts = simulate_counts(tiles, genes, SETTINGS.seed)
    spatial = tmp_path / "outs" / "spatial"
    spatial.mkdir(parents=True)
    write_matrix(
        tmp_path / "outs" / "filtered_feature_bc_matrix.h5",
        counts,
        list(tiles.index),
        list(genes["gene"]),
        "P1",
    )
    positions.to_csv(spatial / "tissue_positions.csv", index=False)
    hires = write_preview(spatial / "tissue_hires_image.png", tissue.image, 500)
    lowres = write_preview(spatial / "tissue_lowres_image.png", tissue.image, 150)
    (spatial / "scalefactors_json.json").write_text(json.dumps(scalefactors(SETTINGS.mpp, hires, lowres)))

    section = sq.read.visium(tmp_path / "outs")
    assert list(section.uns["spatial"]) == ["P1"]
    images = section.uns["spatial"]["P1"]["images"]
    assert max(images["hires"].shape) == 500
    assert max(images["lowres"].shape) == 150
    assert hires == pytest.approx(500 / max(tissue.image.shape))
    factors = section.uns["spatial"]["P1"]["scalefactors"]
    assert factors["spot_diameter_fullres"] == 65
    assert (section.obs["in_tissue"] == 1).all()
    assert list(section.var.columns) == ["gene_ids", "feature_types", "genome"]
    assert section.var["gene_ids"].is_unique
    assert set(section.var["feature_types"]) == {"Gene Expression"}
    np.testing.assert_array_equal(section.X.toarray(), counts)
    at = positions.set_index("barcode").loc[section.obs_names, PIXELS]
    np.testing.assert_array_equal(section.obsm["spatial"], at.to_numpy())

    sc.pp.normalize_total(section, target_sum=1e4)
    sc.pp.log1p(section)
    density = [tiles.loc[barcode, "density"] for barcode in section.obs_names]
    up = section[:, "DENSITY_UP01"].X.toarray().ravel()
    down = section[:, "DENSITY_DOWN01"].X.toarray().ravel()
    assert np.corrcoef(up, density)[0, 1] > 0.6
    assert np.corrcoef(down, density)[0, 1] < -0.6


def test_a_preview_is_never_enlarged(tmp_path, tissue):
    assert write_preview(tmp_path / "hires.png", tissue.image, 100_000) == 1


def test_settings_left_out_have_their_defaults():
    assert read_settings({}) == (TissueSettings(), GeneSettings(), DepthSettings())
    config = {"seed": 4, "mpp": 1, "genes": {"noise": 5}, "depth": {"slope": 1}}
    tissue, genes, depth = read_settings(config)
    assert depth == DepthSettings(4000, 1)
    assert tissue == dataclasses.replace(TissueSettings(), seed=4, mpp=1)
    assert genes == dataclasses.replace(GeneSettings(), noise=5)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"sead": 1}, "'sead'"),
        ({"rows": 1}, "rows"),
        ({"cols": 2.5}, "cols"),
        ({"mpp": "0.5"}, "mpp"),
        ({"mpp": math.nan}, "mpp"),
        ({"seed": True}, "seed"),
        ({"seed": None}, "seed"),
        ({"genes": 5}, "genes"),
        ({"genes": None}, "genes"),
        ({"genes": {"density_up": 3}}, "'density_up'"),
        ({"genes": {"noise": -1}}, "noise"),
        ({"genes": {"density": 0, "eosin": 0, "noise": 0}}, "no genes"),
    ],
)
def test_a_wrong_setting_is_named_with_its_section(config, named):
    with pytest.raises(InputError) as caught, about(section="P1"):
        read_settings(config)
    assert caught.value.section == "P1"
    assert named in str(caught.value)
