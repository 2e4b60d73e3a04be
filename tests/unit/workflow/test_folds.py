import re
from pathlib import Path

import pytest

from ressat.base.errors import InputError
from ressat.workflow.folds import Fold, make_folds
from ressat.workflow.folds import tests_the_model_of_all as is_tested
from ressat.workflow.schemes.registry import SCHEMES
from ressat.workflow.sheet import Section


def section(sample: str, role: str, patient: str | None = None) -> Section:
    counts = None if role == "predict" else Path(f"{sample}/outs")
    return Section(sample, Path(f"{sample}.svs"), counts, None, patient or sample, role, None)


def folds(*sections: Section, bundle: str | None = None, **settings: object) -> dict[str, Fold]:
    evaluation = {"scheme": "holdout", "folds": 2, "within_patient": False} | settings
    return make_folds(sections, evaluation, bundle=bundle, sheet="samples.tsv")


TRAINING = section("A1", "train", "A"), section("B1", "train", "B")


def test_the_holdout_model_learns_from_training_sections_and_is_scored_on_test_sections():
    found = folds(section("C1", "test", "C"), *TRAINING, section("C2", "test", "C"))
    assert found["holdout"] == Fold("holdout", ("A1", "B1"), ("C1", "C2"), ())
    assert found["all"] == Fold("all", ("A1", "B1"), (), ())
    assert found["holdout"].predicted == ("C1", "C2")


def test_sections_without_counts_are_predicted_by_the_fold_all():
    found = folds(*TRAINING, section("X", "predict", "A"))
    assert found == {"all": Fold("all", ("A1", "B1"), (), ("X",))}


def test_adding_a_section_to_predict_changes_nothing_that_a_model_learns_from():
    before = folds(*TRAINING, section("C1", "test"))
    after = folds(section("X", "predict"), *TRAINING, section("C1", "test"), section("Y", "predict", "A"))
    assert before["holdout"] == after["holdout"]
    assert before["all"].train == after["all"].train
    assert after["all"].predict == ("X", "Y")


def test_the_model_of_all_is_tested_where_a_tested_fold_learns_from_the_same_sections():
    assert is_tested(folds(*TRAINING, section("C1", "test")))
    assert not is_tested(folds(*TRAINING))
    assert not is_tested(folds(*TRAINING, section("C1", "train", "C"), scheme="leave_one_patient_out"))
    assert not is_tested({})


def test_a_test_section_is_learnt_from_in_no_fold():
    for fold in folds(*TRAINING, section("C1", "test"), section("X", "predict")).values():
        assert "C1" not in fold.train


def test_a_patient_on_both_sides_is_refused_and_named():
    sections = [*TRAINING, section("A2", "test", "A"), section("C1", "test")]
    with pytest.raises(
        InputError, match=re.escape("patient A has sections to train and to test on (A1, A2)")
    ):
        folds(*sections)


def test_a_patient_on_both_sides_is_allowed_where_the_study_says_so():
    found = folds(section("A1", "train", "A"), section("A2", "test", "A"), within_patient=True)
    assert found["holdout"] == Fold("holdout", ("A1",), ("A2",), ())


def test_a_patient_may_have_training_sections_and_sections_to_predict():
    assert folds(section("A1", "train", "A"), section("A2", "predict", "A"))["all"].predict == ("A2",)


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(InputError, match=r"samples.tsv: no section has role train; .* model.use in config"):
        folds(section("C1", "test"), section("X", "predict"))


def test_a_saved_model_predicts_every_section():
    found = folds(section("X", "predict"), section("Y", "predict"), bundle="saved/model.pt")
    assert found == {"bundle": Fold("bundle", (), (), ("X", "Y"))}


def test_a_saved_model_beside_sections_with_counts_is_refused():
    with pytest.raises(InputError, match=r"model.use names the saved model saved/model.pt, but A1, B1 have"):
        folds(*TRAINING, section("X", "predict"), bundle="saved/model.pt")


COHORT = (
    section("A1", "train", "A"), section("B1", "train", "B"), section("A2", "train", "A"),
    section("C1", "train", "C"), section("X", "predict", "A"),
)  # fmt: skip
ROTATING = [name for name in SCHEMES.names if SCHEMES.load(name).rotates]


def test_every_patient_is_left_out_once():
    found = folds(*COHORT, scheme="leave_one_patient_out")
    assert found == {
        "without_A": Fold("without_A", ("B1", "C1"), ("A1", "A2"), ()),
        "without_B": Fold("without_B", ("A1", "A2", "C1"), ("B1",), ()),
        "without_C": Fold("without_C", ("A1", "A2", "B1"), ("C1",), ()),
        "all": Fold("all", ("A1", "A2", "B1", "C1"), (), ("X",)),
    }


def test_every_section_is_left_out_once_and_its_patient_may_stay():
    found = folds(*COHORT, scheme="leave_one_section_out")
    assert found["without_A1"] == Fold("without_A1", ("A2", "B1", "C1"), ("A1",), ())
    assert [name for name, fold in found.items() if fold.test] == [
        "without_A1", "without_B1", "without_A2", "without_C1",
    ]  # fmt: skip


