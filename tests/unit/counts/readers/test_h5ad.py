from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from ressat.base.errors import InputError, about
from ressat.counts.gene_names import study_genes
from ressat.counts.readers.h5ad import read_h5ad
from ressat.counts.spot_counts import SpotArray
from ressat.counts.usable_spots import under_tissue, usable_spots

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(RNG.gamma(0.4, 4, size=80) * RNG.gamma(4, 0.25, size=(40, 1))).astype(np.float32)
FACTORS = {"spot_diameter_fullres": 65.0, "tissue_hires_scalef": 0.1, "tissue_lowres_scalef": 0.03}


def visium() -> tuple[list[str], pd.DataFrame, np.ndarray]:
    """Names, array positions and places of 40 spots of an array of 100 px pitch."""
    row, place = np.indices((5, 8)).reshape(2, -1)
    column = 2 * place + row % 2
    letters = ["".join("ACGT"[number // 4**digit % 4] for digit in range(16)) for number in range(40)]
    obs = pd.DataFrame({"array_row": row, "array_col": column})
    return [f"{name}-1" for name in letters], obs, np.stack([column * 50, row * 50 * np.sqrt(3)], -1) + 500.0


@pytest.fixture
def write(tmp_path):
    def write(counts: object = COUNTS, **more: object) -> str:
        names, obs, places = visium()
        obs = more.get("obs", obs)
        obs.index = pd.Index(more.get("names", names))
        genes = pd.DataFrame(more.get("var", {}), index=more.get("genes", [f"G{i}" for i in range(80)]))
        adata = anndata.AnnData(counts, obs=obs, var=genes)
        if more.get("spatial", 1) is not None:
            adata.obsm["spatial"] = more.get("spatial", places)
        for name, layer in more.get("layers", {}).items():
            adata.layers[name] = layer
        adata.uns.update(more.get("uns", {}))
        if "raw" in more:
            adata.raw = anndata.AnnData(more["raw"], var=pd.DataFrame(index=[f"R{i}" for i in range(80)]))
        adata.write_h5ad(tmp_path / "s.h5ad")
        return str(tmp_path / "s.h5ad")

    return write


def refusal(file: str, layer: str | None = None) -> InputError:
    with pytest.raises(InputError) as caught, about(section="S1"):
        usable_spots(read_h5ad(file, layer))
    assert (caught.value.section, caught.value.file) == ("S1", file)
    assert caught.value.action
    return caught.value


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.csc_matrix, lambda x: x.astype(int)])
def test_counts_and_places(write, kind):
    file = write(kind(COUNTS))
    found = read_h5ad(file)
    names, obs, places = visium()
    assert (found.file, list(found.spots), found.total) == (file, names, 40)
    assert (found.counts.toarray() == COUNTS).all()
    assert (found.counts.format, found.counts.dtype) == ("csr", np.float32)
    assert (found.places[["x", "y"]].to_numpy() == places).all()
    assert (found.places[["array_row", "array_col"]].to_numpy() == obs[["array_row", "array_col"]]).all(
        axis=None
    )
    assert found.genes["name"].tolist() == found.genes["symbol"].tolist() == [f"G{i}" for i in range(80)]
    assert found.genes["ensembl"].tolist() == [None] * 80


def test_places_may_be_a_table_or_have_a_depth(write):
    table = pd.DataFrame({"x": np.arange(40) * 9, "y": np.arange(40) * 7}, index=visium()[0])
    assert read_h5ad(write(spatial=table)).places[["x", "y"]].to_numpy().tolist() == table.to_numpy().tolist()
    deep = np.arange(120).reshape(40, 3)
    assert read_h5ad(write(spatial=deep)).places[["x", "y"]].to_numpy().tolist() == deep[:, :2].tolist()


def test_counts_in_a_layer(write):
    file = write(np.log1p(COUNTS), layers={"counts": COUNTS})
    assert (read_h5ad(file, "counts").counts.toarray() == COUNTS).all()
    said = refusal(file, "count")
    assert "no layer count (layers: counts)" in str(said)


def test_counts_in_raw_come_with_its_genes(write):
    file = write(np.log1p(COUNTS), raw=COUNTS)
    assert refusal(file).action == "set the column layer to raw: adata.raw holds whole numbers"
    found = read_h5ad(file, "raw")
    assert (found.counts.toarray() == COUNTS).all()
    assert found.genes["name"][0] == "R0"


CP10K = COUNTS / COUNTS.sum(axis=1, keepdims=True) * 1e4
SOME_GENES = np.where(np.arange(80) % 3 > 0, CP10K, 0)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.log1p(CP10K), "in X, which looks like log1p-normalised counts (CP10k)"),
        (np.log1p(SOME_GENES), "in X, which looks like log1p-normalised counts; expected"),
        (np.log1p(COUNTS), "in X, which looks like log1p-normalised counts; expected"),
        (np.log1p(CP10K * 100), "log1p-normalised counts (1e+06 per spot)"),
        (np.log2(CP10K + 1), "log2(x + 1)-normalised counts (CP10k)"),
        (CP10K, "counts normalised per spot (CP10k)"),
        (SOME_GENES, "counts normalised per spot; expected"),
        (CP10K - CP10K.mean(axis=0), "z-scores or otherwise centred values: some are negative"),
        (np.sqrt(COUNTS), "which looks like normalised values"),
    ],
)
def test_normalised_values_are_refused_with_what_they_are_and_where_counts_are(write, values, said):
    values = values.astype(np.float32)
    error = refusal(write(values))
    assert "a count of " in str(error)
    assert said in str(error)
    assert error.action == "give raw counts, not normalised values"
    file = write(values, layers={"scaled": values, "counts": COUNTS})
    assert refusal(file).action == "set the column layer to counts: layer counts holds whole numbers"


