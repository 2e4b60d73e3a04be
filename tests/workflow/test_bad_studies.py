"""What is wrong with a study is said in one sentence, before any job starts."""

import os

import pytest

from studies import copy_study


@pytest.fixture
def study(repository, tmp_path):
    return copy_study(repository / "tests/workflow/micro", tmp_path / "study")


def refused(snakemake, study) -> str:
    output = snakemake(study, "--dry-run", succeeds=False).output
    assert "Traceback" not in output
    return output


def test_a_folder_without_config(snakemake, study):
    (study / "config.yaml").unlink()
    assert f"{study} has no config.yaml" in refused(snakemake, study)


def test_a_folder_without_sheet(snakemake, study):
    (study / "samples.tsv").unlink()
    assert "samples.tsv: no such sample sheet" in refused(snakemake, study)


def test_a_misspelt_setting(snakemake, study):
    (study / "config.yaml").write_text("tiling: {tile_mu: 112}\n")
    assert "did you mean tile_um?" in refused(snakemake, study)


def test_settings_that_are_not_yaml(snakemake, study):
    (study / "config.yaml").write_text("tiling: {tile_um: 112\n")
    assert "config.yaml: it cannot be read as YAML (line 2, column 1)" in refused(snakemake, study)


def test_a_missing_slide(snakemake, study):
    sheet = (study / "samples.tsv").read_text()
    (study / "samples.tsv").write_text(sheet + "X1\tgone.svs\t\tP9\tpredict\n")
    assert "section X1: gone.svs: no such file" in refused(snakemake, study)


def test_a_patient_on_both_sides(snakemake, study):
    sheet = (study / "samples.tsv").read_text()
    (study / "samples.tsv").write_text(sheet.replace("\tP2\t", "\tP1\t"))
    output = refused(snakemake, study)
    assert "patient P1 has sections to train and to test on (M1, M2)" in output
    assert "evaluation.within_patient: true" in output


@pytest.mark.parametrize(
    ("evaluation", "words"),
    [
        ("{scheme: leave_one_patient}", 'evaluation.scheme is "leave_one_patient"'),
        ("{scheme: patient_kfold, folds: 3}", "evaluation.folds is 3, and there are 2 patients (P1, P2)"),
        ("{scheme: patient_kfold, folds: 1}", "a whole number, 2 or more"),
    ],
)
def test_a_scheme_that_the_sheet_does_not_allow(snakemake, study, evaluation, words):
    (study / "config.yaml").write_text((study / "config.yaml").read_text() + f"evaluation: {evaluation}\n")
    assert words in refused(snakemake, study)


def test_one_patient_under_a_patient_scheme(snakemake, study):
    (study / "samples.tsv").write_text((study / "samples.tsv").read_text().replace("\tP2\t", "\tP1\t"))
    config = (study / "config.yaml").read_text()
    (study / "config.yaml").write_text(config + "evaluation: {scheme: leave_one_patient_out}\n")
    assert "there is only 1 patient (P1); expected at least 2 patients" in refused(snakemake, study)


def test_a_stain_reference_that_is_tested_in_its_turn(snakemake, study):
    config = (study / "config.yaml").read_text()
    scheme = "evaluation: {scheme: leave_one_patient_out}\nstain: {reference: M1}\n"
    (study / "config.yaml").write_text(config + scheme)
    assert "stain.reference names section M1, which evaluation.scheme" in refused(snakemake, study)


def test_a_panel_file_that_is_missing(snakemake, study):
    config = (study / "config.yaml").read_text()
    text = config.replace("  method: highest\n", "  method: list\n  list: panel.txt\n")
    (study / "config.yaml").write_text(text)
    assert "genes.list is panel.txt, and there is no such file" in refused(snakemake, study)


@pytest.mark.parametrize(
    "code", ["?open('ran', 'w').close() or True: {}", "seed: ?__import__('os').mkdir('ran') or 1"]
)
def test_settings_that_run_code(snakemake, study, code):
    (study / "config.yaml").write_text(f"__use_yte__: true\n{code}\n")
    assert "config.yaml: __use_yte__, by which a config file runs code" in refused(snakemake, study)
    assert not (study / "ran").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "seed: 1\nseed: 2\n",
            "more.yaml: it cannot be read as YAML (line 2, column 1): seed is",
        ),
        ("__use_yte__: true\nseed: 2\n", "more.yaml: __use_yte__, by which a config file runs code"),
    ],
)
def test_settings_named_on_the_command_line(snakemake, study, text, words):
    (study / "more.yaml").write_text(text)
    more = ("--configfile", str(study / "more.yaml"))
    output = snakemake(study, "--dry-run", *more, succeeds=False).output
    assert words in output
    assert "Traceback" not in output


@pytest.mark.parametrize("name", ["config.yaml", "samples.tsv"])
def test_a_pipe_instead_of_a_file(snakemake, study, name):
    (study / name).unlink()
    os.mkfifo(study / name)
    assert f"{name}: a named pipe (FIFO), not a file" in refused(snakemake, study)
