from pathlib import Path

import yaml

from ressat.workflow.study import Study
from small_study import SHEET, UNLABELLED, refusal


def test_the_sheet_becomes_sections_folds_and_files(load):
    study = load()
    assert list(study.sections) == ["A1", "B1", "C1", "X"]
    assert {name: source.format for name, source in study.counts.items()} == {
        "A1": "space_ranger", "B1": "legacy", "C1": "h5ad",
    }  # fmt: skip
    assert study.counts["B1"].files == {"counts": Path("data/B1.tsv.gz"), "spots": Path("data/B1_spots.tsv")}
    assert study.sections["A1"].slide == Path("data/A1.svs")
    assert study.converted_slide("A1") is None
    assert study.converted_slide("B1") == "results/slides/B1.tiff", "OpenSlide reads no JPEG"
    assert study.trained_folds == ["holdout", "all"]
    assert study.tested == [("holdout", "C1")]
    assert study.predicted == [("holdout", "C1"), ("all", "X")]
    assert study.patients(("A1", "C1")) == {"A1": "A", "C1": "C"}
    assert study.model("all") == "results/folds/all/model.pt"


def test_the_rows_of_the_table_of_folds(load):
    rows = [tuple(row.values()) for row in load().fold_rows]
    assert rows == [
        ("holdout", "A1", "A", "train"), ("holdout", "B1", "B", "train"), ("holdout", "C1", "C", "test"),
        ("all", "A1", "A", "train"), ("all", "B1", "B", "train"), ("all", "X", "A", "predict"),
    ]  # fmt: skip
    assert list(load().fold_rows[0]) == ["fold", "sample", "patient", "side"]


def test_scores_say_what_they_stand_for(load):
    assert load().protocol("holdout", "C1") == "holdout, unseen patients"
    assert load().protocol("all", "X") == "not scored"
    same = load(SHEET.replace("\tC\t", "\tA\t"), evaluation__within_patient=True)
    assert same.protocol("holdout", "C1") == "holdout, within-patient replicates"


def test_the_first_section_of_each_protocol_is_shown(load):
    assert load().first_tested == [("holdout", "C1")]
    # C2 is of a patient that is learnt from.
    sheet = SHEET + "C2\tdata/A1.svs\tdata/B1.tsv.gz\tdata/B1_spots.tsv\tA\ttest\n"
    sheet = sheet.replace("B1\tdata/B1.jpg\tdata/B1.tsv.gz\tdata/B1_spots.tsv\tB\ttrain\n", "")
    found = load(sheet, evaluation__within_patient=True)
    assert found.first_tested == [("holdout", "C1"), ("holdout", "C2")]
    assert load(UNLABELLED, model__use="data/model.pt").first_tested == []


def test_a_patient_on_both_sides_is_refused(load):
    assert "patient A has sections to train and to test on" in refusal(load, SHEET.replace("\tC\t", "\tA\t"))


def test_settings_are_checked_first(load):
    assert "config.yaml: the unknown name stain.metod" in refusal(load, stain__metod="macenko")


def test_a_gene_list_is_read_for_the_method_list_alone(load):
    assert load(genes__list="data/none.txt").gene_list is None
    genes = {"method": "list", "number": 250, "list": "data/genes.txt"}
    assert load(genes=genes).gene_list == "data/genes.txt"


def test_a_study_without_counts_uses_a_saved_model(load):
    study = load(UNLABELLED, model__use="data/model.pt")
    assert study.predicted == [("bundle", "X")]
    assert (study.trained_folds, study.tested, study.counts) == ([], [], {})
    assert study.model("bundle") == "data/model.pt"


def test_a_saved_model_must_exist_and_stands_alone(load):
    said = "config.yaml: model.use is data/none.pt, and there is no such file; expected the path of a saved"
    assert said in refusal(load, UNLABELLED, model__use="data/none.pt")
    assert "but A1, B1, C1 have counts" in refusal(load, SHEET, model__use="data/model.pt")
    assert "no section has role train" in refusal(load, UNLABELLED)


def test_adding_a_section_to_predict_changes_nothing_that_is_trained(load):
    before = load(SHEET.replace("X\tdata/X.svs\t\t\tA\tpredict\n", ""))
    after = load(SHEET)
    assert before.folds["holdout"] == after.folds["holdout"]
    assert before.folds["all"].train == after.folds["all"].train
    assert before.counts == after.counts


def test_the_demo_study_loads(repository, monkeypatch):
    monkeypatch.chdir(repository / "demo")
    config = yaml.safe_load((repository / "config.yaml").read_text())
    for name, value in yaml.safe_load(Path("config.yaml").read_text()).items():
        config[name] = {**config[name], **value} if isinstance(value, dict) else value
    assert Study.load(config, "config.yaml", repository / "schemas").trained_folds == ["holdout", "all"]


def test_leaving_out_patients_is_a_scheme_of_its_own(load):
    study = load(evaluation__scheme="leave_one_patient_out")
    assert study.tested == [("without_A", "A1"), ("without_B", "B1"), ("without_C", "C1")]
    assert study.tested_folds == ["without_A", "without_B", "without_C"]
    assert study.protocol("without_A", "A1") == "leave one patient out, unseen patients"
    assert study.sides("without_A") == {"B1": "train", "C1": "train", "A1": "test"}
    assert not study.allows_within_patient


def test_leaving_out_sections_implies_that_patients_may_stand_on_both_sides(load):
    study = load(SHEET.replace("\tB\ttrain", "\tA\ttrain"), evaluation__scheme="leave_one_section_out")
    assert study.allows_within_patient
    assert study.protocol("without_A1", "A1") == "leave one section out, within-patient replicates"
    assert study.protocol("without_C1", "C1") == "leave one section out, within-patient replicates"


def test_gene_names_are_held_against_those_of_the_first_section_with_counts(load):
    assert load().counts_reference == "A1"
    assert load(UNLABELLED, model__use="data/model.pt").counts_reference is None


def test_models_learn_from_test_sections_in_their_turn_only(load):
    assert not load().is_training_section("C1")
    assert load(evaluation__scheme="leave_one_patient_out").is_training_section("C1")


def test_candidates_are_the_settings_and_what_differs_from_them(load):
    tried = load(
        model__candidates=[{"context": 0}, {"hidden": 0, "layers": ["layer4"]}]
    ).model_settings.candidates
    head = {"hidden": 256, "dropout": 0.7, "members": 5}
    assert tried == [
        {"layers": ["layer3"], "context": 1.5, "head": head},
        {"layers": ["layer3"], "context": 0, "head": head},
        {"layers": ["layer4"], "context": 1.5, "head": head | {"hidden": 0}},
    ]


def test_an_unknown_setting_of_a_candidate_is_refused(load):
    said = refusal(load, model__candidates=[{"contxt": 0}])
    assert "the unknown name model.candidates.0.contxt" in said
    assert "did you mean context?" in said
