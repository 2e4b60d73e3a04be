import re
import subprocess
import sys

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from ressat.base.errors import InputError
from ressat.counts.expression import log1p_cp10k
from ressat.model.gene_list import read_gene_list
from ressat.model.panel import select_genes

METHODS = "hvg", "highest", "svg"
GENES = [f"g{i:02d}" for i in range(60)]
SMOOTH, NOISY, RARE = "g03", "g04", "g05"


def section(seed: int, side: int = 9, genes: list[str] = GENES) -> anndata.AnnData:
    """Counts on a grid: one gene rises from left to right, one is as variable without any order."""
    rng = np.random.default_rng(seed)
    x, y = (values.ravel() for values in np.meshgrid(np.arange(side), np.arange(side)))
    means = np.tile(np.geomspace(0.3, 60, len(GENES))[rng.permutation(len(GENES))], (side * side, 1))
    gradient = 2 + 40 * x / side
    means[:, GENES.index(SMOOTH)] = gradient
    means[:, GENES.index(NOISY)] = rng.permutation(gradient)
    means[:, GENES.index(RARE)] = 0
    counts = rng.poisson(means)
    counts[0, GENES.index(RARE)] = 500
    adata = anndata.AnnData(
        sparse.csr_matrix(counts[:, [GENES.index(gene) for gene in genes]], dtype=np.float32),
        obs=pd.DataFrame(index=[f"s{i}" for i in range(side * side)]),
        var=pd.DataFrame(index=genes),
    )
    adata.obsm["spatial"] = np.stack([x * 100.0, y * 100.0], -1)
    return adata


@pytest.fixture(scope="module")
def sections():
    return {"A1": section(1), "B1": section(2, side=7), "C1": section(3)}


def logs(adata: anndata.AnnData) -> pd.DataFrame:
    return pd.DataFrame(log1p_cp10k(adata.X).toarray(), columns=adata.var_names)


@pytest.mark.parametrize("method", METHODS)
def test_the_panel_depends_neither_on_the_order_of_genes_nor_of_sections(sections, method):
    panel = select_genes(sections, method, 20)
    rng = np.random.default_rng(0)
    shuffled = {name: sections[name][:, rng.permutation(GENES)].copy() for name in ("C1", "A1", "B1")}
    pd.testing.assert_frame_equal(select_genes(shuffled, method, 20), panel, check_exact=False, rtol=1e-12)
    pd.testing.assert_frame_equal(select_genes(sections, method, 20), panel)


@pytest.mark.parametrize("method", METHODS)
def test_genes_that_are_equally_good_are_taken_by_name(sections, method):
    twins = section(1)
    counts = twins.X.toarray()
    counts[:, GENES.index("g59")] = counts[:, GENES.index("g58")] = counts[:, GENES.index(SMOOTH)]
    twins.X = sparse.csr_matrix(counts)
    panels = [select_genes({"A1": twins[:, order].copy()}, method, 60) for order in (GENES, GENES[::-1])]
    for panel in panels:
        places = panel.index[panel["gene"].isin([SMOOTH, "g58", "g59"])]
        assert panel["gene"][places].tolist() == [SMOOTH, "g58", "g59"]
        assert np.ptp(places) == 2


@pytest.mark.parametrize("method", METHODS)
def test_the_panel_is_as_long_as_asked_for_best_first_and_each_gene_once(sections, method):
    panel = select_genes(sections, method, 12)
    assert list(panel.columns) == [
        "gene", "score", "mean", "method", "hvg_rank", "heg_rank", "svg_rank", "sections",
    ]  # fmt: skip
    assert len(panel) == panel["gene"].nunique() == 12
    assert panel["score"].is_monotonic_decreasing
    assert panel["score"].notna().all()
    assert set(panel["method"]) == {method}
    longest = select_genes(sections, method, 10_000)
    assert 12 < len(longest) < len(GENES)
    chosen = ["gene", "score", "mean"]
    pd.testing.assert_frame_equal(longest.head(12)[chosen], panel[chosen])


@pytest.mark.parametrize("method", METHODS)
def test_the_panel_carries_the_places_of_its_genes_by_every_method(sections, method):
    panel = select_genes(sections, method, 12)
    own = {"hvg": "hvg_rank", "highest": "heg_rank", "svg": "svg_rank"}[method]
    assert panel[own].tolist() == list(range(1, 13))
    for ranks in ("hvg_rank", "heg_rank", "svg_rank"):
        places = panel[ranks].dropna()
        assert sorted(places) == list(range(1, len(places) + 1))
    by_mean = select_genes(sections, "highest", len(GENES)).set_index("gene")["score"]
    expected = by_mean[panel["gene"]].rank(ascending=False).tolist()
    assert panel["heg_rank"].tolist() == expected


