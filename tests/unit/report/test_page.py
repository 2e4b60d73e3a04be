"""The report says what was found and how sure one can be."""

import json
import re

import anndata
import numpy as np
import pandas as pd
import pytest

from parsed_page import Parsed
from report_study import GENES, SETTINGS, WORDS, Study
from ressat.evaluation.protocol import WITHIN_PATIENT
from ressat.report.provenance import settings_table


def test_the_answer_comes_first_beside_the_baselines(rendered):
    study, page = rendered.study, rendered.page
    summary = study.whole("summary").set_index("layer")["mean_pearson"]
    answer = page.text[: page.text.index("All 4 genes that were scored")]
    assert f"{summary['attended']:.2f}attended (headline)" in answer
    assert f"{summary['direct']:.2f}direct" in answer
    assert f"{summary['tuned_ridge']:.2f}best baseline: tuned ridge" in answer
    assert f"{summary['attended']:.2f}attended (headline) 4 genes" in answer
    assert "left out of the mean; this leaves nothing of: training mean" in answer
    assert "2 test sections of 2 patients" in answer
    assert "holdout, unseen patients" in answer
    assert "Few patients. 2 patients were tested" in answer
    assert "Within-patient" not in page.text
    assert "ntrained" not in page.text


def test_maps_hold_what_was_observed_and_predicted_of_the_first_genes(rendered):
    study, page = rendered.study, rendered.page
    first = study.tables()["usable_genes"]["gene"][:2].tolist()
    assert [name for name, gene in page.genes.items() if gene["map"]] == first
    per_gene = study.tables()["per_gene"]
    lead = per_gene[per_gene["layer"] == "attended"].set_index(["gene", "section"])["pearson"]
    for gene in first:
        about, found = page.genes[gene], page.values(gene)
        assert about["r"] == [
            pytest.approx(lead[gene, "X1"], abs=1e-4),
            pytest.approx(lead[gene, "X2"], abs=1e-4),
            None,
        ]
        for path, section in zip(study.predictions, ("X1", "X2", "H1"), strict=True):
            adata = anndata.read_h5ad(path)[:, gene]
            half = about["map"]["predicted"][1] / 2
            np.testing.assert_allclose(found[section, "predicted"], adata.X.ravel(), atol=half + 1e-6)
            if section != "H1":
                half = about["map"]["observed"][1] / 2
                observed = adata.layers["observed"].ravel()
                np.testing.assert_allclose(found[section, "observed"], observed, atol=half + 1e-6)
    assert ("H1", "observed") not in found


def test_genes_that_are_asked_for_are_always_mapped(study, repository):
    last = study.tables()["usable_genes"]["gene"].iloc[-1]
    page = Parsed(study.page(repository, genes=1, always=[last, "UNKNOWN"]))
    first = study.tables()["usable_genes"]["gene"].iloc[0]
    assert {name for name, gene in page.genes.items() if gene["map"]} == {first, last}
    assert "UNKNOWN" in (study.folder / "render_report.log").read_text()


def test_every_gene_has_a_row_and_an_address(rendered):
    page = rendered.page
    rows = [found["data-gene"] for tag, found in page.elements if tag == "tr" and "data-gene" in found]
    assert rows == rendered.study.tables()["usable_genes"]["gene"].tolist()
    assert {f"#gene={gene}" for gene in GENES} <= {found.get("href") for _, found in page.elements}


