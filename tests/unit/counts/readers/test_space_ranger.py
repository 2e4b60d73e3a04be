import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from count_files import COUNTS, FACTORS, GENES, POSITIONS, source, write_bins, write_mtx, write_outs
from ressat.base.errors import InputError, about
from ressat.counts.reading import read_counts
from ressat.counts.spot_counts import SpotArray, SpotCounts
from ressat.counts.usable_spots import check_values, under_tissue


def read(folder: Path, bin_um: int | None = None) -> SpotCounts:
    """Read a folder as the pipeline does."""
    return read_counts(source(folder, bin_um=bin_um))


def usable(counts: SpotCounts) -> SpotCounts:
    """Check counts, and keep what is of use of them, however few."""
    check_values(counts)
    return under_tissue(counts)


def test_spots_under_tissue_with_their_counts_and_places(tmp_path):
    found = usable(read(write_outs(tmp_path / "outs")))
    assert list(found.spots) == ["AAA-1", "GGG-1"]
    assert found.counts.toarray().tolist() == [[1, 0, 2], [0, 5, 0]]
    assert found.places.loc[found.spots].to_numpy().tolist() == [[1, 0, 0, 1000, 200], [1, 1, 1, 1050, 287]]
    assert list(found.genes["name"]) == GENES
    assert found.left_out == {"without position": 0, "outside tissue": 1, "zero counts": 1}
    assert found.array == SpotArray("visium", pytest.approx(100), 65, 100, 65, None, 0.1, 0.03)
    assert found.file == str(tmp_path / "outs/filtered_feature_bc_matrix.h5")


def test_a_matrix_of_three_files_gives_the_same(tmp_path):
    outs = write_outs(tmp_path / "outs")
    of_h5 = read(outs)
    (outs / "filtered_feature_bc_matrix.h5").unlink()
    write_mtx(outs / "filtered_feature_bc_matrix")
    of_folder = read(outs)
    assert (of_folder.counts != of_h5.counts).nnz == 0
    assert of_folder.genes.equals(of_h5.genes)
    assert of_folder.spots.equals(of_h5.spots)


def test_the_older_positions_give_the_same(tmp_path):
    outs = write_outs(tmp_path / "outs")
    newer = read(outs)
    (outs / "spatial/tissue_positions.csv").unlink()
    POSITIONS.to_csv(outs / "spatial/tissue_positions_list.csv", index=False, header=False)
    assert read(outs).places.equals(newer.places)


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore:(Variable|Observation) names are not unique")
def test_x_and_y_are_those_of_squidpy(tmp_path):
    import squidpy

    outs = write_outs(tmp_path / "outs")
    for name in ("hires", "lowres"):
        Image.new("RGB", (130, 30)).save(outs / f"spatial/tissue_{name}_image.png")
    theirs, ours = squidpy.read.visium(outs), usable(read(outs))
    places = ours.places.loc[ours.spots]
    assert places[["x", "y"]].to_numpy().tolist() == theirs[ours.spots].obsm["spatial"].tolist()
    assert (ours.counts != theirs[ours.spots].X).nnz == 0
    for column in ("array_row", "array_col"):
        assert places[column].tolist() == theirs.obs.loc[ours.spots, column].tolist()


def test_antibodies_are_left_out_and_counted(tmp_path):
    kinds = ["Gene Expression", "Gene Expression", "Antibody Capture"]
    found = read(write_outs(tmp_path / "outs", genes=["A", "B", "CD3"], kinds=kinds))
    assert list(found.genes["name"]) == ["A", "B"]
    assert found.features_left_out == {"Antibody Capture": 1}


def test_bins_of_visium_hd(tmp_path):
    outs = write_bins(tmp_path / "outs", 8, 16)
    found = usable(read(outs, bin_um=16))
    assert found.array == SpotArray("visium_hd", pytest.approx(64), 64, 16, 16, 0.25, 0.1, 0.03)
    assert found.left_out == {"without position": 0, "outside tissue": 20, "zero counts": 0}
    assert found.spots[0] == "s_016um_00000_00001-1"
    place = found.places.loc[found.spots[0]]
    assert place[["x", "y"]].to_list() == pytest.approx([900 + 64 * np.cos(0.01), 500 + 64 * np.sin(0.01)])


