import re
from pathlib import Path

import pytest

from ressat.errors import InputError
from ressat.sheet import Section
from ressat.splits import Fold, make_folds


def section(sample: str, role: str, patient: str | None = None) -> Section:
    counts = None if role == "predict" else Path(f"{sample}/outs")
    return Section(sample, Path(f"{sample}.svs"), counts, None, patient or sample, role, None)


def folds(*sections: Section, within_patient: bool = False, bundle: str | None = None) -> dict[str, Fold]:
    return make_folds(sections, within_patient=within_patient, bundle=bundle, sheet="samples.tsv")


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