@pytest.mark.parametrize("number", [2, 3])
def test_folds_of_patients_test_every_patient_once_and_as_a_whole(number):
    found = folds(*COHORT, scheme="patient_kfold", folds=number)
    tested = [fold.test for fold in found.values() if fold.test]
    assert len(tested) == number
    assert sorted(sum(tested, ())) == ["A1", "A2", "B1", "C1"]
    assert max(map(len, tested)) - min(map(len, tested)) <= 1
    for fold in found.values():
        assert not {name[0] for name in fold.train} & {name[0] for name in fold.test}


@pytest.mark.parametrize("scheme", ROTATING)
def test_folds_depend_neither_on_the_order_of_rows_nor_on_sections_to_predict(scheme):
    found = folds(*COHORT, scheme=scheme)
    turned = folds(*reversed(COHORT[:-1]), scheme=scheme)
    assert {name: (fold.train, set(fold.test)) for name, fold in turned.items()} == {
        name: (fold.train, set(fold.test)) for name, fold in found.items()
    }


def test_the_roles_train_and_test_take_turns_alike_but_no_test_section_enters_the_model_of_all():
    found = folds(*COHORT[:3], section("C1", "test", "C"), scheme="leave_one_patient_out")
    assert found["without_B"].train == ("A1", "A2", "C1")
    assert found["without_C"].test == ("C1",)
    assert found["all"].train == ("A1", "A2", "B1")


@pytest.mark.parametrize("scheme", ["leave_one_patient_out", "patient_kfold"])
def test_one_patient_is_too_few_to_leave_out(scheme):
    with pytest.raises(
        InputError, match=rf"samples.tsv: evaluation.scheme is {scheme}, and there is only 1 p"
    ):
        folds(section("A1", "train", "A"), section("A2", "train", "A"), scheme=scheme)


def test_one_section_is_too_few_to_leave_out():
    with pytest.raises(InputError, match="only 1 section with counts; expected at least 2"):
        folds(section("A1", "train"), section("X", "predict"), scheme="leave_one_section_out")


def test_more_folds_than_patients_are_refused():
    with pytest.raises(
        InputError, match=re.escape("evaluation.folds is 4, and there are 3 patients (A, B, C)")
    ):
        folds(*COHORT, scheme="patient_kfold", folds=4)


def test_a_patient_may_be_called_anything():
    found = folds(
        section("a", "train", "Mr. X/1"), section("b", "train", "P 2"), scheme="leave_one_patient_out"
    )
    assert list(found) == ["without_Mr__X_1", "without_P_2", "all"]


def test_sections_that_are_all_for_testing_take_turns_too():
    sections = section("A1", "test", "A"), section("B1", "test", "B")
    assert list(folds(*sections, scheme="leave_one_patient_out")) == ["without_A", "without_B"]
    with pytest.raises(InputError, match="no section has role train"):
        folds(*sections, section("X", "predict"), scheme="leave_one_patient_out")


@pytest.mark.parametrize("scheme", SCHEMES.names)
@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("P1", "p 1", "patients 'P1' and 'p 1'; expected one spelling"),
        ("Zoë", "Zoe\u0308", "patients 'Zoë' and 'Zoe\\u0308'; expected one spelling"),
        ("K12", "K12\u200b", "patients 'K12' and 'K12\\u200b'; expected one spelling"),
        ("K-12", "K\u201112", "patients 'K-12' and 'K\\u201112'; expected one spelling"),
    ],
)
def test_patients_that_differ_in_form_alone_are_refused(scheme, one, other, said):
    with pytest.raises(InputError, match=re.escape(f"samples.tsv: {said}")):
        folds(section("a", "train", one), section("b", "test", other), section("c", "train"), scheme=scheme)


@pytest.mark.parametrize("role", ["train", "test", "predict"])
def test_a_patient_to_predict_is_compared_too(role):
    with pytest.raises(InputError, match=re.escape("patients 'A' and 'a\\xad'")):
        folds(*TRAINING, section("C1", role, "a\u00ad"))


@pytest.mark.parametrize(("one", "other"), [("A1", "a1"), ("Mouse_b", "MOUSE_B")])
def test_sections_that_differ_in_case_alone_are_refused(one, other):
    with pytest.raises(InputError, match=f"sections '{one}' and '{other}'; expected one spelling"):
        folds(section(one, "predict", "X"), section(other, "predict", "Y"), bundle="model.pt")


def test_patients_that_differ_in_more_than_form_are_two():
    assert folds(section("a", "train", "Muller"), section("b", "test", "Müller"))["holdout"].test == ("b",)


def test_patients_whose_names_would_be_the_same_file_are_refused():
    with pytest.raises(InputError, match=re.escape("patients P+1 and P.1 cannot be told apart")):
        folds(section("a", "train", "P+1"), section("b", "train", "P.1"), scheme="leave_one_patient_out")
