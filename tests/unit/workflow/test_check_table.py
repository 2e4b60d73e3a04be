"""`snakemake check` ends with a table of all sections, and of all that is wrong with them."""

import json
from pathlib import Path

import pytest
import yaml

from ressat.checks.record import CheckRecord
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
    config = yaml.safe_load((repository / "config.yaml").read_text())
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


def tell(check: str, *problems: str) -> None:
    """Leave problems as a check does."""
    file = Path(f"logs/{check}.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(problems))


def rows(table: str) -> dict[str, str]:
    return {line.split()[0]: line for line in table.split("\n\n")[0].splitlines()}


def test_every_section_has_a_row(study):
    table = rows(study_table(study, ".", gpus=0))
    assert list(table) == ["section", "A1", "B1", "X"]
    assert table["B1"].split() == [
        *("B1", "test", "9000", "x", "8000", "0.5", "(sheet)", "300", "50", "97%"),
        *("16", "MB", "ok"),
    ]
    assert table["A1"].endswith("ok, 1 warning")
    assert "97%" not in table["X"]


def test_warnings_name_their_section(study):
    assert "Warnings: 1\n- section A1: look at the overlay" in study_table(study, ".", gpus=0)


def test_all_problems_of_all_sections_are_listed(study):
    tell("check_section/A1", "section A1: A1.svs: it is empty.", "section A1: no scale.")
    tell("check_section/X", "section X: no tissue.")
    text = study_table(study, ".", gpus=0)
    assert rows(text)["A1"].endswith("2 problems")
    assert rows(text)["B1"].endswith("ok")
    assert "Problems: 3\n" in text
    listed = (
        "Problems: 3\n- section A1: A1.svs: it is empty.\n- section A1: no scale.\n- section X: no tissue."
    )
    assert listed in text
    assert "needed for 1 of 3 sections, those without problems" in text


def test_genes_that_are_not_those_of_the_other_sections_are_a_problem(study):
    Path("results/checks/B1.genes.json").unlink()
    tell("check_genes/B1", "section B1: B1.h5ad: of its 2 genes, 0 are among the 50 of section A1.")
    text = study_table(study, ".", gpus=0)
    assert rows(text)["B1"].endswith("1 problem")
    assert "- section B1: B1.h5ad: of its 2 genes, 0 are among" in text


def test_genes_that_could_not_be_compared_are_said(study):
    for name in ("A1", "B1"):
        Path(f"results/checks/{name}.genes.json").unlink()
    tell("check_section/A1", "section A1: A1.svs: it is empty.")
    text = study_table(study, ".", gpus=0)
    assert (
        "- section B1: its genes were not compared because section A1, their reference, has problems" in text
    )


def test_a_check_that_has_not_ended_is_said(study):
    Path("results/checks/X.json").unlink()
    assert "section X: its check did not finish; if it started, see logs/check_section/X.log" in study_table(
        study, ".", gpus=0
    )


def test_disk_space_and_gpus_are_told(study):
    text = study_table(study, ".", gpus=2)
    assert "Disk space: about" in text
    assert "GB free" in text
    assert "GPUs seen on this machine: 2\n" in text
    assert "on its CPU" in study_table(study, ".", gpus=0)


def test_a_full_disk_is_seen_before_anything_is_made(study, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1_000_000})())
    assert "1 MB free; make room, or move the study" in study_table(study, ".", gpus=0)
