"""Every reader refuses several sections in one, and reads the part that the sheet names."""

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from spatialdata import SpatialData
from spatialdata.models import ShapesModel, TableModel
from spatialdata.transformations import Identity

from count_files import source, write_bins, write_mtx, write_outs
from ressat.base.errors import InputError
from ressat.counts.reading import read_counts
from ressat.counts.spot_counts import SpotCounts

BASES = np.array(["".join("ACGT"[number // 4**digit % 4] for digit in range(16)) for number in range(60)])
ROW, COLUMN = np.indices((6, 10)).reshape(2, -1)
COUNTS = np.random.default_rng(5).poisson(3, size=(120, 3)) + 1
# Of each section, some spots have no counts; they are others in the second one.
FIRST, SECOND = np.arange(0, 55), np.arange(8, 60)


def positions(ending: str, shift: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "barcode": [bases + ending for bases in BASES],
            "in_tissue": 1,
            "array_row": ROW,
            "array_col": 2 * COLUMN + ROW % 2,
            "pxl_row_in_fullres": np.round(ROW * 87 + 300 + shift),
            "pxl_col_in_fullres": (2 * COLUMN + ROW % 2) * 50 + 200 - shift,
        }
    )


def joined(*endings: str) -> tuple[np.ndarray, list[str]]:
    """Counts and barcodes of both sections in one matrix."""
    names = [
        bases + ending for rows, ending in zip((FIRST, SECOND), endings, strict=True) for bases in BASES[rows]
    ]
    return COUNTS[: len(names)], names


def write_joined(folder: Path, kind: str, *endings: str, places: pd.DataFrame) -> Path:
    counts, names = joined(*endings)
    outs = write_outs(folder / "outs", counts, names, places)
    if kind == "mtx":
        (outs / "filtered_feature_bc_matrix.h5").unlink()
        entries = [(g + 1, s + 1, int(counts[s, g])) for s in range(len(names)) for g in range(3)]
        text = "".join(f"{gene} {spot} {count}\n" for gene, spot, count in entries)
        head = f"%%MatrixMarket matrix coordinate integer general\n3 {len(names)} {len(entries)}\n"
        barcodes = "".join(f"{name}\n" for name in names)
        write_mtx(outs / "filtered_feature_bc_matrix", matrix_mtx=head + text, barcodes_tsv=barcodes)
    return outs


def read(path: Path, **options: object) -> SpotCounts:
    """Read counts as the pipeline does."""
    return read_counts(source(path, **options))


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        read(path, **options)
    assert caught.value.file
    return str(caught.value)


@pytest.mark.parametrize("kind", ["h5", "mtx"])
@pytest.mark.parametrize(
    ("endings", "own"),
    [(("-1", "-2"), "-1"), (("-1", "-3"), "-2"), (("-4", "-7"), ""), (("-1_u", "-1_v"), "-1")],
)
def test_a_joined_matrix_beside_the_positions_of_one_section(tmp_path, kind, endings, own):
    outs = write_joined(tmp_path, kind, *endings, places=positions(own))
    said = refusal(outs)
    assert (
        f"2 sections in one file, told apart by the endings of their barcodes ({endings[0]}: 55 spots, "
        in said
    )
    assert "give the outs folder of spaceranger count of this section, or name its part" in said
    assert "matrix" in said.split(": ")[0]
    found = read(outs, subset=endings[1])
    assert found.spots.tolist() == [bases + own for bases in BASES[SECOND]]
    assert (found.counts.toarray() == COUNTS[55:107]).all()
    assert found.spots.isin(found.places.index).all()
    assert (found.total, found.array.pitch_px) == (52, pytest.approx(100, abs=0.5))
    assert "no barcode has this ending" in refusal(outs, subset="-9")


@pytest.mark.parametrize("shift", [41, -300])
def test_positions_of_several_sections_are_divided_too(tmp_path, shift):
    places = pd.concat([positions("-1"), positions("-2", shift)])
    outs = write_joined(tmp_path, "h5", "-1", "-2", places=places)
    found = read(outs, subset="-2")
    own = positions("-2", shift).set_index("barcode")
    assert found.places["y"].tolist() == own["pxl_row_in_fullres"].tolist()
    assert found.spots.tolist() == [f"{bases}-2" for bases in BASES[SECOND]]


def test_positions_of_several_sections_beside_a_matrix_of_one_are_refused(tmp_path):
    places = pd.concat([positions("-1"), positions("-2", 50)])
    outs = write_outs(tmp_path / "outs", COUNTS[:60], [f"{bases}-2" for bases in BASES], places)
    said = refusal(outs)
    assert said.startswith(
        f"{outs}/spatial/tissue_positions.csv: 2 sections in one file: 120 spots on 60 places"
    )
    assert len(read(outs, subset="-2").places) == 60


def test_a_part_is_not_read_from_positions_of_other_parts(tmp_path):
    places = pd.concat([positions("-3"), positions("-4", 50)])
    outs = write_joined(tmp_path, "h5", "-1", "-2", places=places)
    said = refusal(outs, subset="-2")
    assert (
        "tissue_positions.csv: subset is -2, and no barcode has this ending (there are -3: 60 spots" in said
    )


def test_bins_are_read_as_before_and_those_of_two_runs_are_refused(tmp_path):
    outs = write_bins(tmp_path / "outs", 8)
    names = read(outs).spots.tolist()
    assert read(outs, subset="-1").spots.tolist() == names
    other = [name[:-1] + "2" for name in names]
    folder = outs / "binned_outputs/square_008um"
    places = pd.read_parquet(folder / "spatial/tissue_positions.parquet")
    scale = {"bin_size_um": 8, "microns_per_pixel": 0.25, "spot_diameter_fullres": 32}
    write_outs(folder, np.ones((1200, 3)), names + other, places, factors=scale)
    assert "(-1: 600 spots, -2: 600 spots)" in refusal(outs)
    assert read(outs, subset="-2").spots.tolist() == names


def table(**labels: object) -> anndata.AnnData:
    """Both sections in one table, over each other."""
    obs = pd.concat([positions("-1").iloc[FIRST], positions("-1", 30).iloc[SECOND]], ignore_index=True)
    obs.index = pd.Index(joined(*labels.pop("endings", ("-1", "-1")))[1])
    adata = anndata.AnnData(
        COUNTS[:107].astype(np.float32), obs=obs[["array_row", "array_col"]].assign(**labels)
    )
    adata.obsm["spatial"] = obs[["pxl_col_in_fullres", "pxl_row_in_fullres"]].to_numpy()
    return adata


def write_h5ad(folder: Path, adata: anndata.AnnData) -> Path:
    adata.write_h5ad(folder / "both.h5ad")
    return folder / "both.h5ad"


def write_store(folder: Path, adata: anndata.AnnData) -> Path:
    adata.obs["region"], adata.obs["id"] = pd.Categorical(["spots"] * 107), np.arange(107)
    shapes = ShapesModel.parse(
        adata.obsm["spatial"].astype(float), geometry=0, radius=27.5, transformations={"global": Identity()}
    )
    parsed = TableModel.parse(adata, region="spots", region_key="region", instance_key="id")
    SpatialData(shapes={"spots": shapes}, tables={"table": parsed}).write(folder / "both.zarr")
    return folder / "both.zarr"


IS_SECOND = np.arange(107) >= 55


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("write", [write_h5ad, write_store])
@pytest.mark.parametrize(
    ("labels", "subset", "told"),
    [
        ({"donor": np.where(IS_SECOND, "d2", "d1")}, "donor=d2", "obs['donor'] (d1: 55 spots, d2: 52 spots)"),
        ({"section_id": IS_SECOND + 4}, "section_id=5", "obs['section_id'] (4: 55 spots, 5: 52 spots)"),
        (
            {"endings": ("-1-x", "-1-y")},
            "-1-y",
            "the endings of their barcodes (-1-x: 55 spots, -1-y: 52 spots)",
        ),
    ],
)
def test_a_table_of_two_sections(tmp_path, write, labels, subset, told):
    path = write(tmp_path, table(**labels))
    said = refusal(path)
    assert f"2 sections in one file: 107 spots on 60 places of the array, told apart by {told}" in said
    found = read(path, subset=subset)
    assert (found.counts.toarray() == COUNTS[55:107]).all()
    assert found.spots.tolist() == found.places.index.tolist() == [f"{bases}-1" for bases in BASES[SECOND]]
    assert found.places["x"].tolist() == positions("-1", 30)["pxl_col_in_fullres"][SECOND].tolist()
    assert (found.array.platform, found.total) == ("visium", 52)
    assert "subset is donor=d3, and " in refusal(path, subset="donor=d3")
