"""The figures for papers show what they are given, in a journal's sizes, whatever genes are called."""

import re

import anndata
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PatchCollection
from matplotlib.text import Text
from PIL import Image

from ressat.base.files import UNS
from ressat.base.layers import (
    ATTENDED,
    BASELINE,
    COMBINED,
    DIRECT,
    EXPRESSION_UNIT,
    MODEL,
    OBSERVED,
    OBSERVED_DEPTH,
    ORACLE,
    TUNED_RIDGE,
)
from ressat.encoders.untrained import WATERMARK, is_untrained
from ressat.figures import paper_figures, paper_maps, section_maps
from ressat.figures.paper_encoders import encoders
from ressat.figures.paper_page import ONE_COLUMN, TWO_COLUMNS, journal_style, new_figure, write_figure

UNSEEN, WITHIN = "holdout, unseen patients", "holdout, within-patient replicates"
STRANGE = ["$\\frac{$", "<b>A</b>", "A_B^C", "section", "{{ 7*7 }}", "GENE-Ω", "N" * 80, "nan"]
LAYERS = [(MODEL, layer) for layer in (DIRECT, ATTENDED, COMBINED)]


@pytest.fixture(autouse=True)
def _style():
    with journal_style():
        yield


def scores(sections, genes=STRANGE, protocol=UNSEEN):
    """per_gene of some sections, given with their patients."""
    rng = np.random.default_rng(5)
    tables = []
    for section, patient in sections:
        for model, layer in [*LAYERS, (BASELINE, TUNED_RIDGE)]:
            table = pd.DataFrame({"gene": genes, "model": model, "layer": layer})
            table["pearson"] = rng.uniform(-0.2, 0.8, len(genes))
            table["pearson_depth_free"] = table["pearson"] - 0.1
            table["ceiling"] = np.where(np.arange(len(genes)) % 3, rng.uniform(0.8, 1, len(genes)), np.nan)
            tables.append(table.assign(protocol=protocol, fold="holdout", section=section, patient=patient))
    return pd.concat(tables, ignore_index=True)


def usable(per_gene, names=(), through=()):
    """usable_genes of them, these ones usable, and those only through depth."""
    lead = per_gene[per_gene["layer"] == COMBINED]
    table = lead.groupby(["protocol", "gene"], sort=False)[["pearson", "ceiling"]].mean().reset_index()
    genes, beside = (
        table["gene"],
        lead.dropna(subset=["ceiling"]).groupby(["protocol", "gene"])["pearson"].mean(),
    )
    table = table.join(beside.rename("pearson_with_ceiling"), on=["protocol", "gene"])
    return table.assign(usable=genes.isin(names), only_through_depth=genes.isin(through))


