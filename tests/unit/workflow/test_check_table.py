"""`snakemake check` ends with a table of all sections, and of all that is wrong with them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ressat.checks.record import CheckRecord
from ressat.encoders.record import EncoderRecord
from ressat.workflow.check_outcome import CheckOutcome
from ressat.workflow.check_table import study_table
from ressat.workflow.study import Study

SHEET = """sample\tslide\texpression\trole
A1\tA1.svs\tA1.h5ad\ttrain
B1\tB1.svs\tB1.h5ad\ttest
X\tX.svs\t\tpredict
"""


@pytest.fixture
def study(repository, tmp_path, monkeypatch) -> Study:
    monkeypatch.chdir(tmp_path)
    for name in ("A1", "B1", "X"):
        Path(f"{name}.svs").write_bytes(b"slide")
        Path(f"{name}.h5ad").write_bytes(b"counts")
    Path("samples.tsv").write_text(SHEET)
    Path("w.pth").write_bytes(b"weights")
    config = yaml.safe_load((repository / "config.yaml").read_text())
    config["features"]["weights"] = "w.pth"
    return Study.load(config, "config.yaml", repository / "schemas")


@pytest.fixture(autouse=True)
def checked(study) -> None:
    """All three sections have passed; X has no counts, and A1 a warning."""
    for name in study.sections:
        labelled = name != "X"
        spots, genes = (300, 50) if labelled else (None, None)
        share, changes = (0.97, 0) if labelled else (None, None)
        warnings = ["look at the overlay"] if name == "A1" else []
        found = CheckRecord(name, 9000, 8000, 0.5, "sheet", 10.0, spots, genes, share, changes, warnings)
        found.write(f"results/checks/{name}.json")
        if labelled:
            Path(f"results/checks/{name}.genes.json").write_text("{}")
    record_encoder(study, "w.pth", [])


def record_encoder(study: Study, weights: str | None, warnings: list[str]) -> None:
    """Leave the record of the study's encoder."""
    description = study.first_encoder.description
    EncoderRecord.of("resnet50", description, weights, "0" * 64, warnings).write(ENCODER_FILE)


