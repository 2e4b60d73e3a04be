import copy
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ressat.base.errors import InputError, sentences
from ressat.workflow.study import BUNDLE_REFERENCE, IMAGE_REFERENCE, Study

SHEET = """sample\tslide\texpression\tspots\tpatient\trole
A1\tdata/A1.svs\tdata/A1/outs\t\tA\ttrain
B1\tdata/B1.jpg\tdata/B1.tsv.gz\tdata/B1_spots.tsv\tB\ttrain
C1\tdata/C1.svs\tdata/C1.h5ad\t\tC\ttest
X\tdata/X.svs\t\t\tA\tpredict
"""
UNLABELLED = "sample\tslide\trole\nX\tdata/X.svs\tpredict\n"
FILES = [
    "A1.svs", "B1.jpg", "C1.svs", "X.svs", "C1.h5ad", "B1.tsv.gz", "B1_spots.tsv", "reference.png",
    "A1/outs/filtered_feature_bc_matrix.h5", "A1/outs/spatial/tissue_positions.csv",
    "A1/outs/spatial/scalefactors_json.json", "weights.pth", "genes.txt", "model.pt",
]  # fmt: skip

Load = Callable[..., Study]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A study's folder with every file that its sheet names; the working directory."""
    for name in FILES:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content")
    (tmp_path / "samples.tsv").write_text(SHEET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def load(folder, repository) -> Load:
    """Load the study with the defaults but for settings given as group__name=value."""
    defaults = yaml.safe_load((repository / "config.yaml").read_text())

    def load(sheet: str | None = None, **settings: object) -> Study:
        config = copy.deepcopy(defaults)
        for setting, value in settings.items():
            group, _, name = setting.partition("__")
            config = config | {group: config[group] | {name: value} if name else value}
        if sheet is not None:
            (folder / "samples.tsv").write_text(sheet)
        return Study.load(config, "config.yaml", repository / "schemas")

    return load


def refusal(load: Load, *sheet: str, **settings: object) -> str:
    with pytest.raises(InputError) as caught:
        load(*sheet, **settings)
    assert caught.value.file
    assert caught.value.action
    return str(caught.value)


def test_the_sheet_becomes_sections_folds_and_files(load):
    study = load()
    assert list(study.sections) == ["A1", "B1", "C1", "X"]
    assert {name: form for name, (form, _) in study.counts.items()} == {
        "A1": "space_ranger", "B1": "legacy", "C1": "h5ad",
    }  # fmt: skip
    assert study.counts["B1"][1] == {"counts": Path("data/B1.tsv.gz"), "spots": Path("data/B1_spots.tsv")}
    assert study.slide("A1") == "data/A1.svs"
    assert study.slide("B1") == "results/slides/B1.tiff", "OpenSlide reads no JPEG"
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


def test_a_section_must_not_be_called_as_the_published_stain(load):
    assert "a section named published" in refusal(load, SHEET.replace("B1\t", "published\t", 1))


def test_a_saved_model_brings_its_own_stain_reference(load):
    study = load(UNLABELLED, model__use="data/model.pt")
    assert study.stain_reference("X") == BUNDLE_REFERENCE
    said = "stain.reference is data/reference.png, beside the saved model"
    assert said in refusal(
        load, UNLABELLED, model__use="data/model.pt", stain__reference="data/reference.png"
    )


def test_a_patient_on_both_sides_is_refused(load):
    assert "patient A has sections to train and to test on" in refusal(load, SHEET.replace("\tC\t", "\tA\t"))


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(("A1", "B1", "C1", "X"))])
def test_a_missing_file_is_named_with_its_section(load, folder, name):
    (folder / "data" / name).unlink()
    message = refusal(load)
    assert f"section {re.split('[./_]', name)[0]}: data/{name}: no such file or folder" in message


def test_a_missing_folder_of_counts_is_named_itself(load):
    message = refusal(load, SHEET.replace("A1/outs", "A1/out"))
    assert "section A1: data/A1/out: no such file or folder (expression)" in message