def test_quality_training_and_provenance_are_shown(rendered):
    study, page = rendered.study, rendered.page
    for words in (
        "30 of 34", "3 outside tissue; 1 zero counts", "1234", "567", "30 (2)", "80 %", "0.5 (slide tags)",
        "macenko, to published", "no counts: H&E only", "Fold holdout: 80 steps, chosen among 140",
        "Fold all: 80 steps", "1f1f1f1f1f1f", "2e2e2e2e2e2e", "3d3d3d3d3d3d", "abababababab", "cdcdcdcdcdcd",
        "T1, T2",
        "layer3, layer4", "plotly",
    ):  # fmt: skip
        assert words in page.text, words
    assert "0 without position" not in page.text
    for section in study.sections:
        assert page.images(f"Section {section} with its tiles outlined")
        assert page.images(f"Tiles of section {section} before and after")
    for chart in (
        "selection-0",
        "final-0",
        "selection-1",
        "accuracy-0",
        "ceiling-0",
        "share-0",
        "panels-0",
        "attention-0",
    ):
        assert json.loads(page.data[f"{chart}-data"])["data"], chart


def test_another_unit_of_expression_is_named_wherever_values_are(study, repository):
    study.settings = study.settings | {"expression": {"unit": "thinned", "depth": 1500}}
    html = study.page(repository)
    page, words = Parsed(html), "log1p CP10k, thinned to 1,500 counts"
    assert f"Mean expression in {words}." in page.text
    assert f"predicted and observed, {words}" in page.text
    assert "on average over random thinnings" in page.text
    assert "of a spot's counts to 1,500, where it has more" in page.text
    assert "log1p CP10k)" not in html


def test_methods_say_what_was_done_with_its_sources(rendered):
    page = rendered.page
    methods = page.text[page.text.index("Methods H&E slides") :]
    for words in (
        "112 µm", "224 px", "after Macenko [", "hexagonal grid of 100 µm", "The 250 most variable genes",
        "AdamW", "512 of its spots", "Reported is the attended prediction", "at least 0.3",
    ):  # fmt: skip
        assert words in methods, words
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", methods)}
    listed = [tag for tag, _ in page.elements].count("li")
    assert cited == set(range(1, listed + 1))


def test_clusters_stand_beside_those_of_observed_expression(rendered):
    study, page = rendered.study, rendered.page
    for index, path in enumerate(study.interaction_spots):
        table = pd.read_csv(path, sep="\t")
        assert (
            json.loads(page.data[f"interaction-{index}"]) == table["interaction_cluster"].fillna(0).tolist()
        )
        shown = pd.Series(json.loads(page.data[f"expression-{index}"]))
        assert pd.crosstab(shown, table["expression_cluster"]).gt(0).sum(axis=1).eq(1).all()
    assert len(re.findall("Adjusted Rand index", page.text)) == 2


def test_within_patient_scores_are_labelled_wherever_they_stand(tmp_path, repository):
    study = Study(tmp_path, protocol=f"holdout, {WITHIN_PATIENT}")
    study.section("C2", "train")
    study.section("C4", "test")
    study.predict("holdout", "C4")
    page = Parsed(study.page(repository))
    assert "Within-patient replicates." in page.text[: page.text.index("How well expression")]
    for heading in ("How well expression is predicted", "Usable genes", "Genes", "Spot interaction"):
        assert re.search(rf"{heading}\s+holdout, within-patient replicates", page.text), heading
    assert "Protocol: holdout, within-patient replicates" in page.text


def test_untrained_weights_are_marked_on_the_page_and_in_every_picture_of_results(
    study, rendered, repository
):
    assert json.loads(rendered.page.data["page-data"])["watermark"] is None
    study.encoder = "resnet50 random"
    study.predictions, study.scores, study.scale_scores = [], [], []
    study.interaction_spots, study.interaction_genes, study.interaction_summaries = [], [], []
    for fold, sample in (("holdout", "X1"), ("holdout", "X2"), ("all", "H1")):
        study.predict(fold, sample)
    page = Parsed(study.page(repository))
    assert page.text.index("Untrained weights: not a result.") < page.text.index("How well expression")
    assert len(re.findall("untrained weights", page.text)) >= 3
    assert json.loads(page.data["page-data"])["watermark"] == "UNTRAINED WEIGHTS"
    assert ("body", {"class": "untrained"}) in page.elements