def test_a_normalised_layer_beside_counts_in_X_is_refused_with_that(write):
    error = refusal(write(layers={"log": np.log1p(CP10K)}), "log")
    assert "in log, which looks like log1p-normalised counts" in str(error)
    assert error.action == "leave the column layer empty: X holds whole numbers"


def test_true_and_false_are_no_counts(write):
    error = refusal(write(COUNTS > 0, layers={"counts": COUNTS}))
    assert "X holds true and false; expected raw counts" in str(error)
    assert "set the column layer to counts" in error.action


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300, -1])
def test_what_is_no_count_is_refused_with_its_place(write, value):
    counts = COUNTS.astype(float)
    counts[2, 1] = value
    assert f"(spot {visium()[0][2]}, gene G1)" in str(refusal(write(counts)))


IDS = [f"ENSG{i:011d}" for i in range(80)]


@pytest.mark.parametrize("column", ["gene_ids", "gene_id", "ensembl_id", "feature_id"])
@pytest.mark.parametrize("kind", [list, pd.Categorical])
def test_ids_beside_symbols_are_found(write, column, kind):
    genes = read_h5ad(write(var={column: kind(IDS)})).genes
    assert (genes["ensembl"].tolist(), genes["symbol"][3], genes["name"][3]) == (IDS, "G3", "G3")


@pytest.mark.parametrize(("column", "genes"), [("name", "G{}"), ("symbol", "T{}"), ("id", "ENSG{:011d}")])
def test_a_column_of_row_numbers_holds_no_names(write, column, genes):
    names = [genes.format(number) for number in range(80)]
    read = read_h5ad(write(genes=names, var={column: [str(number) for number in range(80)]})).genes
    kind = "ensembl" if column == "id" else "symbol"
    assert list(read["name"]) == list(read[kind]) == names


@pytest.mark.parametrize("column", ["gene_symbols", "gene_symbol", "gene_name", "feature_name", "symbol"])
def test_symbols_beside_ids_are_found(write, column):
    genes = read_h5ad(write(genes=IDS, var={column: [f"T{i}" for i in range(80)]})).genes
    assert genes["ensembl"].tolist() == genes["name"].tolist() == IDS
    assert genes["symbol"].tolist() == [f"T{i}" for i in range(80)]


def test_ids_alone_are_no_symbols_and_a_missing_symbol_is_none(write):
    assert read_h5ad(write(genes=IDS)).genes["symbol"].tolist() == [None] * 80
    genes = read_h5ad(write(genes=IDS, var={"symbol": [None, *(f"T{i}" for i in range(1, 80))]})).genes
    assert genes["symbol"].tolist()[:2] == [None, "T1"]


