import pytest

from ressat.workflow.study import BUNDLE_REFERENCE, IMAGE_REFERENCE
from small_study import SHEET, UNLABELLED, refusal


def test_a_section_must_not_be_called_as_the_published_stain(load):
    assert "a section named published" in refusal(load, SHEET.replace("B1\t", "published\t", 1))


def test_a_saved_model_brings_its_own_stain_reference(load):
    study = load(UNLABELLED, model__use="data/model.pt")
    assert study.stain_reference("X") == BUNDLE_REFERENCE
    said = "stain.reference is data/reference.png, although model.use names a saved model"
    assert said in refusal(
        load, UNLABELLED, model__use="data/model.pt", stain__reference="data/reference.png"
    )


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


def test_a_section_is_no_stain_reference_where_every_section_is_tested(load):
    said = refusal(load, evaluation__scheme="leave_one_patient_out", stain__reference="A1")
    assert "stain.reference names section A1, which evaluation.scheme leave_one_patient_out tests" in said
    assert load(stain__reference="A1").stain_reference("C1") == "results/stain/A1.json"


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