def test_the_panel_says_from_which_sections_it_was_chosen(sections):
    assert set(select_genes(sections, "highest", 5)["sections"]) == {"A1,B1,C1"}


@pytest.mark.parametrize("method", METHODS)
def test_a_gene_of_single_spots_is_not_worth_a_place(sections, method):
    assert RARE not in set(select_genes(sections, method, len(GENES))["gene"])


def test_the_mean_is_that_of_all_training_spots(sections):
    panel = select_genes(sections, "highest", 12).set_index("gene")
    spots = pd.concat([logs(adata) for adata in sections.values()])
    np.testing.assert_allclose(panel["mean"], spots[panel.index].mean(), rtol=1e-10)


def test_highest_is_the_mean_over_sections_of_their_means(sections):
    panel = select_genes(sections, "highest", 12).set_index("gene")
    means = pd.DataFrame({name: logs(adata).mean() for name, adata in sections.items()}).mean(axis=1)
    expected = means.drop(RARE).sort_values(ascending=False).head(12)
    assert list(panel.index) == list(expected.index)
    np.testing.assert_allclose(panel["score"], expected, rtol=1e-10)


def normalised_before_the_cut(adata: anndata.AnnData) -> anndata.AnnData:
    """Log values, normalised over all genes, without the gene that is too rare for the panel."""
    return anndata.AnnData(log1p_cp10k(adata.X), obs=adata.obs, var=adata.var)[
        :, [g for g in GENES if g != RARE]
    ]


@pytest.mark.parametrize("names", [["A1"], ["A1", "B1"], ["A1", "B1", "C1"]])
def test_hvg_gives_every_gene_its_own_score(sections, names):
    import scanpy as sc

    scores = []
    for name in names:
        part = normalised_before_the_cut(sections[name]).copy()
        table = sc.pp.highly_variable_genes(part, flavor="seurat", n_top_genes=10, inplace=False)
        scores.append(pd.Series(table["dispersions_norm"].to_numpy(), index=part.var_names))
    expected = pd.concat(scores, axis=1).mean(axis=1)
    panel = select_genes({name: sections[name] for name in names}, "hvg", len(GENES)).set_index("gene")
    assert set(panel.index) == set(expected.index)
    np.testing.assert_allclose(panel["score"], expected[panel.index], rtol=1e-6)


@pytest.mark.parametrize("names", [["A1"], ["A1", "B1", "C1"]])
def test_svg_ranks_a_gradient_above_noise(sections, names):
    panel = select_genes({name: sections[name] for name in names}, "svg", len(GENES)).set_index("gene")
    assert panel.index[0] == SMOOTH
    assert panel.loc[SMOOTH, "score"] > 0.5
    assert panel.drop(SMOOTH)["score"].abs().max() < 0.3


def test_svg_is_moran_s_i_over_the_six_nearest_neighbours(sections):
    values = logs(sections["A1"])
    coords = sections["A1"].obsm["spatial"] + np.random.default_rng(0).normal(0, 1, size=(81, 2))
    jittered = sections["A1"].copy()
    jittered.obsm["spatial"] = coords
    distances = np.linalg.norm(coords[:, np.newaxis] - coords, axis=-1)
    weights = np.zeros_like(distances)
    np.put_along_axis(weights, np.argsort(distances, axis=1)[:, 1:7], 1 / 6, axis=1)
    panel = select_genes({"A1": jittered}, "svg", len(GENES)).set_index("gene")
    for gene in (SMOOTH, NOISY, *panel.index[-3:]):
        z = (values[gene] - values[gene].mean()).to_numpy()
        assert panel.loc[gene, "score"] == pytest.approx(z @ weights @ z / (z @ z), rel=1e-6)


def test_svg_leaves_out_genes_that_hardly_any_spot_of_a_section_shows(sections):
    sparse_section = sections["B1"].copy()
    counts = sparse_section.X.toarray()
    counts[4:, GENES.index(SMOOTH)] = 0  # 4 of 49 spots
    sparse_section.X = sparse.csr_matrix(counts)
    changed = {**sections, "B1": sparse_section}
    assert SMOOTH not in set(select_genes(changed, "svg", len(GENES))["gene"])


def test_a_list_keeps_its_order_and_names_each_gene_once(sections):
    panel = select_genes(sections, "list", 2, ["g40", RARE, "g01", "g40"])
    assert panel["gene"].tolist() == ["g40", RARE, "g01"]
    assert (panel["score"] == panel["mean"]).all()


def test_a_listed_gene_that_a_training_section_lacks_is_refused(sections):
    changed = {**sections, "B1": section(2, genes=[gene for gene in GENES if gene != "g10"])}
    with pytest.raises(
        InputError, match=re.escape("2 listed genes are not in every training section (g10, TP")
    ):
        select_genes(changed, "list", 2, ["g01", "g10", "TP53"])