@pytest.mark.parametrize("said", [[0, 1], [False, True], ["0", "1"], [0.0, 1.0], ["False", "True"]])
def test_spots_outside_tissue_are_counted(write, said):
    _, obs, _ = visium()
    found = under_tissue(read_h5ad(write(obs=obs.assign(in_tissue=pd.Series(said * 20)))))
    assert found.left_out["outside tissue"] == 20
    assert "maybe as in_tissue of spot" in str(refusal(write(obs=obs.assign(in_tissue="maybe"))))


def test_visium_is_known_by_its_barcodes_and_its_lattice(write):
    uns = {"spatial": {"lib": {"scalefactors": FACTORS}}}
    assert read_h5ad(write(uns=uns)).array == SpotArray(
        "visium", pytest.approx(100), 65, 100, 65, None, 0.1, 0.03
    )
    unknown = SpotArray("unknown", pytest.approx(100), 65, None, None, None, 0.1, 0.03)
    _, obs, _ = visium()
    for changed in (
        {"obs": obs[[]]},
        {"obs": obs.assign(array_col=1)},
        {"names": [f"s{i}" for i in range(40)]},
    ):
        assert read_h5ad(write(uns=uns, **changed)).array == unknown


def test_bins_of_visium_hd_are_known_by_their_barcodes(write):
    row, column = np.indices((5, 8)).reshape(2, -1)
    factors = {"spot_diameter_fullres": 32, "microns_per_pixel": 0.5}
    found = read_h5ad(
        write(
            obs=pd.DataFrame({"array_row": row, "array_col": column}),
            names=[f"s_016um_{r:05d}_{c:05d}-1" for r, c in zip(row, column, strict=True)],
            spatial=np.stack([column, row], -1) * 32.0,
            uns={"spatial": {"lib": {"scalefactors": factors}}},
        )
    )
    assert found.array == SpotArray("visium_hd", pytest.approx(32), 32, 16, 16, 0.5)


def test_scale_factors_of_several_libraries_are_not_guessed_at(write):
    uns = {"spatial": {name: {"scalefactors": FACTORS} for name in ("a", "b")}}
    assert read_h5ad(write(uns=uns)).array == SpotArray("visium", pytest.approx(100), pytest.approx(50), 100)
    _, obs, _ = visium()
    assert read_h5ad(write(uns=uns, obs=obs.assign(library_id="a"))).array.spot_px == 65
    error = refusal(write(uns=uns, obs=obs.assign(library_id=["a", "b"] * 20)))
    assert "2 sections in one file, told apart by obs['library_id'] (a: 20 spots, b: 20 spots)" in str(error)
    assert error.action.endswith("in the sheet's column subset, such as library_id=a")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"spatial": None}, "no obsm['spatial'] of two numbers per spot"),
        ({"spatial": np.ones((40, 1))}, "no obsm['spatial'] of two numbers per spot"),
        ({"spatial": np.full((40, 2), np.nan)}, "no obsm['spatial'] of two numbers per spot"),
        ({"spatial": np.array([["a", "b"]] * 40)}, "no obsm['spatial'] of two numbers per spot"),
        ({"spatial": np.zeros((40, 2))}, "neighbouring spots are 0 px apart; expected each spot"),
        ({"counts": None}, "no counts in X"),
        ({"counts": COUNTS * 0}, "no spot with counts among 40"),
        ({"names": ["a", "b", "b", *map(str, range(37))]}, "1 spot names occur more than once"),
    ],
)
@pytest.mark.filterwarnings("ignore:Observation names are not unique")
def test_a_wrong_file_is_refused(write, content, said):
    given = {"genes": [f"G{i}" for i in range(80)]} | content
    assert said in str(refusal(write(**given)))


@pytest.mark.parametrize("key", ["X_spatial", "spatial_fullres"])
def test_places_in_another_key_of_obsm_are_named(write, key):
    file = write(spatial=None)
    adata = anndata.read_h5ad(file)
    adata.obsm[key] = visium()[2]
    adata.write_h5ad(file)
    error = refusal(file)
    assert f"no obsm['spatial'] of two numbers per spot, but obsm has {key}; expected" in str(error)
    assert error.action.startswith("copy them there")


@pytest.mark.parametrize("pair", [("imagecol", "imagerow"), ("pxl_col_in_fullres", "pxl_row_in_fullres")])
def test_places_in_obs_are_named(write, pair):
    obs = pd.DataFrame(visium()[2], columns=list(pair))
    assert f", but obs has {pair[0]} and {pair[1]}; expected" in str(refusal(write(obs=obs, spatial=None)))


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix])
def test_places_in_a_sparse_matrix_are_named(write, kind):
    assert ", but a sparse matrix, which must be a dense one" in str(
        refusal(write(spatial=kind(visium()[2])))
    )


