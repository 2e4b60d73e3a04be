"""The report says what was found and how sure one can be, in one file that is safe to pass on."""

import base64
import contextlib
import json
import re
import runpy
import subprocess
import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ressat import keys
from ressat.evaluation import score_section
from ressat.report import shown_settings
from ressat.scale import Scale
from ressat.summary import summarise_patients, summarise_sections
from ressat.tables import write_table
from ressat.tile_table import Tiles
from ressat.tiling import TileGeometry
from ressat.usable_genes import usable_genes

GENES = ("ERBB2", "NA", "CD74", "KRT19")
SETTINGS = {
    "samples": "samples.tsv",
    "seed": 1,
    "features": {"weights": "/home/jane/weights/resnet50.pth", "precision": "auto"},
    "model": {"use": None, "layers": ["layer3", "layer4"], "headline": "attended"},
}


class Study:
    """A study's result files, small and made up, and the page rendered from them."""

    def __init__(self, folder, name="breast", genes=GENES, protocol="holdout, unseen patients"):
        self.folder, self.name, self.genes, self.protocol = folder, name, list(genes), protocol
        self.encoder, self.settings = "resnet50", SETTINGS
        self.sections, self.scores = {}, []
        self.files = {name: [] for name in ("tiles", "overlays", "stains", "previews", "expression")}
        self.predictions, self.histories, self.folds, self.labelled = [], [], [], []
        self.rng = np.random.default_rng(3)

    def path(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(path)

    def section(self, sample, role, patient="P1", fallback=None, spots=30):
        """Write what every section has, and counts where it is labelled."""
        self.sections[sample] = {"patient": patient, "role": role}
        lowres = self.rng.integers(120, 240, (90, 120, 3), dtype=np.uint8)
        x, y = np.meshgrid(np.arange(6), np.arange(5))
        self.coords = (np.column_stack([x.ravel(), y.ravel()])[:spots] * 150 + 200).astype(np.int32)
        self.barcodes = np.array([f"b{i}" for i in range(len(self.coords))])
        tiles = Tiles(
            sample, self.coords, self.barcodes, np.full(len(self.coords), 0.8, np.float32), lowres, 10.0,
            Scale(0.5, "slide tags"), TileGeometry(112.0, 224, 0, 224, 1.0), 110.0, 2, "ab" * 32,
        )  # fmt: skip
        tiles.write(self.path(f"tiles/{sample}.h5"))
        for name in ("tiles", "stain"):
            Image.fromarray(lowres).save(self.path(f"{name}/{sample}.png"))
        fitted = {
            "section": sample, "method": "macenko", "fallback": fallback, "pixels": 5000,
            "reference_name": "published", "version": keys.FORMAT_VERSION,
        }  # fmt: skip
        (self.folder / f"stain/{sample}.json").write_text(json.dumps(fitted))
        for name, pattern in (
            ("tiles", "tiles/{}.h5"), ("overlays", "tiles/{}.png"),
            ("stains", "stain/{}.json"), ("previews", "stain/{}.png"),
        ):  # fmt: skip
            self.files[name].append(self.path(pattern.format(sample)))
        if role != keys.PREDICT:
            counts = anndata.AnnData(np.ones((len(self.coords), 7), np.float32))
            counts.uns[keys.UNS] = {
                "version": keys.FORMAT_VERSION,
                "spots_found": 34, "spots_kept": 30, "median_counts": 1234.0, "median_genes": 567.0,
                "spots_left_out": {"outside tissue": 3, "zero counts": 1, "without position": 0},
            }  # fmt: skip
            counts.write_h5ad(self.path(f"expression/{sample}.h5ad"))
            self.files["expression"].append(self.path(f"expression/{sample}.h5ad"))
            self.labelled.append(sample)

    def predict(self, fold, sample, unmeasured=(), flat=()):
        """Write a section's predictions, and score them where it is tested."""
        n, tested = len(self.coords), self.sections[sample]["role"] == keys.TEST
        observed = self.rng.gamma(2.0, size=(n, len(self.genes))).astype(np.float32)
        noise = np.arange(len(self.genes)) + 0.2
        direct = observed + self.rng.normal(size=observed.shape).astype(np.float32) * noise
        attended = observed + self.rng.normal(size=observed.shape).astype(np.float32) * noise / 3
        observed[:, [self.genes.index(gene) for gene in unmeasured]] = np.nan
        for table in (direct, attended, observed):
            table[:, [self.genes.index(gene) for gene in flat]] = 1.0
        adata = anndata.AnnData(attended.astype(np.float32))
        adata.obs_names, adata.var_names = self.barcodes, self.genes
        for rank in keys.PANELS.values():
            adata.var[rank] = np.arange(1.0, len(self.genes) + 1)
        adata.layers["direct"], adata.layers["attended"] = direct.astype(np.float32), adata.X.copy()
        if tested:
            adata.layers["observed"] = observed
        adata.obsm["spatial"] = self.coords.astype(float)
        adata.uns["spatial"] = {
            sample: {
                "images": {"hires": np.full((90, 120, 3), 200, np.uint8)},
                "scalefactors": {"tissue_hires_scalef": 0.1, "spot_diameter_fullres": 110.0},
            }
        }
        adata.uns[keys.UNS] = {
            "headline": "attended", "unit": keys.EXPRESSION_UNIT, "fold": fold, "section": sample,
            "patient": self.sections[sample]["patient"], "protocol": self.protocol,
            "encoder": self.encoder, "model_sha256": "1f" * 32, "weights_sha256": "2e" * 32,
            "config_hash": "3d" * 32, "trained_on": ["T1", "T2"], "mpp": 0.5, "stain": "macenko",
            "stain_fallback": "", "version": keys.FORMAT_VERSION,
        }  # fmt: skip
        adata.write_h5ad(self.path(f"predictions/{fold}/{sample}.h5ad"))
        self.predictions.append(self.path(f"predictions/{fold}/{sample}.h5ad"))
        if tested:
            baselines = anndata.AnnData(obs=adata.obs, var=adata.var)
            baselines.layers["training_mean"] = np.ones(adata.shape, np.float32)
            baselines.layers["tuned_ridge"] = direct + self.rng.normal(size=direct.shape) * 2
            ceiling = pd.DataFrame({"gene": self.genes, "ceiling": 0.9, "ceiling_low": 0.8})
            self.scores.append(score_section(adata, baselines, ceiling, panel_size=2))

    def tables(self):
        """The tables of the evaluation by name."""
        per_gene = pd.concat(self.scores, ignore_index=True)
        per_section = summarise_sections(per_gene, {"holdout": "T1,T2"})
        return {
            "per_gene": per_gene,
            "per_section": per_section,
            "summary": summarise_patients(per_section, {(self.protocol, "ressat", "attended"): 0.4321}),
            "usable_genes": usable_genes(per_gene, "attended", 0.3),
        }

    def whole(self, name):
        """The rows of one of them that are about all genes and all patients."""
        table = self.tables()[name]
        table = table[table["panel"] == "all"]
        return table[table["level"] == "study"] if "level" in table else table

    def train(self, fold):
        """Write a history whose best step is 80."""
        steps = np.arange(20, 160, 20)
        losses = (steps / 20 - 4.0) ** 2 / 20 + 0.7
        selection = pd.DataFrame({"step": steps, "stage": "selection", "held_back_pearson": 1 - losses})
        for column in ("learnt_direct", "learnt_attended", "held_back_direct", "held_back_attended"):
            selection[column] = losses
        final = selection[selection["step"] <= 80].assign(stage="final")
        final[["held_back_direct", "held_back_attended", "held_back_pearson"]] = np.nan
        path = self.path(f"folds/{fold}/history.tsv")
        pd.concat([selection, final]).to_csv(path, sep="\t", index=False)
        self.histories.append(path)
        self.folds.append(fold)

    def page(self, repository, genes=2):
        """Run the rule's script, and return the page."""
        tables = {name: [] for name in ("per_gene", "per_section", "summary", "usable_genes")}
        if self.scores:
            for name, table in self.tables().items():
                tables[name] = self.path(f"evaluation/{name}.tsv")
                write_table(table, tables[name])
        job = SimpleNamespace(
            input=SimpleNamespace(
                **tables, **self.files, predictions=self.predictions, histories=self.histories
            ),
            output=SimpleNamespace(report=self.path("report.html")),
            log=[self.path("render_report.log")],
            params=SimpleNamespace(
                sections=self.sections, labelled=self.labelled, folds=self.folds,
                genes=genes, settings=self.settings,
            ),
        )  # fmt: skip
        # A study is called as its folder, in which Snakemake runs the script.
        (self.folder / self.name).mkdir(exist_ok=True)
        with contextlib.chdir(self.folder / self.name):
            runpy.run_path(
                str(repository / "workflow_scripts" / "render_report.py"), init_globals={"snakemake": job}
            )
        return (self.folder / "report.html").read_text(encoding="utf-8")


class Parsed(HTMLParser):
    """Elements and text of a page."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(page)
        self.text = re.sub(r"\s+", " ", "".join(self.texts))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "style":
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag == "style":
            self.open.pop()

    def handle_data(self, data):
        if not self.open:
            self.texts.append(data)

    def images(self, words):
        return [found for tag, found in self.elements if tag == "img" and words in found["alt"]]


def whole_study(folder):
    """Two training sections, two tested ones and one without counts."""
    study = Study(folder)
    for sample, role, patient in (
        ("T1", "train", "P1"), ("T2", "train", "P2"), ("X1", "test", "P3"), ("X2", "test", "P4"),
        ("H1", "predict", "P5"),
    ):  # fmt: skip
        study.section(sample, role, patient)
    for fold, sample in (("holdout", "X1"), ("holdout", "X2"), ("all", "H1")):
        study.predict(fold, sample)
    for fold in ("holdout", "all"):
        study.train(fold)
    return study


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
    answer = page.text[: page.text.index("Correlation of each gene")]
    assert f"{summary['attended']:.2f}attended (headline)" in answer
    assert f"{summary['direct']:.2f}direct" in answer
    assert f"{summary['tuned_ridge']:.2f}best baseline: tuned ridge" in answer
    per_section = study.whole("per_section")
    for _, row in per_section[per_section["layer"] != "training_mean"].iterrows():
        assert f"{row['mean_pearson']:.2f}" in answer
    assert "left out of the mean; this leaves nothing of: training mean" in answer
    assert "2 test sections of 2 patients" in answer
    assert "holdout, unseen patients" in answer
    assert "Within-patient" not in page.text
    assert "ntrained" not in page.text


def test_nothing_outside_the_page_is_asked_for(rendered):
    page = rendered.page
    for tag, attributes in page.elements:
        assert tag not in {"script", "link", "iframe", "object"}
        assert attributes.get("src", "data:").startswith("data:")
        assert attributes.get("href", "#").startswith("#")
    targets = {found["href"][1:] for tag, found in page.elements if tag == "a"}
    assert targets <= {found.get("id") for _, found in page.elements}
    policy = next(found for _, found in page.elements if "http-equiv" in found)
    assert "default-src 'none'" in policy["content"]


def test_observed_stands_beside_predicted_for_the_best_genes(rendered):
    study, page = rendered.study, rendered.page
    per_gene = study.tables()["per_gene"]
    lead = per_gene[per_gene["layer"] == "attended"]
    best = lead.groupby("gene")["pearson"].mean().nlargest(2).index
    assert len(page.images(" on section ")) == 2 * (2 + 2 + 1)
    for gene in best:
        for section in ("X1", "X2"):
            assert page.images(f"{gene}, observed, on section {section}")
            assert page.images(f"{gene}, predicted, on section {section}")
            r = lead[(lead["gene"] == gene) & (lead["section"] == section)]["pearson"].item()
            assert f"{section} r = {r:.2f}" in page.text
        assert page.images(f"{gene}, predicted, on section H1")
        assert not page.images(f"{gene}, observed, on section H1")
    assert len(page.images("Colour scale")) == 2
    assert "log1p CP10k" in page.text


def test_quality_training_and_provenance_are_shown(rendered):
    study, page = rendered.study, rendered.page
    for words in (
        "30 of 34", "3 outside tissue; 1 zero counts", "1234", "567", "30 (2)", "80 %", "0.5 (slide tags)",
        "macenko, to published", "no counts: H&E only", "Fold holdout: 80 steps, chosen among 140",
        "Fold all: 80 steps", "1f1f1f1f1f1f", "2e2e2e2e2e2e", "3d3d3d3d3d3d", "abababababab", "T1, T2",
        "layer3, layer4", "matplotlib",
    ):  # fmt: skip
        assert words in page.text.replace("\xa0", " "), words
    assert "0 without position" not in page.text
    for section in study.sections:
        assert page.images(f"Section {section} with its tiles outlined")
        assert page.images(f"Tiles of section {section} before and after")
    assert len(page.images("Loss per step")) == 4


def test_within_patient_scores_are_labelled_wherever_they_stand(tmp_path, repository):
    study = Study(tmp_path, protocol=f"holdout, {keys.WITHIN_PATIENT}")
    study.section("C2", "train")
    study.section("C4", "test")
    study.predict("holdout", "C4")
    page = Parsed(study.page(repository))
    assert "Within-patient replicates." in page.text[: page.text.index("How well expression")]
    headings = ("How well expression is predicted", "Correlation of each gene", "observed and predicted")
    for heading in headings:
        assert re.search(rf"{heading}\s+holdout, within-patient replicates", page.text), heading
    assert "Protocol: holdout, within-patient replicates" in page.text


def test_untrained_weights_are_marked_on_the_page_and_in_every_picture_of_results(
    study, rendered, repository
):
    trained = rendered.page
    study.predictions, study.scores, study.encoder = [], [], "resnet50 random"
    study.rng = np.random.default_rng(3)
    for fold, sample in (("holdout", "X1"), ("holdout", "X2"), ("all", "H1")):
        study.predict(fold, sample)
    page = Parsed(study.page(repository))
    assert page.text.index("Untrained weights: not a result.") < page.text.index("How well expression")
    assert len(re.findall("untrained weights", page.text)) >= 3
    for words in ("on section H1", "Histogram", "Loss per step"):
        plain, marked = trained.images(words), page.images(words)
        assert len(plain) == len(marked) > 0
        assert all(before["src"] != after["src"] for before, after in zip(plain, marked, strict=True))


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
    assert "r = " not in page.text
    assert len(page.images("predicted, on section H1")) == 3
    assert not page.images("Histogram")
    spread = anndata.read_h5ad(study.predictions[0]).to_df().std(ddof=0)
    assert page.images(f"{spread.idxmax()}, predicted")


def test_undefined_is_said_and_never_zero(tmp_path, repository):
    study = Study(tmp_path)
    study.section("X1", "test")
    study.predict("holdout", "X1", flat=GENES)
    page = Parsed(study.page(repository))
    assert "undefinedattended (headline)" in page.text
    assert "(+ 4 undefined)" in page.text
    assert "0.00" not in page.text


def test_a_gene_that_a_section_or_a_model_lacks_is_said_so(study, repository):
    study.section("X3", "test", "P6")
    study.predict("holdout", "X3", unmeasured=GENES)
    study.section("H2", "predict", "P7")
    study.genes = ["OTHER"]
    study.predict("all", "H2")
    page = Parsed(study.page(repository))
    assert "observed: not measured in this section" in page.text
    assert "predicted: not on the panel of this model" in page.text


def test_names_from_the_users_files_cannot_inject_markup(tmp_path, repository):
    script, event = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'
    study = Study(tmp_path, name=event + "&", genes=(script, event, "$\\frac{", "{{ 7*7 }}"))
    study.section("X1", "test", patient=event, fallback=script)
    study.predict("holdout", "X1")
    study.settings = SETTINGS | {"stain": {"reference": event}}
    page = Parsed(study.page(repository, genes=4))
    assert not [tag for tag, _ in page.elements if tag == "script"]
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    assert all(found["src"].startswith("data:") for tag, found in page.elements if tag == "img")
    for text in (script, event, "$\\frac{", "{{ 7*7 }}", event + "&"):
        assert text in page.text


def test_no_path_and_no_user_name_is_passed_on(study, repository):
    study.settings = SETTINGS | {
        "model": SETTINGS["model"] | {"use": r"C:\Users\jane\model.pt"},
        "genes": {"list": "$HOME/jane/panel.txt"},
    }
    page = re.sub(r"base64,[\w+/=]+", "", study.page(repository))
    text = Parsed(page).text
    assert all(name in text for name in ("resnet50.pth", "model.pt", "panel.txt"))
    assert not any(secret in page for secret in ("jane", "/home", str(study.folder), str(repository)))


def test_settings_are_shown_by_group():
    assert shown_settings(SETTINGS) == {
        "study": {"samples": "samples.tsv", "seed": "1"},
        "features": {"weights": "resnet50.pth", "precision": "auto"},
        "model": {"use": "none", "layers": "layer3, layer4", "headline": "attended"},
    }


def test_the_same_results_give_the_same_page(rendered, repository):
    assert rendered.study.page(repository) == rendered.html


def test_embedded_pictures_are_whole(rendered):
    for _, found in rendered.page.elements:
        if "src" in found:
            kind, content = re.fullmatch(r"data:image/(png|jpeg);base64,(.+)", found["src"]).groups()
            magic = {"png": b"\x89PNG", "jpeg": b"\xff\xd8"}[kind]
            assert base64.b64decode(content, validate=True).startswith(magic)
            assert found["alt"]


def test_rendering_needs_neither_the_network_library_nor_the_slide_reader(repository):
    code = (
        "import sys, ressat.report, ressat.report_maps\n"
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