@pytest.mark.parametrize("method", METHODS)
def test_only_genes_that_every_section_has_are_candidates(sections, method):
    fewer = [gene for gene in reversed(GENES) if gene not in ("g10", SMOOTH)]
    panel = select_genes({"A1": sections["A1"], "B1": section(2, genes=fewer)}, method, len(GENES))
    assert not {"g10", SMOOTH} & set(panel["gene"])
    assert len(panel) > 20


def test_sections_without_a_gene_in_common_are_named(sections):
    other = section(2)
    other.var_names = [f"ENSG{i}" for i in range(60)]
    with pytest.raises(InputError) as caught:
        select_genes({"C1": other, "A1": sections["A1"], "B1": sections["B1"]}, "hvg", 10)
    assert str(caught.value).startswith(
        "section C1: it has no gene name in common with A1 and B1 (ENSG0 here, g00 in A1); expected"
    )


@pytest.mark.parametrize("method", METHODS)
def test_normalisation_is_over_all_genes_and_not_over_the_common_ones(sections, method):
    # A gene of one section alone takes most of its counts: what is left of the others per 10,000 is less.
    crowded = sections["B1"].copy()
    extra = sparse.csr_matrix(np.full((crowded.n_obs, 1), 20_000.0, dtype=np.float32))
    crowded = anndata.AnnData(
        sparse.hstack([crowded.X, extra]).tocsr(),
        obs=crowded.obs,
        var=pd.DataFrame(index=[*GENES, "other"]),
        obsm={"spatial": crowded.obsm["spatial"]},
    )
    panel = select_genes({"A1": sections["A1"], "B1": crowded}, method, len(GENES)).set_index("gene")
    spots = pd.concat([logs(sections["A1"]), logs(crowded)[GENES]])
    np.testing.assert_allclose(panel["mean"], spots[panel.index].mean(), rtol=1e-10)
    before = {name: sections[name] for name in ("A1", "B1")}
    assert (panel["mean"] < select_genes(before, "list", 1, list(panel.index))["mean"].to_numpy()).all()


@pytest.mark.parametrize("method", METHODS)
def test_no_gene_that_qualifies_is_an_error_about_the_sections(method):
    counts = sparse.csr_matrix(np.tile(np.eye(60, dtype=np.float32), (2, 1)))  # each gene in 2 of 120 spots
    part = anndata.AnnData(counts, var=pd.DataFrame(index=GENES))
    part.obsm["spatial"] = np.random.default_rng(1).uniform(0, 5000, size=(120, 2))
    sections = {name: part.copy() for name in ("A1", "B1", "C1")}
    with pytest.raises(
        InputError, match=f"no gene of sections A1, B1, C1 qualifies for the panel by {method}"
    ):
        select_genes(sections, method, 10)


@pytest.mark.filterwarnings("ignore:`n_top_genes`")
@pytest.mark.parametrize("method", METHODS)
def test_a_handful_of_spots_is_enough(method):
    tiny = {"A1": section(1, side=2), "B1": section(2, side=2)}
    assert len(select_genes(tiny, method, 5)) == 5


def test_squidpy_says_nothing_on_the_terminal(repository):
    code = (
        "import sys; sys.path.insert(0, '../tests/unit/model'); from test_panel import section, select_genes;"
        "select_genes({'A1': section(1, side=4)}, 'svg', 3)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=repository / "workflow_scripts", capture_output=True, text=True
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_a_gene_list_has_one_gene_per_line(tmp_path):
    path = tmp_path / "genes.txt"
    path.write_bytes("\ufeffTP53\r\n\r\n  # markers\r\nACTB # structural\r\n HLA-A \r\n".encode())
    assert read_gene_list(path) == ["TP53", "ACTB", "HLA-A"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('"TP53"\n"HLA-A" # quotes of R\n', ["TP53", "HLA-A"]),
        ("dl\u200b\nDl\u00a0\n\u200b\n", ["dl", "Dl"]),
        ('\uff34\uff30\uff15\uff13\n"ENSG00000141510.18"', ["TP53", "ENSG00000141510"]),
    ],
)
def test_quotes_and_the_form_of_a_listed_name_are_no_part_of_it(tmp_path, text, names):
    (tmp_path / "genes.txt").write_text(text, encoding="utf-8")
    assert read_gene_list(tmp_path / "genes.txt") == names


def test_a_gene_list_that_cannot_be_used_is_refused(tmp_path):
    path = tmp_path / "genes.txt"
    path.write_text("# none\n\n")
    with pytest.raises(InputError, match=r"genes.txt: no gene; expected one gene name per line"):
        read_gene_list(path)
    path.write_bytes("TP53\n".encode("utf-16"))
    with pytest.raises(InputError, match="it cannot be read as a gene list"):
        read_gene_list(path)
    with pytest.raises(InputError, match="it cannot be read as a gene list"):
        read_gene_list(tmp_path / "none.txt")