def test_untrained_weights_are_marked_where_nothing_is_predicted(tmp_path, repository):
    study = Study(tmp_path)
    study.section("T1", "train")
    study.train("all")
    resnet50 = WORDS["encoders"]["resnet50"] | {"is_random": True}
    study.words = WORDS | {"encoders": {"resnet50": resnet50}}
    page = Parsed(study.page(repository))
    assert "Untrained weights: not a result." in page.text
    assert "No section is predicted in this study." in page.text


def test_a_stain_fallback_names_section_and_reason_before_the_answer(study, repository):
    study.section("F1", "train", fallback="only 12 tissue pixels, 1000 are needed")
    page = Parsed(study.page(repository))
    warning = page.text[: page.text.index("How well expression")]
    assert "Section F1: stains not normalised." in warning
    assert "only 12 tissue pixels, 1000 are needed" in warning
    assert "Section T1" not in warning


def test_a_study_without_test_sections_says_that_nothing_could_be_scored(tmp_path, repository):
    study = Study(tmp_path)
    study.section("H1", "predict")
    study.predict("bundle", "H1")
    page = Parsed(study.page(repository, genes=3))
    assert "Nothing could be scored" in page.text
    assert "Pearson" not in page.text[: page.text.index("Methods")]
    spread = anndata.read_h5ad(study.predictions[0]).to_df().std(ddof=0)
    assert list(page.genes) == spread.sort_values(ascending=False).index.tolist()
    assert [name for name, gene in page.genes.items() if gene["map"]] == spread.nlargest(3).index.tolist()
    assert page.values(spread.idxmax()).keys() == {("H1", "predicted")}
    assert "accuracy-0-data" not in page.data


def test_undefined_is_said_and_never_zero(tmp_path, repository):
    study = Study(tmp_path)
    study.section("X1", "test")
    study.predict("holdout", "X1", flat=GENES)
    page = Parsed(study.page(repository))
    assert "undefinedattended (headline)" in page.text
    assert "(+ 4 undefined)" in page.text
    assert "\N{MULTIPLICATION SIGN} training" not in page.text, "there is no training section"
    assert "undefinedattended, over the genes that have a ceiling 0 genes" in page.text
    assert "undefinedmean R² 0 genes" in page.text
    # The level of a map that is 1 everywhere is known: its offset is 0.
    assert "+0.00mean offset, log1p CP10k 4 genes 0.00mean absolute offset 4 genes" in page.text
    results = page.text[: page.text.index("Methods H&E slides")]
    assert "0.00" not in re.sub(r"0\.00 ?(4 genes|mean (absolute )?offset)", "", results)
    assert all(gene["r"] == [None] for gene in page.genes.values())


def test_a_gene_that_a_section_or_a_model_lacks_has_no_values_there(study, repository):
    study.section("X3", "test", "P6")
    study.predict("holdout", "X3", unmeasured=GENES)
    study.section("H2", "predict", "P7")
    study.genes = ["OTHER"]
    study.predict("all", "H2")
    page = Parsed(study.page(repository))
    mapped = next(name for name, gene in page.genes.items() if gene["map"])
    values = page.values(mapped)
    assert np.isnan(values["X3", "observed"]).all()
    assert np.isfinite(values["X3", "predicted"]).all()
    assert np.isnan(values["H2", "predicted"]).all()
    assert page.genes["OTHER"]["facts"] == [["scores", "none: predicted only where there are no counts"]]
    assert "not measured in this section" in page.text
    assert "not on the panel of this model" in page.text


def test_settings_are_shown_by_group():
    shown = settings_table(SETTINGS)
    assert shown["study"] == {"samples": "samples.tsv", "seed": "1"}
    assert shown["features"] == {"encoder": "resnet50", "weights": "resnet50.pth", "precision": "auto"}
    assert shown["model"]["use"] == "none"
    assert shown["model"]["layers"] == "layer3, layer4"
