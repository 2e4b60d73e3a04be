"""What is wrong with a study is said in one sentence, before any job starts."""

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
