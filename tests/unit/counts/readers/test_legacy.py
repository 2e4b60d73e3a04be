import pandas as pd
import pytest

from ressat.base.errors import InputError, about
from ressat.counts.readers.legacy import read_legacy
from ressat.counts.spot_counts import SpotArray, SpotCounts
from ressat.counts.usable_spots import check_values, under_tissue

COUNTS = "\tA\tB\tA\n1x2\t1\t0\t2\n2x2\t0\t0\t0\n1x3\t3\t1\t0\n9x9\t1\t1\t1\n2x3\t1\t1\t1\n"
SPOTS = (
    "x\ty\tpixel_x\tpixel_y\tselected\n"
    "2\t2\t1200\t300\t1\n1\t3\t1000\t500\t1\n1\t2\t1000\t300\t1\n2\t3\t1200\t500\t0\n3\t3\t1400\t500\t1\n"
)


def usable(counts: SpotCounts) -> SpotCounts:
    """Check counts, and keep what is of use of them, however few."""
    check_values(counts)
    return under_tissue(counts)


@pytest.fixture
def legacy(tmp_path):
    def legacy(counts: str = COUNTS, spots: str = SPOTS) -> SpotCounts:
        (tmp_path / "counts.tsv").write_text(counts)
        (tmp_path / "spots.tsv").write_text(spots)
        return usable(read_legacy(str(tmp_path / "counts.tsv"), str(tmp_path / "spots.tsv")))

    return legacy


def test_spots_that_are_selected_with_their_counts_and_places(legacy):
    found = legacy()
    assert list(found.spots) == ["1x2", "1x3"]
    assert found.counts.toarray().tolist() == [[1, 0, 2], [3, 1, 0]]
    assert found.places.loc[found.spots].to_numpy().tolist() == [[1, 2, 1, 1000, 300], [1, 3, 1, 1000, 500]]
    assert found.genes.to_dict("list") == {
        "name": ["A", "B", "A"],
        "symbol": ["A", "B", "A"],
        "ensembl": [None, None, None],
    }
    assert found.total == 5
    assert found.left_out == {"without position": 1, "outside tissue": 1, "zero counts": 1}
    # Arrays of 200 um and of 150 um cannot be told apart.
    assert found.array == SpotArray("legacy", 200, 100, pitch_um=None)


def test_genes_named_by_ensembl_ids_carry_them(legacy):
    found = legacy(COUNTS.replace("\tA\tB\tA", "\tENSG00000141736.2\tENSMUSG00000064339\tActb", 1))
    assert found.genes["ensembl"].tolist() == ["ENSG00000141736.2", "ENSMUSG00000064339", None]
    assert found.genes["symbol"].tolist() == [None, None, "Actb"]


@pytest.mark.parametrize(
    ("counts", "spots", "said"),
    [
        (COUNTS, SPOTS.replace("\n1\t", "\n7\t").replace("\n2\t", "\n8\t"), "none of its 5 spots"),
        (COUNTS.replace("1x2\t1", "1x2\t"), SPOTS, "'' in row 1x2, column A"),
        (COUNTS.replace("1x2\t1", "1x2\t0.25"), SPOTS, "a count of 0.25 (spot 1x2, gene A)"),
        (COUNTS.replace("1x2\t1", "1x2\t-3"), SPOTS, "a count of -3 (spot 1x2, gene A)"),
        (COUNTS, SPOTS.replace("\t1\n", "\t0\n"), "none of its 5 spots lies under tissue"),
    ],
)
def test_wrong_tables_are_refused(legacy, counts, spots, said):
    with pytest.raises(InputError) as caught, about(section="S1"):
        legacy(counts, spots)
    assert said in str(caught.value)
    assert caught.value.section == "S1"


def test_a_real_section(shared):
    folder = shared / "data/her2st"
    counts, spots = folder / "counts/C2.tsv.gz", folder / "spots/C2_selection.tsv"
    found = usable(read_legacy(str(counts), str(spots)))
    table = pd.read_csv(counts, sep="\t", index_col=0)
    assert found.counts.shape == table.shape == (187, 15706)
    assert (found.counts.toarray() == table.to_numpy()).all()
    assert list(found.genes["name"]) == list(table.columns)
    places = pd.read_csv(spots, sep="\t").set_index(["x", "y"])
    for name, place in found.places.loc[found.spots, ["x", "y"]].iterrows():
        x, y = map(int, name.split("x"))
        assert place.tolist() == places.loc[(x, y), ["pixel_x", "pixel_y"]].tolist()
    # data/README.md: 200 um are 272 px there, and a spot is 136 px wide.
    assert found.array.pitch_px == pytest.approx(272, abs=1)
    assert found.array.spot_px == pytest.approx(136, abs=0.5)


def test_a_real_section_of_the_finer_array(shared):
    folder = shared / "data/mob"
    table = folder / "alignment_table_MOB1.tsv"
    found = usable(read_legacy(str(folder / "MOB1.tsv.gz"), str(table)))
    spots = pd.read_csv(table, sep="\t")
    assert found.counts.shape == (int((spots["selected"] == 1).sum()), 1000) == (379, 1000)
    assert (found.total, found.left_out["outside tissue"]) == (1934, 1544)
    assert found.array.pitch_px == pytest.approx(31.7, abs=0.1)
    assert found.genes["ensembl"][0] == "ENSMUSG00000064339.1"