@pytest.mark.parametrize("damage", [b"", b"text", None])
def test_a_damaged_file_is_refused(write, damage):
    file = Path(write())
    file.write_bytes(file.read_bytes()[:-2000] if damage is None else damage)
    assert "it cannot be read as AnnData" in str(refusal(str(file)))


@pytest.mark.parametrize("lost", [[0], [3, 17, 39]])
@pytest.mark.parametrize("where", ["place", "in_tissue", "both"])
def test_spots_whose_place_was_lost_are_without_position(write, where, lost):
    names, obs, places = visium()
    obs = obs.assign(in_tissue=1.0)
    if where != "in_tissue":
        places[lost] = np.nan
    if where != "place":
        obs.loc[lost] = np.nan
    found = read_h5ad(write(obs=obs, spatial=places, uns={"spatial": {"lib": {"scalefactors": FACTORS}}}))
    assert (list(found.spots), found.total) == (names, 40)
    assert list(found.places.index) == [name for at, name in enumerate(names) if at not in lost]
    assert found.array == SpotArray("visium", pytest.approx(100), 65, 100, 65, None, 0.1, 0.03)
    assert under_tissue(found).left_out["without position"] == len(lost)
    usable_spots(found)


def test_most_spots_without_a_place_and_an_empty_in_tissue_are_refused(write):
    _, obs, places = visium()
    places[:11] = np.inf
    assert "11 of its 40 spots with counts have no position" in str(refusal(write(spatial=places)))
    assert "obs['in_tissue'] is empty for all" in str(refusal(write(obs=obs.assign(in_tissue=np.nan))))


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        ("indptr", lambda values: np.where(np.arange(len(values)) == 9, 0, values)),
        ("indices", lambda values: np.where(np.arange(len(values)) % 50 == 7, 70_000, values)),
        ("indices", lambda values: np.where(np.arange(len(values)) % 50 == 7, -5, values)),
        ("data", lambda values: values[:-100]),
    ],
)
@pytest.mark.parametrize("matrix", ["X", "layers/counts", "raw/X"])
def test_a_sparse_matrix_that_contradicts_itself_is_refused(write, matrix, part, changed):
    counts = sparse.csr_matrix(COUNTS)
    file = write(counts, layers={"counts": counts}, raw=counts)
    with h5py.File(file, "a") as content:
        values = changed(content[f"{matrix}/{part}"][()])
        del content[f"{matrix}/{part}"]
        content[f"{matrix}/{part}"] = values
    layer = {"X": None, "layers/counts": "counts", "raw/X": "raw"}[matrix]
    assert f"{layer or 'X'} is damaged: " in str(refusal(file, layer))


NUMBERS = [str(i) for i in range(80)]


@pytest.mark.parametrize(
    ("genes", "column"),
    [(NUMBERS, "features"), ([str(i + 1) for i in range(80)], "Name of it"), (NUMBERS[::-1], "Geneid")],
)
def test_row_numbers_as_names_are_refused_with_the_column_of_names(write, genes, column):
    file = write(genes=genes, var={"chromosome": ["1"] * 80, column: [f"T{i}" for i in range(80)]})
    counts = read_h5ad(file)
    with pytest.raises(InputError, match="which are row numbers, not names; expected names") as caught:
        study_genes(counts.genes, "symbol", counts.names_in)
    assert f"make var['{column}'] (T0, T1, T2 ...) the names of the genes" in str(caught.value)


def test_row_numbers_beside_names_in_a_usual_column_are_no_matter(write):
    counts = read_h5ad(write(genes=NUMBERS, var={"gene_name": [f"T{i}" for i in range(80)]}))
    assert list(study_genes(counts.genes, "symbol", counts.names_in).names[:2]) == ["T0", "T1"]


@pytest.fixture
def write_raw(tmp_path):
    """Write counts in raw, with genes of its own, beside normalised values of some genes in another order."""

    def write(genes: list[str], var: pd.DataFrame, raw_var: pd.DataFrame | None = None) -> str:
        names, obs, places = visium()
        obs.index = pd.Index(names)
        raw_var = pd.DataFrame(index=genes) if raw_var is None else raw_var
        adata = anndata.AnnData(np.log1p(COUNTS[:, : len(var)]), obs=obs, var=var)
        adata.obsm["spatial"] = places
        adata.raw = anndata.AnnData(COUNTS, obs=obs, var=raw_var)
        adata.write_h5ad(tmp_path / "raw.h5ad")
        return str(tmp_path / "raw.h5ad")

    return write