def test_a_slide_that_is_none_is_left_to_the_check_of_its_section(load, folder):
    (folder / "data/A1.tiff").write_bytes(b"no tiff")
    study = load(SHEET.replace("A1.svs", "A1.tiff"))
    assert study.slide("A1") == "data/A1.tiff"
    assert study.slide("B1") == "results/slides/B1.tiff"


def test_files_of_a_simulated_section_need_not_exist_yet(load, folder):
    (folder / "data/A1.svs").unlink()
    (folder / "data/A1/outs/filtered_feature_bc_matrix.h5").unlink()
    study = load(simulate={"sections": {"A1": {"seed": 1}}})
    assert study.slide("A1") == "data/A1.svs"
    assert study.counts["A1"][1]["positions"] == Path("data/A1/outs/spatial/tissue_positions.csv")


def test_a_simulated_section_that_the_sheet_does_not_have_is_refused(load):
    message = refusal(load, simulate={"sections": {"A2": {"seed": 1}}})
    assert "config.yaml: simulate.sections names A2, which is not in the sheet" in message


def test_settings_are_checked_first(load):
    assert "config.yaml: the unknown name stain.metod" in refusal(load, stain__metod="macenko")


def test_the_sheet_may_lie_elsewhere(load, folder, monkeypatch):
    (folder / "samples.tsv").rename(folder / "data/sheet.tsv")
    monkeypatch.setenv("RESSAT_TEST_DATA", str(folder / "data"))
    (folder / "data/sheet.tsv").write_text(SHEET.replace("data/", ""))
    for samples in ("data/sheet.tsv", "$RESSAT_TEST_DATA/sheet.tsv"):
        study = load(samples=samples)
        assert Path(study.slide("A1")).resolve() == folder / "data/A1.svs"
    assert "no such sample sheet" in refusal(load, samples="samples.tsv")


def test_the_stain_reference_is_published(load):
    study = load()
    assert study.stain_image is None
    assert study.stain_reference("A1") is None


def test_the_stain_reference_is_a_training_section(load):
    study = load(stain__reference="A1")
    assert study.stain_image is None
    assert study.stain_reference("C1") == "results/stain/A1.json"
    assert study.stain_reference("A1") is None, "it is its own reference"


def test_the_stain_reference_is_an_image(load, folder, monkeypatch):
    monkeypatch.setenv("RESSAT_TEST_DATA", str(folder / "data"))
    study = load(stain__reference="$RESSAT_TEST_DATA/reference.png")
    assert study.stain_image == str(folder / "data/reference.png")
    assert study.stain_reference("A1") == IMAGE_REFERENCE
    assert load(stain__reference="data/reference.png", stain__method="none").stain_reference("A1") is None


@pytest.mark.parametrize(("name", "role"), [("C1", "test"), ("X", "predict")])
@pytest.mark.parametrize("method", ["macenko", "none"])
def test_a_section_that_is_predicted_is_no_stain_reference(load, name, role, method):
    message = refusal(load, stain__reference=name, stain__method=method)
    assert f"config.yaml: stain.reference names section {name}, whose role is {role}" in message


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"stain__reference": "A11"},
            "stain.reference is A11, and there is no such file; expected published, a",
        ),
        ({"stain__reference": "data"}, "stain.reference is data, and there is no such file"),
        (
            {"features__weights": "imagenet"},
            "features.weights is imagenet, and there is no such file; expected IM",
        ),
        (
            {"genes": {"method": "list", "number": 9, "list": "none.txt"}},
            "genes.list is none.txt, and there is no",
        ),
        ({"features__weights": "$RESSAT_NOT_SET/w.pth"}, "environment variable RESSAT_NOT_SET is not set"),
        (
            {"samples": "$RESSAT_NOT_SET/s.tsv"},
            "samples is $RESSAT_NOT_SET/s.tsv, and the environment variable",
        ),
    ],
)
def test_a_file_that_a_setting_names_must_exist(load, settings, said):
    message = refusal(load, **settings)
    assert f"config.yaml: {said}" in message or f"{said}; set RESSAT_NOT_SET" in message


