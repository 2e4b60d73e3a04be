"""The report is one file that is safe to pass on."""

import base64
import csv
import hashlib
import json
import re
import subprocess
import sys

import pytest

from parsed_page import Parsed
from report_study import SETTINGS, Study, whole_study


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
    code = (
        "import sys\nimport ressat.report.content\n"
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


@pytest.mark.parametrize("path", ["/home/jane/study/", "$STUDIES/jane/", "~/jane/", "${STUDIES}/jane/"])
def test_what_is_missing_is_said_without_the_folders_of_paths(tmp_path, repository, path):
    study = whole_study(tmp_path)
    reason = f"section T9: {path}T9.svs: its scale is 2 um/px; expected <b>0.5</b>; see data/T9.tsv."
    place = {"section": "T9", "reason": reason, "log": "x.log", "patient": "P9"}
    study.missing = [
        {**place, "fold": "holdout", "side": "test"},
        {**place, "fold": "all", "side": "train"},
        {**place, "section": "T8", "fold": "holdout", "side": "test", "reason": "no tile."},
    ]
    page = study.page(repository)
    assert "Part of the study: 2 sections are missing." in page
    shown = "section T9: T9.svs: its scale is 2 um/px; expected &lt;b&gt;0.5&lt;/b&gt;; see data/T9.tsv."
    assert f"<strong>T9</strong> (test in fold holdout, train in fold all): {shown}" in page
    assert "<strong>T8</strong> (test in fold holdout): no tile." in page
    assert "jane" not in page


def test_a_whole_study_misses_nothing(tmp_path, repository):
    assert 'id="missing"' not in whole_study(tmp_path).page(repository)