@pytest.mark.parametrize("number", [80, 60])
def test_symbols_of_raw_counts_are_looked_up_by_name(write_raw, number):
    chosen = IDS[::-1][:number]
    var = pd.DataFrame({"gene_symbols": [f"T{gene[-2:]}" for gene in chosen]}, index=chosen)
    genes = read_h5ad(write_raw(IDS, var), "raw").genes
    assert genes["ensembl"].tolist() == genes["name"].tolist() == IDS
    assert genes["symbol"].tolist() == [f"T{i:02d}" if i >= 80 - number else None for i in range(80)]


def test_ids_of_raw_counts_are_looked_up_by_name(write_raw):
    var = pd.DataFrame({"gene_ids": IDS[::-1]}, index=[f"G{i}" for i in range(80)][::-1])
    genes = read_h5ad(write_raw([f"G{i}" for i in range(80)], var), "raw").genes
    assert genes["ensembl"].tolist() == IDS
    assert genes["symbol"].tolist() == [f"G{i}" for i in range(80)]


def test_what_raw_says_of_its_genes_comes_first(write_raw):
    symbols = [f"R{i}" for i in range(80)]
    var = pd.DataFrame({"gene_symbols": [f"T{i}" for i in range(80)]}, index=IDS[::-1])
    file = write_raw(IDS, var, pd.DataFrame({"gene_symbols": symbols}, index=IDS))
    assert read_h5ad(file, "raw").genes["symbol"].tolist() == symbols


@pytest.mark.parametrize("genes", [NUMBERS, [str(i + 1) for i in range(80)]])
def test_row_numbers_of_raw_and_of_var_are_not_looked_up_in_one_another(write_raw, genes):
    var = pd.DataFrame({"gene_name": [f"T{i}" for i in range(40)]}, index=NUMBERS[:40])
    counts = read_h5ad(write_raw(genes, var), "raw")
    with pytest.raises(InputError, match="row numbers, not names") as caught:
        study_genes(counts.genes, "symbol", counts.names_in)
    assert caught.value.action == "write the file again with the names of the genes"


def test_few_genes_of_var_do_not_name_the_genes_of_raw(write_raw):
    flies = [f"FBgn{i:07d}" for i in range(80)]
    var = pd.DataFrame({"gene_symbols": ["dl", "Dl"]}, index=flies[:2])
    assert read_h5ad(write_raw(flies, var), "raw").genes["symbol"].tolist() == flies


@pytest.mark.parametrize("is_single", [True, np.True_, "True"])
def test_a_mark_of_one_section_beside_its_library_is_no_library(write, is_single):
    uns = {"spatial": {"is_single": is_single, "lib": {"scalefactors": FACTORS}}}
    assert read_h5ad(write(uns=uns)).array.hires_scale == 0.1


@pytest.mark.parametrize("is_single", [False, 0, np.array([False])])
def test_a_mark_of_several_sections_is_refused(write, is_single):
    error = refusal(write(uns={"spatial": {"is_single": is_single}}))
    assert "uns['spatial']['is_single'] is False" in str(error)
    assert "file of each section" in error.action


@pytest.mark.parametrize("place", ["var/_index", "obsm/spatial"])
def test_names_and_places_of_another_file_are_refused(write, tmp_path, place):
    file = write()
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.zeros((40, 2))
    with h5py.File(file, "a") as content:
        del content[place]
        content[place] = h5py.ExternalLink("other.h5", "/x")
    assert f"its /{place} is a link to another file ('other.h5')" in str(refusal(file))


def test_trouble_of_the_machine_is_no_damage(write, monkeypatch):
    file = write()
    for error, said in (
        (MemoryError(), "memory ran out"),
        (OSError(5, "Input/output error"), "the disk failed"),
    ):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr(anndata, "read_h5ad", fail)
        assert refusal_of_machine(file).startswith(said)


def refusal_of_machine(file: str) -> str:
    with pytest.raises(InputError) as caught:
        read_h5ad(file)
    return caught.value.problem
