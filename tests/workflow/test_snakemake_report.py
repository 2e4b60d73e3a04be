"""Snakemake's own report: made without network, every figure, table and section in place and explained."""

import json
import re
import zipfile
from html.parser import HTMLParser
from types import SimpleNamespace

import jinja2
import pytest
from docutils.core import publish_doctree

from studies import copy_study

SECTIONS = ("M1", "M2", "M3")
FIGURES = ("accuracy", "attention", "genes", "maps")
CATEGORIES = {
    "Report": {"results/report.html"},
    "Figures": {f"results/figures/{name}.png" for name in FIGURES},
    "Tables": {
        f"results/evaluation/{name}.tsv" for name in ("per_section", "summary", "usable_genes", "scales")
    },
    "Sections": {f"results/{folder}/{name}.png" for folder in ("tiles", "stain") for name in SECTIONS},
}
# An address at which nothing answers: what is asked of the network through it fails at once.
NOWHERE = "http://127.0.0.1:9"
# Text that a user may write, and that would run in a page that does not escape it.
MARKUP = ["</script><script>alert(1)</script>", "<!--<script>"]
# Paths with a variable, as in sheet and config, and what they stand for.
PRIVATE = "data/of_somebody/.."


class Outside(HTMLParser):
    """What a page asks for beside itself."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        named = [value for name, value in attrs if name in ("src", "href")]
        self.found += [value for value in named if not value.startswith(("data:", "#"))]


@pytest.fixture(scope="module")
def archive(micro, snakemake, tmp_path_factory):
    """Snakemake's report of the micro-study, made while no network can be reached."""
    study = copy_study(micro, tmp_path_factory.mktemp("reported") / "micro", results=True)
    (study / "data/of_somebody").mkdir()
    (study / "data/weights.pth").touch()
    (study / "data/panel.txt").touch()
    sheet, config = study / "samples.tsv", study / "config.yaml"
    sheet.write_text(sheet.read_text().replace("data/M3/slide.tiff", "$STUDY_DATA/M3/slide.tiff"))
    text = config.read_text().replace("weights: random", "weights: ${STUDY_DATA}/weights.pth")
    text = text.replace("method: highest", "method: list\n  list: $STUDY_DATA/panel.txt")
    config.write_text(text.replace("report:\n", f"report:\n  always: {json.dumps(MARKUP)}\n"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDY_DATA", PRIVATE)
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.setenv(name, NOWHERE)
        patch.delenv("no_proxy", raising=False)
        patch.delenv("NO_PROXY", raising=False)
        snakemake(study, "--report", "report.zip")
    with zipfile.ZipFile(study / "report.zip") as archive:
        yield archive


@pytest.fixture(scope="module")
def page(archive) -> str:
    return archive.read("report/report.html").decode()


def told(page: str, name: str) -> object:
    """A value that the page holds for its scripts."""
    start = re.search(rf"<script id=\"[\w-]+\">\s*var {name} = ", page).end()
    return json.JSONDecoder().raw_decode(page, start)[0]


def test_the_page_needs_nothing_from_elsewhere(page):
    assert Outside(page).found == []


def test_results_stand_in_their_categories(page):
    found = told(page, "categories")
    assert {
        name: {path for paths in parts.values() for path in paths} for name, parts in found.items()
    } == CATEGORIES


def test_every_result_has_a_caption_and_labels(page):
    results = told(page, "results")
    assert set(results) == set().union(*CATEGORIES.values())
    for path, result in results.items():
        assert len(result["caption"]) > 100, path
        assert "system-message" not in result["caption"], path
        assert result["labels"]["what"], path
    for name in SECTIONS:
        overlay, preview = (results[f"results/{folder}/{name}.png"] for folder in ("tiles", "stain"))
        assert overlay["labels"] == {"section": name, "what": "tiles"}
        assert preview["labels"] == {"section": name, "what": "stains"}
        assert f"ection {name}" in overlay["caption"]
    assert "ResSAT" in told(page, "workflow_desc")


def test_the_files_themselves_are_in_it(archive, micro):
    names = {file.filename: file.file_size for file in archive.infolist()}
    for path in set().union(*CATEGORIES.values()):
        ends = [size for name, size in names.items() if name.endswith(f"/{path.rpartition('/')[2]}")]
        assert (micro / path).stat().st_size in ends, path


def test_captions_are_all_used_and_correct(repository):
    rules = "".join(
        file.read_text() for file in [*(repository / "rules").glob("*.smk"), repository / "Snakefile"]
    )
    captions = sorted((repository / "report").iterdir())
    assert {f"report/{file.name}" for file in captions} == set(re.findall(r"report/\w+\.rst", rules))
    for file in captions:
        # Everything that docutils complains of is an error here.
        publish_doctree(
            file.read_text(encoding="utf-8"), settings_overrides={"halt_level": 1, "report_level": 1}
        )


def test_without_a_tested_section_no_figure_is_asked_for(repository, snakemake, tmp_path):
    study = copy_study(repository / "tests/workflow/micro", tmp_path / "micro")
    sheet = study / "samples.tsv"
    sheet.write_text(sheet.read_text().replace("\ttest\n", "\ttrain\n"))
    announced = snakemake(study, "--dry-run").jobs
    assert "render_report" in announced
    assert "draw_figures" not in announced


def test_text_of_the_study_cannot_end_a_script(page):
    assert not [text for text in MARKUP if text in page]
    shown = told(page, "results")["results/report.html"]["job_properties"]["params"]
    assert "u003c/script>" in shown


def test_paths_are_shown_as_they_are_written(page):
    params = told(page, "results")["results/tiles/M3.png"]["job_properties"]["params"]
    assert "$STUDY_DATA/M3/slide.tiff" in params
    settings = told(page, "results")["results/report.html"]["job_properties"]["params"]
    assert "${STUDY_DATA}/weights.pth" in settings
    assert "$STUDY_DATA/panel.txt" in settings
    assert PRIVATE not in page
    assert not [path for rule in told(page, "rules").values() for path in rule["input"] if "panel" in path]


@pytest.mark.parametrize("name", ["M_", "__a__", "-b_1_"])
@pytest.mark.parametrize("caption", ["overlay", "preview"])
def test_a_caption_shows_any_sections_name_as_it_is(repository, name, caption):
    text = (repository / f"report/{caption}.rst").read_text(encoding="utf-8")
    job = SimpleNamespace(wildcards=SimpleNamespace(sample=name))
    filled = jinja2.Template(text).render(snakemake=job)
    tree = publish_doctree(filled, settings_overrides={"halt_level": 1, "report_level": 1})
    assert f"ection {name} " in tree.astext().replace("\n", " ")