def test_bins_of_another_size_than_their_folder_says_are_refused(tmp_path):
    outs = write_bins(tmp_path / "outs", 8)
    factors = outs / "binned_outputs/square_008um/spatial/scalefactors_json.json"
    factors.write_text(json.dumps(FACTORS | {"bin_size_um": 16}))
    with pytest.raises(InputError, match="a bin size of 16 um where the folder says 8"):
        read(outs)
    factors.write_text(json.dumps(FACTORS))
    with pytest.raises(InputError, match="no bin_size_um where the folder says 8 um"):
        read(outs)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"barcodes": ["A-2", "C-2", "G-2", "T-2"]},
            "none of its 4 spots (first: A-2) has a position",
        ),
        ({"barcodes": ["AAA-1", "AAA-1", "GGG-1", "TTT-1"]}, "1 spot names occur more than once"),
        ({"counts": COUNTS * 0}, "no spot with counts among 4"),
        ({"counts": COUNTS - 1}, "a count of -1 (spot AAA-1, gene ACTB)"),
        ({"counts": COUNTS * 0.5}, "a count of 0.5 (spot AAA-1, gene TP53)"),
        ({"positions": POSITIONS.assign(in_tissue=0)}, "none of its 4 spots lies under tissue"),
        (
            {"positions": POSITIONS.assign(pxl_row_in_fullres=1, pxl_col_in_fullres=1)},
            "px apart; expected",
        ),
    ],
)
def test_a_wrong_folder_is_refused(tmp_path, changed, said):
    with pytest.raises(InputError) as caught, about(section="S1"):
        usable(read(write_outs(tmp_path / "outs", **changed)))
    assert str(caught.value).startswith("section S1: ")
    assert said in str(caught.value)
    assert caught.value.action


def test_a_real_section_of_version_1(shared):
    found = usable(read(shared / "data/spaceranger/scanpy_visium_1.0.0"))
    assert found.counts.shape == (100, 100)
    # The array, turned a little, is 137.58 px from spot to spot; 65 um is Space Ranger's spot.
    assert found.array.pitch_px == pytest.approx(137.58, abs=0.01)
    assert found.array.spot_px / found.array.pitch_px == pytest.approx(0.65, abs=0.001)


def test_a_real_section_of_unfiltered_counts(shared):
    found = usable(read(shared / "data/spaceranger/visiumio/10xVisium/section1"))
    assert found.counts.shape == (22, 49)
    assert (found.total, found.left_out["outside tissue"]) == (50, 28)
    # Only 50 positions are in the fixture, far apart; the array tells the pitch all the same.
    assert found.array.pitch_px == pytest.approx(137.6, abs=0.1)
    # 1,50,102,7237,8230 in the file
    assert found.places.loc["AAACAAGTATCTCCCA-1", ["x", "y"]].to_list() == [8230, 7237]


def test_real_bins_of_visium_hd_without_counts(shared):
    found = read(shared / "data/spaceranger/visiumio/binned_outputs", bin_um=2)
    assert (found.array.platform, found.array.pitch_um) == ("visium_hd", 2)
    assert found.array.pitch_px == pytest.approx(2 / found.array.mpp, rel=1e-3)
    with pytest.raises(InputError, match=r"no spot with counts among 10 \(10 with zero counts\)"):
        usable(found)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"array_row": POSITIONS["array_col"], "array_col": POSITIONS["array_row"]},
            "array_row and array_col are in each other's place",
        ),
        (
            {"pxl_col_in_fullres": POSITIONS["pxl_col_in_fullres"].to_numpy()[::-1]},
            "spots are not where array_row and array_col put them",
        ),
    ],
)
def test_array_positions_that_do_not_fit_name_the_file_of_positions(tmp_path, changed, said):
    outs = write_outs(tmp_path / "outs", positions=POSITIONS.assign(**changed))
    with pytest.raises(InputError, match=said) as caught:
        read(outs)
    assert caught.value.file == str(outs / "spatial/tissue_positions.csv")