def prediction(section="X1", patient="P1", genes=STRANGE, protocol=UNSEEN, spots=30):
    """Predictions of a section as they are written, its spots on a grid."""
    rng = np.random.default_rng(6)
    observed = rng.gamma(2.0, size=(spots, len(genes))).astype(np.float32)
    adata = anndata.AnnData(0.3 + 0.5 * observed, obs=pd.DataFrame(index=[f"s{i}" for i in range(spots)]))
    adata.var_names = genes
    adata.obs["section"] = pd.Categorical([section] * spots)
    adata.layers[OBSERVED] = observed
    adata.obsm["spatial"] = np.column_stack([np.arange(spots) % 6, np.arange(spots) // 6]) * 150.0 + 200
    adata.uns["spatial"] = {
        section: {
            "images": {"hires": np.full((110, 130, 3), 230, np.uint8)},
            "scalefactors": {"tissue_hires_scalef": 0.1, "spot_diameter_fullres": 110.0},
        }
    }
    adata.uns[UNS] = {
        "headline": COMBINED, "unit": EXPRESSION_UNIT, "fold": "holdout", "section": section,
        "patient": patient, "protocol": protocol, "mpp": 0.5,
    }  # fmt: skip
    return adata


def compared(names=("resnet50", "uni"), protocols=(UNSEEN,)):
    """The comparison of encoders, of two patients."""
    layers = (("ressat", COMBINED), ("baseline", "tuned_ridge"), ("baseline", "tuned_ridge_attended"))
    return pd.DataFrame(
        [
            (protocol, name, *layer, level, patient, 0.1 + 0.2 * place + shift, 0.5)
            for protocol in protocols
            for place, name in enumerate(names)
            for layer in layers
            for level, patient, shift in (("study", "", 0.05), ("patient", "P1", 0.0), ("patient", "P2", 0.1))
        ],
        columns=[
            "protocol", "encoder", "model", "layer", "level", "patient", "mean_pearson", "share_of_ceiling",
        ],
    )  # fmt: skip


def every_figure(per_gene=None, usable_genes=None, predictions=None):
    per_gene = scores([("X1", "P1"), ("X2", "P1"), ("X3", "P2")]) if per_gene is None else per_gene
    usable_genes = usable(per_gene, STRANGE[1:4], STRANGE[4:5]) if usable_genes is None else usable_genes
    return {
        "accuracy": paper_figures.accuracy(per_gene, COMBINED),
        "genes": paper_figures.genes(usable_genes),
        "maps": paper_maps.maps(predictions or [prediction()], per_gene, usable_genes, 6),
        "attention": paper_figures.attention(per_gene),
        "encoders": encoders(compared(protocols=per_gene["protocol"].unique())),
    }


def words(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def written(figure, folder, watermark=None):
    write_figure(figure, folder / "figure.pdf", folder / "figure.png", watermark)
    return (folder / "figure.pdf").read_bytes(), Image.open(folder / "figure.png")


@pytest.mark.parametrize(
    ("name", "width"),
    [*((name, ONE_COLUMN) for name in ("accuracy", "genes", "attention", "encoders")), ("maps", TWO_COLUMNS)],
)
def test_figures_have_the_width_of_journal_columns_and_text_that_can_be_edited(tmp_path, name, width):
    pdf, png = written(every_figure()[name], tmp_path)
    assert pdf.startswith(b"%PDF")
    found_width, found_height = (
        float(edge) for edge in re.search(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", pdf).groups()
    )
    assert found_width / 72 * 25.4 == pytest.approx(width, abs=0.1)
    assert found_height / 72 * 25.4 < 240
    assert b"/FontFile2" in pdf, "TrueType fonts"
    assert b"/Type3" not in pdf
    assert png.size[0] == pytest.approx(width / 25.4 * 300, abs=1)
    assert png.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert len(pdf) < 1_000_000


def test_text_is_as_large_as_journals_ask():
    for figure in every_figure().values():
        sizes = {
            text.get_fontsize() for text in figure.findobj(Text) if text.get_text() and text.get_visible()
        }
        assert min(sizes) >= 6.5
        assert max(sizes) <= 9


def test_names_of_genes_are_drawn_as_they_are_and_never_as_formulas(tmp_path):
    per_gene = scores([("X1", "P1")])
    per_gene["pearson"] = 0.5
    usable_genes = usable(per_gene, STRANGE)
    # Far apart, so that there is room for all names.
    usable_genes["pearson"] = np.linspace(0.9, 0.1, len(usable_genes))
    drawn = every_figure(per_gene, usable_genes)
    for name in ("genes", "maps"):
        found = " ".join(words(drawn[name]))
        assert all(gene in found for gene in STRANGE[:6]), name
        assert "N" * 80 not in found
    for figure in drawn.values():
        assert not any(text.get_parse_math() for text in figure.findobj(Text))
        written(figure, tmp_path)


def test_names_of_sections_and_patients_are_no_formulas_either(tmp_path):
    per_gene = scores([("X1", "$P_1$"), ("X2", "$\\x{$")])
    written(paper_figures.accuracy(per_gene, COMBINED), tmp_path)
    figure = paper_maps.maps([prediction(patient="$\\x{$")], per_gene, usable(per_gene), 1)
    written(figure, tmp_path)
    assert any("patient $\\x{$" in text for text in words(figure))


@pytest.mark.parametrize("name", ["accuracy", "genes", "maps", "attention"])
def test_untrained_weights_are_written_across_every_figure(tmp_path, name):
    _, plain = written(every_figure()[name], tmp_path)
    plain = np.asarray(plain).astype(int)
    marked_figure = every_figure()[name]
    _, marked = written(marked_figure, tmp_path, WATERMARK)
    assert WATERMARK in words(marked_figure)
    assert (np.abs(plain - np.asarray(marked).astype(int)).max(axis=-1) > 20).mean() > 0.005


@pytest.mark.parametrize(("width", "height"), [(85, 30), (180, 48), (180, 82), (85, 82), (180, 230)])
def test_untrained_weights_are_written_within_the_page(tmp_path, width, height):
    figure = new_figure(width, height)
    written(figure, tmp_path, WATERMARK)
    box = figure.texts[0].get_window_extent(figure.canvas.get_renderer())
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= figure.bbox.width
    assert box.y1 <= figure.bbox.height


def test_random_weights_are_known_by_the_name_of_the_encoder():
    assert is_untrained(["resnet50 random"])
    assert is_untrained(["resnet50 random + uni"])
    assert not is_untrained(["resnet50 IMAGENET1K_V2", "resnet50 + uni"])


def test_the_same_results_give_the_same_files(tmp_path):
    for name, figure in every_figure().items():
        pdf, png = written(figure, tmp_path)
        again, picture = written(every_figure()[name], tmp_path)
        assert pdf == again, name
        assert png.tobytes() == picture.tobytes(), name


def test_accuracy_has_a_row_for_each_section_by_patient():
    per_gene = scores([("X1", "P1"), ("Y1", "P2"), ("X2", "P1")])
    (axes,) = paper_figures.accuracy(per_gene, COMBINED).axes
    # Of eight genes, every third has no ceiling.
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels == ["X1\n5 of 8 genes", "X2\n5 of 8 genes", "Y1\n5 of 8 genes"]
    assert [text for text in words(axes) if text.startswith("patient")] == ["patient P1", "patient P2"]
    medians = [line.get_xdata()[0] for line in axes.lines if line.get_color() == "white"]
    with_ceiling = per_gene.dropna(subset=["ceiling"])
    drawn = [
        table[table["layer"] == layer].groupby("section")[column].median()[["X1", "X2", "Y1"]]
        for table, layer, column in (
            (per_gene, COMBINED, "pearson"), (per_gene, COMBINED, "pearson_depth_free"),
            (per_gene, TUNED_RIDGE, "pearson"), (with_ceiling, COMBINED, "pearson"),
            (with_ceiling, COMBINED, "ceiling"),
        )
    ]  # fmt: skip
    np.testing.assert_allclose(medians, pd.concat(drawn))


def test_accuracy_never_shows_the_oracle():
    per_gene = scores([("X1", "P1")])
    oracle = per_gene[per_gene["layer"] == COMBINED].assign(model=ORACLE, layer=OBSERVED_DEPTH, pearson=0.99)
    with_oracle = pd.concat([per_gene, oracle])
    for draw in (lambda table: paper_figures.accuracy(table, COMBINED), paper_figures.attention):
        (one,), (other,) = draw(per_gene).axes, draw(with_oracle).axes
        assert len(one.lines) == len(other.lines)
        for line, again in zip(one.lines, other.lines, strict=True):
            np.testing.assert_array_equal(line.get_xydata(), again.get_xydata())
        assert words(one) == words(other)


def test_accuracy_of_a_cohort_fits_a_page(tmp_path):
    per_gene = scores([(f"S{i}", f"P{i // 4}") for i in range(100)], genes=["A", "B"])
    figure = paper_figures.accuracy(per_gene, COMBINED)
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert labels == [f"P{i}\n4 of 8 values" for i in range(25)], "of two genes in four sections"
    assert figure.get_figheight() * 25.4 < 240


def test_protocols_are_never_mixed():
    per_gene = pd.concat([scores([("X1", "P1")]), scores([("X2", "P2")], protocol=WITHIN)])
    usable_genes = usable(per_gene, STRANGE[:1])
    predictions = [prediction(), prediction("X2", "P2", protocol=WITHIN)]
    drawn = every_figure(per_gene, usable_genes, predictions)
    for name, figure in drawn.items():
        found = words(figure)
        assert any(text.startswith(UNSEEN) for text in found), name
        assert any(text.startswith(WITHIN) for text in found), name
        assert {"a", "b"} <= set(found), name
    assert len(drawn["maps"].findobj(PatchCollection)) == 2 * 3, "of each the usable gene"


def test_attention_counts_the_genes_that_it_helps():
    per_gene = scores([("X1", "P1"), ("X2", "P2")], genes=["A", "B", "C", "D"])
    for layer, values in ((DIRECT, [0.1, 0.2, 0.3, np.nan]), (ATTENDED, [0.2, 0.3, 0.1, 0.5])):
        chosen = per_gene["layer"] == layer
        per_gene.loc[chosen, "pearson"] = values * 2
    found = words(paper_figures.attention(per_gene))
    assert "attended higher (2)" in found
    assert "direct higher (1)" in found


def test_a_gene_stands_at_its_ceiling_or_apart():
    table = pd.DataFrame({"protocol": UNSEEN, "gene": ["A", "B", "C"], "pearson": [0.5, 0.4, np.nan]})
    table = table.assign(ceiling=[0.9, np.nan, 0.8], usable=[True, False, False], only_through_depth=False)
    table["pearson_with_ceiling"] = [0.6, np.nan, np.nan]
    (axes,) = paper_figures.genes(table).axes
    assert {"usable (1)", "not usable (1)", "none\n(1)", "A"} <= set(words(axes))
    blue = next(one for one in axes.collections if one.get_label() == "usable (1)")
    np.testing.assert_allclose(blue.get_offsets(), [[0.9, 0.6]], err_msg="both in the same sections")
    grey = next(one for one in axes.collections if one.get_label() == "not usable (1)")
    assert grey.get_offsets()[0, 0] > 1


def test_genes_usable_only_through_depth_stand_out_and_are_not_named():
    table = pd.DataFrame({"protocol": UNSEEN, "gene": ["A", "B", "C"], "pearson": [0.5, 0.8, 0.1]})
    table = table.assign(ceiling=[0.9, 0.8, 0.7], usable=[True, False, False])
    table["pearson_with_ceiling"] = table["pearson"]
    figure = paper_figures.genes(table.assign(only_through_depth=[False, True, False]))
    (axes,) = figure.axes
    drawn = {one.get_label(): one for one in axes.collections}
    np.testing.assert_allclose(drawn["only through depth (1)"].get_offsets(), [[0.8, 0.8]])
    np.testing.assert_allclose(drawn["not usable (1)"].get_offsets(), [[0.7, 0.1]])
    colours = {tuple(one.get_facecolor()[0]) for one in drawn.values()}
    assert len(colours) == 3
    assert {"A", "B", "C"} & set(words(axes)) == {"A"}
    # Nothing of the legend lies on what the scores stand for.
    figure.draw_without_rendering()
    head = next(text for text in axes.texts if text.get_text() == UNSEEN).get_window_extent()
    assert not any(head.overlaps(text.get_window_extent()) for text in axes.get_legend().get_texts())


def test_names_are_those_of_the_best_usable_genes():
    names = [f"G{i}" for i in range(20)]
    table = pd.DataFrame({"protocol": UNSEEN, "gene": names, "pearson": np.linspace(0.9, 0, 20)})
    table = table.assign(ceiling=np.linspace(1, 0.3, 20), usable=np.arange(20) >= 10)
    table = table.assign(only_through_depth=False, pearson_with_ceiling=table["pearson"])
    found = [text for text in words(paper_figures.genes(table)) if text.startswith("G")]
    assert found == names[10:16]
    found = [text for text in words(paper_figures.genes(table.assign(usable=False))) if text.startswith("G")]
    assert found == names[:6]


def test_maps_show_observed_predicted_and_their_difference():
    per_gene, adata = scores([("X1", "P1")]), prediction()
    figure = paper_maps.maps([adata], per_gene, usable(per_gene, ["section"]), 6)
    observed, predicted, difference = figure.findobj(PatchCollection)
    truth = adata[:, "section"].layers[OBSERVED].ravel()
    np.testing.assert_allclose(observed.get_array(), truth, rtol=1e-6)
    np.testing.assert_allclose(predicted.get_array(), adata[:, "section"].X.ravel(), rtol=1e-6)
    np.testing.assert_allclose(difference.get_array(), predicted.get_array() - truth, rtol=1e-5)
    assert (observed.norm.vmin, observed.norm.vmax) == (predicted.norm.vmin, predicted.norm.vmax)
    assert difference.norm.vmin == -difference.norm.vmax
    assert all(part.get_rasterized() for part in (observed, predicted, difference))
    row = per_gene[(per_gene["gene"] == "section") & (per_gene["layer"] == COMBINED)]
    assert f"section   r = {row['pearson'].item():.2f}" in words(figure)


def test_spots_lie_where_they_are_on_the_image():
    adata = prediction()
    tissue = section_maps.tissue(adata)
    (library,) = tissue.uns["spatial"].values()
    # The cut begins a spot's diameter before the edge of the first spot.
    np.testing.assert_allclose(tissue.obsm["spatial"][0] * 0.1, [17, 17], atol=1)
    moved = tissue.obsm["spatial"] - adata.obsm["spatial"]
    assert np.ptp(moved, axis=0).max() < 1e-9
    assert (tissue.obsm["spatial"] * 0.1 < library["images"]["hires"].shape[1::-1]).all()


def test_the_scale_bar_has_the_length_it_says():
    per_gene = scores([("X1", "P1")], genes=["A"])
    figure = paper_maps.maps([prediction(genes=["A"])], per_gene, usable(per_gene), 1)
    figure.draw_without_rendering()
    (text,) = [text for text in words(figure) if text.endswith("µm")]
    (bar,) = figure.artists
    axes = figure.axes[0]
    um_per_inch = 5.0 * np.ptp(axes.get_xlim()) / (axes.get_window_extent().width / figure.dpi)
    length = bar.get_window_extent().width / figure.dpi * um_per_inch
    assert length == pytest.approx(float(text.split()[0]), rel=0.02)


def test_small_spots_are_drawn_until_they_touch_and_large_ones_as_they_are():
    per_gene = scores([("X1", "P1")])
    section = section_maps.SectionMaps.take(prediction(), per_gene, usable(per_gene), 1)
    assert section.enlarged(0.5) == 1.0
    assert section.enlarged(0.001) == pytest.approx(150 / 110)
    (few,) = {round(one.get_paths()[0].get_extents().width, 1) for one in drawn_maps(per_gene)}
    assert few == 11.0, "pixels of the image"


def drawn_maps(per_gene):
    return paper_maps.maps([prediction()], per_gene, usable(per_gene), 1).findobj(PatchCollection)


def test_few_genes_are_mapped_and_said_which():
    names = [f"G{i}" for i in range(20)]
    per_gene = scores([("X1", "P1")], genes=names)
    none = paper_maps.maps([prediction(genes=names)], per_gene, usable(per_gene), 50)
    assert len(none.findobj(PatchCollection)) == 3 * paper_maps.MOST_GENES
    assert any("none is usable" in text for text in words(none))
    some = paper_maps.maps([prediction(genes=names)], per_gene, usable(per_gene, names[:2]), 50)
    assert len(some.findobj(PatchCollection)) == 3 * 2
    assert any("best usable genes" in text for text in words(some))


def test_constant_and_undefined_genes_are_drawn_or_left_out_and_never_stop_a_figure(tmp_path):
    per_gene = scores([("X1", "P1"), ("X2", "P2")])
    adata = prediction()
    adata.layers[OBSERVED][:, 1] = np.nan
    adata.layers[OBSERVED][:, 2] = adata.X[:, 2] = 1.0
    undefined = (per_gene["section"] == "X1") & per_gene["gene"].isin(STRANGE[1:3])
    per_gene.loc[undefined, ["pearson", "pearson_depth_free", "ceiling"]] = np.nan
    for figure in every_figure(per_gene, None, [adata]).values():
        written(figure, tmp_path)
    figure = every_figure(per_gene, None, [adata])["maps"]
    assert "not measured" in words(figure)
    assert f"{STRANGE[1]}   r undefined" in words(figure)


@pytest.mark.parametrize("name", ["accuracy", "genes", "maps", "attention"])
def test_where_no_gene_has_a_correlation_figures_say_so(tmp_path, name):
    per_gene = scores([("X1", "P1")]).assign(pearson=np.nan, pearson_depth_free=np.nan, ceiling=np.nan)
    figure = every_figure(per_gene, usable(per_gene))[name]
    written(figure, tmp_path)
    if name != "accuracy":
        assert "No gene has a correlation." in words(figure)


def test_a_section_of_one_spot_can_be_drawn(tmp_path):
    per_gene = scores([("X1", "P1")])
    written(paper_maps.maps([prediction(spots=1)], per_gene, usable(per_gene), 1), tmp_path)