def leave_log(check: str, *problems: str) -> str:
    """Leave problems as a check does; gives the log's path."""
    file = Path(f"logs/{check}.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(problems))
    return str(file)


ENCODER_FILE = "results/encoders/resnet50.json"
ALL = {*(f"{name}.json" for name in ("A1", "B1", "X")), *(f"{name}.genes.json" for name in ("A1", "B1"))}


def table_of(study: Study, *unfinished: str, logs: tuple[str, ...] = (), gpus: int = 0) -> str:
    """The table after a run that wrote some logs and in which some results did not come to be."""
    passed = {f"results/checks/{file}" for file in ALL - set(unfinished)} | {ENCODER_FILE} - set(unfinished)
    return study_table(study, ".", gpus, CheckOutcome(frozenset(passed), frozenset(logs)))


def rows(table: str) -> dict[str, str]:
    return {line.split()[0]: line for line in table.split("\n\n")[0].splitlines()}


def test_every_section_has_a_row(study):
    table = rows(table_of(study))
    assert list(table) == ["section", "A1", "B1", "X"]
    assert table["B1"].split() == [
        *("B1", "test", "9000", "x", "8000", "0.5", "(sheet)", "300", "50", "97%"),
        *("16", "MB", "ok"),
    ]
    assert table["A1"].endswith("ok, 1 warning")
    assert "97%" not in table["X"]


@pytest.mark.parametrize(
    ("beyond", "cell"), [(0, "300 "), (1, "300 (+ 1 beyond image)"), (29, "300 (+ 29 beyond im")]
)
def test_spots_beyond_the_image_are_counted(study, beyond, cell):
    file = Path("results/checks/B1.json")
    replace(CheckRecord.read(file), beyond_image=beyond).write(file)
    table = table_of(study)
    assert f"  {cell}" in rows(table)["B1"]
    assert ("beyond" in table) == (beyond > 0)


def test_warnings_name_their_section(study):
    assert "Warnings: 1\n- section A1: look at the overlay" in table_of(study)


def test_all_problems_of_all_sections_are_listed(study):
    logs = (
        leave_log("check_section/A1", "section A1: A1.svs: it is empty.", "section A1: no scale."),
        leave_log("check_section/X", "section X: no tissue."),
    )
    text = table_of(study, "A1.json", "X.json", logs=logs)
    assert rows(text)["A1"].endswith("2 problems")
    assert rows(text)["B1"].endswith("ok")
    listed = (
        "Problems: 3\n- section A1: A1.svs: it is empty.\n- section A1: no scale.\n- section X: no tissue."
    )
    assert listed in text
    assert "needed for 1 of 3 sections, those without problems" in text


def test_genes_that_are_not_those_of_the_other_sections_are_a_problem(study):
    said = "section B1: B1.h5ad: of its 2 genes, 0 are among the 50 of section A1."
    text = table_of(study, "B1.genes.json", logs=(leave_log("check_genes/B1", said),))
    assert rows(text)["B1"].endswith("1 problem")
    assert f"- {said}" in text


def test_genes_that_could_not_be_compared_are_said(study):
    logs = (leave_log("check_section/A1", "section A1: A1.svs: it is empty."),)
    text = table_of(study, "A1.json", "A1.genes.json", "B1.genes.json", logs=logs)
    assert (
        "- section B1: its genes were not compared because section A1, their reference, has problems" in text
    )


@pytest.mark.parametrize("name", ["B1", "X"])
def test_a_record_of_an_earlier_sheet_does_not_count(study, name):
    text = table_of(study, f"{name}.json")
    assert Path(f"results/checks/{name}.json").exists()
    assert rows(text)[name].endswith("1 problem")
    assert "9000 x 8000" not in rows(text)[name]
    assert f"- section {name}: its check did not run, since Snakemake stopped before: check again" in text


@pytest.mark.parametrize("name", ["A1", "X"])
def test_a_check_that_was_killed_is_no_success_of_an_earlier_one(study, name):
    leave_log(f"check_section/{name}", "section: a problem of an earlier sheet.")
    text = table_of(study, f"{name}.json", logs=(f"logs/check_section/{name}.log",))
    assert rows(text)[name].endswith("1 problem")
    said = (
        f"section {name}: its check was stopped or killed, for lack of memory perhaps, or failed as the end "
    )
    assert f"{said}of logs/check_section/{name}.log says." in text
    assert "earlier sheet" not in text


@pytest.mark.parametrize("name", ["A1", "B1"])
def test_a_check_of_genes_that_was_killed_is_said(study, name):
    text = table_of(study, f"{name}.genes.json", logs=(f"logs/check_genes/{name}.log",))
    assert f"- section {name}: the check of its genes was stopped or killed" in text
    text = table_of(study, f"{name}.genes.json")
    assert f"- section {name}: the check of its genes did not run" in text


@pytest.mark.parametrize("check", ["check_section/B1", "check_genes/B1", "check_genes/X", "check_section/X"])
@pytest.mark.parametrize("is_new", [False, True])
def test_problems_of_an_earlier_sheet_do_not_count(study, check, is_new):
    log = leave_log(check, "section: a problem of an earlier sheet.")
    text = table_of(study, logs=(log,) * is_new)
    assert "Problems" not in text
    assert {line.split()[-1] for line in rows(text).values()} == {"found", "warning", "ok"}


@pytest.mark.parametrize("content", ["", "{}", '{"version": 1}'])
def test_a_record_that_cannot_be_read_is_said(study, content):
    Path("results/checks/B1.json").write_text(content)
    text = table_of(study)
    assert "- section B1: results/checks/B1.json cannot be read (" in text
    assert "remove it, and check again." in text


def test_disk_space_and_gpus_are_told(study):
    text = table_of(study, gpus=2)
    assert "Disk space: about" in text
    assert "GB free" in text
    assert "GPUs seen on this machine: 2\n" in text
    assert "on its CPU" in table_of(study)


def test_a_full_disk_is_seen_before_anything_is_made(study, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1_000_000})())
    assert "1 MB free; make room, or move the study" in table_of(study)


def test_the_encoder_is_named_with_its_licence_and_source(study):
    said = (
        "Encoder: ResNet50, weights w.pth (SHA-256 000000000000), "
        "giving layer3 (1024), layer4 (2048); licence: BSD-3-Clause (torchvision); source: https://"
    )
    assert said in table_of(study)


def test_what_the_encoders_check_found_is_listed(study):
    record_encoder(study, None, ["the scale is another"])
    assert "Warnings: 2\n- section A1: look at the overlay\n- the scale is another" in table_of(study)
    log = "logs/check_encoder/resnet50.log"
    Path(log).parent.mkdir(parents=True)
    Path(log).write_text("2026-01-01 00:00:00,000 ERROR stopped: w.pth: an empty file.\n")
    text = table_of(study, ENCODER_FILE, logs=(log,))
    assert "Problems: 1\n- encoder resnet50: w.pth: an empty file." in text
    assert "Encoder:" not in text
    assert "- encoder resnet50: its check did not run" in table_of(study, ENCODER_FILE)
    Path(ENCODER_FILE).write_text("{}")
    assert "- encoder resnet50: results/encoders/resnet50.json cannot be read (" in table_of(study)