def test_weights_are_downloaded_random_or_a_file(load, folder, monkeypatch):
    monkeypatch.setenv("RESSAT_TEST_DATA", str(folder / "data"))
    assert load().weights == "resources/weights/resnet50_IMAGENET1K_V2.pth"
    assert load(features__weights="random").weights is None
    assert load(features__weights="data/weights.pth").weights == "data/weights.pth"
    study = load(features__weights="${RESSAT_TEST_DATA}/weights.pth")
    assert study.weights == str(folder / "data/weights.pth")


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


def test_a_section_is_no_stain_reference_where_every_section_is_tested(load):
    said = refusal(load, evaluation__scheme="leave_one_patient_out", stain__reference="A1")
    assert "stain.reference names section A1, which evaluation.scheme leave_one_patient_out tests" in said
    assert load(stain__reference="A1").stain_reference("C1") == "results/stain/A1.json"


def test_gene_names_are_held_against_those_of_the_first_section_with_counts(load):
    assert load().counts_reference == "A1"
    assert load(UNLABELLED, model__use="data/model.pt").counts_reference is None


def test_models_learn_from_test_sections_in_their_turn_only(load):
    assert not load().is_learnt_from("C1")
    assert load(evaluation__scheme="leave_one_patient_out").is_learnt_from("C1")


def test_candidates_are_the_settings_and_what_differs_from_them(load):
    tried = load(model__candidates=[{"context": 0}, {"hidden": 0, "layers": ["layer4"]}]).candidates
    shape = {"hidden": 256, "dropout": 0.7, "members": 5}
    assert tried == [
        (["layer3"], 1.5, shape), (["layer3"], 0, shape), (["layer4"], 1.5, shape | {"hidden": 0}),
    ]  # fmt: skip


def test_an_unknown_setting_of_a_candidate_is_refused(load):
    said = refusal(load, model__candidates=[{"contxt": 0}])
    assert "the unknown name model.candidates.0.contxt" in said
    assert "did you mean context?" in said


@pytest.mark.parametrize(("section", "role"), [("C1", "test"), ("X", "predict")])
def test_the_slide_of_a_section_that_is_predicted_is_no_stain_reference_either(load, folder, section, role):
    (folder / f"data/{section}.svs").write_bytes(b"the slide of this very section")
    (folder / "copy.svs").write_bytes(b"the slide of this very section")
    for path in (f"data/{section}.svs", "copy.svs"):
        assert f"names section {section}, whose role is {role}" in refusal(load, stain__reference=path)


def test_the_slide_of_a_section_is_no_stain_reference_where_every_section_is_tested(load, folder):
    (folder / "data/A1.svs").write_bytes(b"the slide of this very section")
    said = refusal(load, evaluation__scheme="leave_one_patient_out", stain__reference="data/A1.svs")
    assert "stain.reference names section A1, which evaluation.scheme" in said
    assert load(stain__reference="data/A1.svs").stain_image == "data/A1.svs"


def test_one_file_of_counts_is_not_that_of_two_sections(load):
    sheet = SHEET.replace("data/C1.h5ad", "data/../data/A1/outs")
    assert "sections A1 and C1 have the same counts" in refusal(load, sheet)


def test_the_files_missing_in_all_sections_are_named_at_once(load, folder):
    (folder / "data/A1.svs").unlink()
    (folder / "data/C1.h5ad").unlink()
    with pytest.raises(ExceptionGroup) as caught:
        load()
    first, second = sentences(caught.value).splitlines()
    assert first.startswith("section A1: data/A1.svs: no such file")
    assert second.startswith("section C1: data/C1.h5ad: no such file")


def test_a_section_that_is_left_out_needs_no_files(load, folder):
    lines = SHEET.splitlines()
    sheet = [line + "\t" + ("include", "yes", "", "1", "no")[number] for number, line in enumerate(lines)]
    (folder / "data/X.svs").unlink()
    assert list(load("\n".join(sheet)).sections) == ["A1", "B1", "C1"]


def test_a_simulated_section_may_be_left_out(load):
    lines = [*SHEET.splitlines(), "Y\tdata/Y.svs\t\t\tY\tpredict"]
    sheet = "\n".join(line + ("\tinclude", "", "", "", "", "\tno")[n] for n, line in enumerate(lines))
    assert list(load(sheet, simulate={"sections": {"Y": {}}}).sections) == ["A1", "B1", "C1", "X"]
