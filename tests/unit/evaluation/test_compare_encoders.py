"""The script that compares encoders, on made-up results of several folds and sections."""

import runpy
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest

from ressat.base.files import FORMAT_VERSION
from ressat.base.layers import EXPRESSION_UNIT
from ressat.base.tables import read_table, write_table
from ressat.evaluation.encoders import RIDGES
from ressat.evaluation.text_columns import ENCODERS
from ressat.features.cache_writer import write_features
from ressat.slides.scale import Scale
from ressat.tiles.table import Tiles
from ressat.tiles.tiling import TileGeometry

# Section: fold, patient, number of spots, ceiling, and the sign of what each encoder predicts of its maps.
SECTIONS = {
    "A": ("f1", "PA", 20, 0.5, {"one": 1, "two": -1}),
    "B": ("f2", "PB", 30, 0.8, {"one": 1, "two": 1}),
    "C": ("f2", "PB", 40, 0.9, {"one": 1, "two": -1}),
}
SECONDS = {"one": 9.0, "two": 18.0}
GENES = ["x", "y", "z"]


def results(folder, encoder: str, section: str, order: slice = slice(None)) -> tuple[str, str]:
    """Predictions that follow what was measured, up or down, and baselines that do the opposite."""
    fold, patient, spots, _, signs = SECTIONS[section]
    rng = np.random.default_rng(spots)
    observed = rng.gamma(2.0, size=(spots, len(GENES))).astype(np.float32)
    obs = pd.DataFrame(
        {"n_counts": rng.uniform(300, 3000, spots)}, index=[f"{section}{n}" for n in range(spots)]
    )
    var = pd.DataFrame(index=GENES)
    predicted = signs[encoder] * observed
    place = {"section": section, "fold": fold, "unit": EXPRESSION_UNIT, "version": FORMAT_VERSION}
    layers = dict.fromkeys(("direct", "attended", "combined"), predicted) | {"observed": observed}
    adata = anndata.AnnData(
        predicted, obs=obs, var=var, layers=layers, obsm={"spatial": rng.uniform(size=(spots, 2))}
    )
    adata.uns["ressat"] = place | {
        "patient": patient, "protocol": "in turn, unseen patients", "headline": "combined",
        "encoder": f"net_{encoder}", "mpp": 0.5,
    }  # fmt: skip
    other = anndata.AnnData(obs=obs, var=var, layers=dict.fromkeys((*RIDGES, "depth_map"), -predicted))
    other.uns["ressat"] = place
    files = [str(folder / f"{kind}_{encoder}_{section}.h5ad") for kind in ("predictions", "baselines")]
    for file, content in zip(files, (adata[order], other[order]), strict=True):
        content.copy().write_h5ad(file)
    return files[0], files[1]


def features(folder, encoder: str, section: str) -> str:
    spots = SECTIONS[section][2]
    tiles = Tiles(
        section, np.zeros((spots, 2), np.int32), np.array([f"{section}{n}" for n in range(spots)]),
        np.ones(spots, np.float32), np.zeros((4, 4, 3), np.uint8), 10.0, Scale(0.5, "sheet"),
        TileGeometry(112.0, 224, 0, 224, 1.0), 110.0, 0, "f" * 64,
    )  # fmt: skip
    file = folder / f"features_{encoder}_{section}.h5"
    batch = {"layer": np.zeros((spots, 4), np.float16)}
    write_features(file, tiles, {"layer": 4}, [batch], {}, colour=False)
    return str(file)


def job(folder, odd: str | None = None) -> SimpleNamespace:
    """The job; the spots of the second encoder's section ``odd`` are in another order."""
    pairs = [(encoder, section) for encoder in SECONDS for section in SECTIONS]
    both = [
        results(folder, *pair, slice(None, None, -1) if pair == ("two", odd) else slice(None))
        for pair in pairs
    ]
    ceilings, benchmarks = [], []
    for section, (*_, ceiling, _) in SECTIONS.items():
        columns = ("ceiling", "ceiling_low", "ceiling_depth_free", "ceiling_low_depth_free")
        ceilings.append(str(folder / f"ceiling_{section}.tsv"))
        write_table(pd.DataFrame({"gene": GENES} | dict.fromkeys(columns, ceiling)), ceilings[-1])
    for encoder, section in pairs:
        benchmarks.append(str(folder / f"benchmark_{encoder}_{section}.tsv"))
        pd.DataFrame({"s": [SECONDS[encoder]]}).to_csv(benchmarks[-1], sep="\t", index=False)
    return SimpleNamespace(
        input=SimpleNamespace(
            predictions=[predictions for predictions, _ in both],
            baselines=[baselines for _, baselines in both],
            ceilings=ceilings,
            features=[features(folder, *pair) for pair in pairs],
        ),
        output=SimpleNamespace(encoders=str(folder / "encoders.tsv")),
        params=SimpleNamespace(
            encoders=list(SECONDS), benchmarks=benchmarks, headline="combined",
            unit={"name": "log1p_cp10k", "depth": None},
        ),
        log=[str(folder / "compare_encoders.log")],
    )  # fmt: skip


def run(repository, snakemake_job) -> None:
    script = repository / "workflow_scripts/compare_encoders.py"
    runpy.run_path(str(script), init_globals={"snakemake": snakemake_job})


def test_every_section_is_scored_with_its_own_results_of_every_encoder(repository, tmp_path):
    run(repository, job(tmp_path))
    table = read_table(tmp_path / "encoders.tsv", ENCODERS).set_index(["encoder", "layer", "patient"])
    model = table.xs("combined", level="layer")
    assert model["mean_pearson"].round(6).to_dict() == {
        ("one", ""): 1, ("one", "PA"): 1, ("one", "PB"): 1,
        ("two", ""): -0.5, ("two", "PA"): -1, ("two", "PB"): 0,
    }  # fmt: skip
    assert table.loc[("two", "tuned_ridge", "PA"), "mean_pearson"] == pytest.approx(1)
    assert table.loc[("two", "tuned_ridge", "PA"), "minus_first"] == pytest.approx(2)
    assert model.loc[("one", "PA"), "share_of_ceiling"] == pytest.approx(1 / 0.5)
    assert model.loc[("one", "PB"), "share_of_ceiling"] == pytest.approx(1 / 0.85)
    assert set(model.loc["two", "network"]) == {"net_two"}
    np.testing.assert_allclose(model.loc["one", "tiles_per_s"], 90 / 27, rtol=1e-5)
    np.testing.assert_allclose(model.loc["two", "tiles_per_s"], 90 / 54, rtol=1e-5)


def test_encoders_that_predict_other_spots_are_not_compared(repository, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(repository, job(tmp_path, odd="B"))
    assert "predictions_two_B.h5ad: its spots or genes are not those" in capsys.readouterr().err
