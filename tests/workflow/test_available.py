"""One failing section does not cost the study: the run ends with what failed, and the rest can be had."""

import csv
import re
import shlex

import pytest

from ressat.workflow.failures import Failure, write_failures
from studies import copy_study

# The first of the sheet, with which the genes of all others are compared; its scale contradicts its tags.
WRONG_SCALE = "M4\tdata/M4/slide.tiff\tdata/M4/outs\tP4\ttest\t9\n"
NO_SLIDE = "M5\tnotes.jpg\t\tP5\tpredict\t\n"


@pytest.fixture(scope="module")
def study(micro, tmp_path_factory):
    """The finished micro-study, to which two sections are added that fail their checks."""
    study = copy_study(micro, tmp_path_factory.mktemp("failing") / "micro", results=True)
    header, *rows = (study / "samples.tsv").read_text().splitlines(keepends=True)
    rows = [row.replace("\n", "\t\n") for row in rows]
    (study / "samples.tsv").write_text(
        "".join([header.replace("\n", "\tmpp\n"), WRONG_SCALE, *rows, NO_SLIDE])
    )
    (study / "notes.jpg").write_text("no picture")
    config = (study / "config.yaml").read_text()
    (study / "config.yaml").write_text(
        config + re.findall(r"(?m)^    M2:.*\n", config)[0].replace("M2", "M4")
    )
    return study


def reported(output: str) -> list[str]:
    """The lines about what failed, which are the last of a run."""
    return output.split("\nFailed: ")[1].splitlines()


@pytest.fixture(scope="module")
def failed(study, snakemake) -> list[str]:
    """What a run of it says at its end, before which one stopped at its first failure."""
    stopped = reported(snakemake(study, succeeds=False).output)
    assert re.match(r"1 job, of 1 section \(M[45]\)", stopped[0])
    assert (study / "results/report.html").exists()
    return reported(snakemake(study, "--keep-going", succeeds=False).output)


@pytest.fixture(scope="module")
def rest(study, failed, snakemake):
    """The folder that the proposed command makes."""
    (line,) = [line for line in failed if line.startswith("Without them: ")]
    program, target, *options = shlex.split(line.removeprefix("Without them: "))
    assert (program, target) == ("snakemake", "available")
    assert options[-2:] == ["--directory", str(study)]
    snakemake(study, target, "--keep-going")
    return study / "results/available"


def test_the_run_ends_with_what_failed_why_and_what_to_do(failed):
    assert failed[0] == "2 jobs, of 2 sections (M4, M5)"
    text = "\n".join(failed)
    assert "- check_section M4: section M4: data/M4/slide.tiff: the sources of its scale contradict" in text
    assert "\n  log: logs/check_section/M4.log\n" in text
    assert "- check_section M5: section M5: notes.jpg: " in text
    assert "write no in the column include of samples.tsv" in text
    assert "Traceback" not in text


def test_the_others_are_evaluated_and_reported(rest):
    with open(rest / "evaluation/per_section.tsv", newline="") as file:
        assert {row["section"] for row in csv.DictReader(file, delimiter="\t")} == {"M2"}
    with open(rest / "missing.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [(row["fold"], row["section"], row["side"]) for row in rows] == [
        ("holdout", "M4", "test"),
        ("all", "M5", "predict"),
    ]
    assert (rest / "missing.tsv").read_text().endswith("\n\n")
    page = (rest / "report.html").read_text()
    assert "Part of the study: 2 sections are missing." in page
    for row in rows:
        assert row["log"] == f"logs/check_section/{row['section']}.log"
        assert f"<li><strong>{row['section']}</strong> ({row['side']} in fold {row['fold']}): section" in page


def test_that_is_all_until_something_changes(rest, study, snakemake):
    assert "Nothing to be done" in snakemake(study, "available", "--dry-run").output


def test_once_they_are_mended_the_whole_is_made(rest, study, snakemake):
    sheet = study / "samples.tsv"
    sheet.write_text(sheet.read_text().replace("\t9\n", "\t\n").replace(NO_SLIDE, ""))
    names = snakemake(study, "--dry-run").job_names
    assert {
        "check_section M4",
        "check_genes M2",
        "check_leakage holdout",
        "predict_expression holdout M4",
    } <= names
    assert {"evaluate_predictions", "render_report", "draw_figures"} <= names
    assert not [name for name in names if "available" in name or "missing" in name]


def test_where_nothing_failed_it_is_the_whole(micro, snakemake):
    run = snakemake(micro, "available", "--dry-run")
    assert "Nothing to be done" in run.output
    assert not (micro / "logs/failed.json").exists()


@pytest.mark.parametrize(
    "jobs",
    [
        [("check_section", "M1", None)],
        [("train_model", None, "holdout"), ("predict_expression", "M3", "all")],
    ],
)
def test_where_nothing_is_left_that_is_said(repository, snakemake, tmp_path, jobs):
    study = copy_study(repository / "tests/workflow/micro", tmp_path / "micro")
    failures = [Failure(*job, "wrong.", "x.log", ("never",)) for job in jobs]
    write_failures(study / "logs/failed.json", failures)
    output = snakemake(study, "available", "--dry-run", succeeds=False).output
    assert "Nothing can be evaluated or reported without what failed, which logs/failed.json lists." in output
    assert "Traceback" not in output
    assert "Nothing can be" not in snakemake(study, "--dry-run").output
