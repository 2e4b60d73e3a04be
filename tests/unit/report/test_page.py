"""The report says what was found and how sure one can be, in one file that is safe to pass on."""

import base64
import csv
import hashlib
import json
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest

from report_study import GENES, SETTINGS, Study, whole_study
from ressat.base import keys
from ressat.report.page import shown_settings


class Parsed(HTMLParser):
    """Elements, text and scripts of a page."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.texts, self.scripts, self.data, self.inside = [], [], [], {}, None
        self.feed(page)
        self.text = re.sub(r"\s+", " ", "".join(self.texts)).replace("\xa0", " ")

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in {"style", "script"}:
            self.inside = dict(attrs)

    def handle_endtag(self, tag):
        if tag in {"style", "script"}:
            self.inside = None

    def handle_data(self, data):
        if self.inside is None:
            self.texts.append(data)
        elif "id" in self.inside:
            self.data[self.inside["id"]] = data
        else:
            self.scripts.append(data)

    def images(self, words):
        return [found for tag, found in self.elements if tag == "img" and words in found["alt"]]

    @property
    def genes(self):
        return {gene["name"]: gene for gene in json.loads(self.data["page-data"])["genes"]}

    def values(self, name):
        """Observed and predicted of a gene by section, as the page unpacks them."""
        known = json.loads(self.data["page-data"])
        index = [gene["name"] for gene in known["genes"]].index(name)
        packed = np.frombuffer(zlib.decompress(base64.b64decode(self.data[f"map-{index}"])), np.uint8)
        about, found, start = known["genes"][index]["map"], {}, 0
        for section in known["sections"]:
            for kind in ("observed", "predicted") if section["tested"] else ("predicted",):
                levels = packed[start : start + section["spots"]].astype(float)
                levels[levels == 255] = np.nan
                found[section["section"], kind] = about[kind][0] + about[kind][1] * levels
                start += section["spots"]
        assert start == len(packed)
        return found


@pytest.fixture
def study(tmp_path):
    """A study that a test may change."""
    return whole_study(tmp_path)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory, repository):
    """A study as it is, and its page with the maps of two genes."""
    study = whole_study(tmp_path_factory.mktemp("study"))
    page = study.page(repository)
    return SimpleNamespace(study=study, html=page, page=Parsed(page))


def test_the_answer_comes_first_beside_the_baselines(rendered):
    study, page = rendered.study, rendered.page
    summary = study.whole("summary").set_index("layer")["mean_pearson"]
    answer = page.text[: page.text.index("All 4 genes that were scored")]
    assert f"{summary['attended']:.2f}attended (headline)" in answer
    assert f"{summary['direct']:.2f}direct" in answer
    assert f"{summary['tuned_ridge']:.2f}best baseline: tuned ridge" in answer
    assert f"{study.whole('summary')['mean_ceiling'].iloc[0]:.2f}noise ceiling" in answer
    per_section = study.whole("per_section")
    for _, row in per_section[per_section["layer"] != "training_mean"].iterrows():
        assert f"{row['mean_pearson']:.2f}" in answer
    assert "left out of the mean; this leaves nothing of: training mean" in answer
    assert "2 test sections of 2 patients" in answer
    assert "holdout, unseen patients" in answer
    assert "Few patients. 2 patients were tested" in answer
    assert "Within-patient" not in page.text
    assert "ntrained" not in page.text


def test_nothing_outside_the_page_is_asked_for(rendered):
    page = rendered.page
    for tag, attributes in page.elements:
        assert tag not in {"link", "iframe", "object", "base", "form"}
        assert attributes.get("src", "data:").startswith("data:")
        assert attributes.get("href", "#").startswith(("#", "data:text/tab-separated-values"))
    targets = {found["href"][1:] for tag, found in page.elements if tag == "a" and found["href"][0] == "#"}
    assert {target for target in targets if "=" not in target} <= {
        found.get("id") for _, found in page.elements
    }


def test_only_the_pages_own_scripts_may_run(rendered):
    page = rendered.page
    policy = next(found["content"] for _, found in page.elements if "http-equiv" in found)
    assert policy.startswith("default-src 'none';")
    assert "unsafe-eval" not in policy
    (script,) = page.scripts[1:]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert re.search("script-src ([^;]*)", policy)[1] == f"'sha256-{digest}' blob:"


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


def test_the_downloaded_table_is_whole_and_starts_no_formula(tmp_path, repository):
    formulas = ("=1+1", "@SUM(A1)", "+1", "-1")
    study = Study(tmp_path, genes=formulas)
    study.section("X1", "test")
    study.predict("holdout", "X1")
    page = Parsed(study.page(repository))
    href = next(found["href"] for _, found in page.elements if found.get("download") == "genes.tsv")
    text = base64.b64decode(href.partition("base64,")[2]).decode()
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    assert {row["gene"] for row in rows} == {f"'{gene}" for gene in formulas}
    expected = study.tables()["usable_genes"]
    assert list(rows[0]) == list(expected.columns)
    assert [float(row["pearson"]) for row in rows] == pytest.approx(expected["pearson"].tolist())


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
        "panels-0",
        "attention-0",
    ):
        assert json.loads(page.data[f"{chart}-data"])["data"], chart


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
    study = Study(tmp_path, protocol=f"holdout, {keys.WITHIN_PATIENT}")
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
    study.predictions, study.scores = [], []
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
    study.settings = SETTINGS | {"features": {"weights": "random"}}
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
    assert "0.00" not in page.text[: page.text.index("Methods H&E slides")]
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


def test_names_from_the_users_files_cannot_inject_markup(tmp_path, repository, rendered):
    script, event = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'
    study = Study(tmp_path, name=event + "&", genes=(script, event, "$\\frac{", "{{ 7*7 }}"))
    study.section("X1", "test", patient=event, fallback=script)
    study.predict("holdout", "X1")
    study.settings = SETTINGS | {"stain": {"reference": event, "method": "macenko", "max_pixels": 1}}
    page = Parsed(study.page(repository, genes=4))
    assert page.scripts[1:] == rendered.page.scripts[1:]
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    assert all(found["src"].startswith("data:") for tag, found in page.elements if tag == "img")
    for text in (script, event, "$\\frac{", "{{ 7*7 }}", event + "&"):
        assert text in page.text
    assert set(page.genes) == set(study.genes)
    for name, data in page.data.items():
        if name.endswith("-data") and name != "page-data":
            # plotly hands custom data back as it is, and draws none of it.
            drawn = [{**trace, "customdata": None} for trace in json.loads(data)["data"]]
            assert "<img" not in json.dumps(drawn), name


def test_no_path_and_no_user_name_is_passed_on(study, repository):
    study.settings = SETTINGS | {
        "model": SETTINGS["model"] | {"use": r"C:\Users\jane\model.pt"},
        "genes": SETTINGS["genes"] | {"list": "$HOME/jane/panel.txt"},
    }
    parsed = Parsed(study.page(repository))
    for name in ("resnet50.pth", "model.pt", "panel.txt"):
        assert name in parsed.text
    written = parsed.text + "".join(data for name, data in parsed.data.items() if name.endswith("-data"))
    assert not any(secret in written for secret in ("jane", "/home", str(study.folder), str(repository)))


def test_settings_are_shown_by_group():
    shown = shown_settings(SETTINGS)
    assert shown["study"] == {"samples": "samples.tsv", "seed": "1"}
    assert shown["features"] == {"weights": "resnet50.pth", "precision": "auto"}
    assert shown["model"]["use"] == "none"
    assert shown["model"]["layers"] == "layer3, layer4"


def test_the_same_results_give_the_same_page(rendered, repository):
    assert rendered.study.page(repository) == rendered.html


def test_embedded_pictures_are_whole(rendered):
    known = json.loads(rendered.page.data["page-data"])["sections"]
    addresses = [found["src"] for _, found in rendered.page.elements if "src" in found]
    for address in addresses + [section["image"] for section in known]:
        content = re.fullmatch(r"data:image/jpeg;base64,(.+)", address)[1]
        assert base64.b64decode(content, validate=True).startswith(b"\xff\xd8")
    assert all(found["alt"] for tag, found in rendered.page.elements if tag == "img")


def test_rendering_needs_neither_the_network_library_nor_the_slide_reader(repository):
    modules = "report, report_charts, report_genes, report_interaction, report_maps, report_methods"
    code = (
        f"import sys\nfrom ressat import {modules}\n"
        "print(sorted({'torch', 'openslide', 'scanpy', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=repository / "workflow_scripts",
        check=True,
    )
    assert done.stdout.strip() == "[]"
