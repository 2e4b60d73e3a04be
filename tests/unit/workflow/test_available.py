from dataclasses import replace

import pytest

from ressat.workflow.available import failures_text, missing_rows, places_of, without
from ressat.workflow.failures import Failure


def failure(rule: str, sample: str | None = None, fold: str | None = None) -> Failure:
    return Failure(rule, sample, fold, f"{rule} is wrong.", f"logs/{rule}.log", ("never.h5",))


def missing(study, *failures) -> dict[tuple[str, str], str]:
    """What is missing, by fold and section: its side and reason."""
    rows = missing_rows(study, without(study, failures), failures)
    return {(row["fold"], row["section"]): f"{row['side']}: {row['reason']}" for row in rows}


def test_without_failures_the_study_is_whole(load):
    study = load()
    assert without(study, []) is study
    assert missing(study) == {}


@pytest.mark.parametrize("rule", ["check_section", "check_genes", "read_expression", "extract_features"])
def test_a_test_section_that_failed_leaves_the_others(load, rule):
    study, failed = load(), failure(rule, "C1")
    left = without(study, [failed])
    assert left.predicted == [("all", "X")]
    assert left.tested == []
    assert list(left.sections) == ["A1", "B1", "X"]
    assert list(left.counts) == ["A1", "B1"]
    assert left.folds["all"] == study.folds["all"]
    assert missing(study, failed) == {("holdout", "C1"): f"test: {rule} is wrong."}


@pytest.mark.parametrize("rule", ["tile_slide", "fit_stain"])
def test_a_section_without_counts_that_failed_leaves_the_tested(load, rule):
    study = load()
    left = without(study, [failure(rule, "X")])
    assert left.predicted == left.tested == [("holdout", "C1")]
    assert left.converted == {"B1"}
    assert missing(study, failure(rule, "X")) == {("all", "X"): f"predict: {rule} is wrong."}


@pytest.mark.parametrize("rule", ["predict_expression", "cluster_spots"])
def test_a_prediction_that_failed_is_one_of_its_fold(load, rule):
    study = load()
    assert without(study, [failure(rule, "C1", "holdout")]).predicted == [("all", "X")]
    assert without(study, [failure(rule, "X", "all")]).predicted == [("holdout", "C1")]


def test_a_ceiling_that_failed_takes_the_scores_alone(load):
    study = load()
    assert without(study, [failure("estimate_ceiling", "C1")]).predicted == [("all", "X")]
    turns = load(evaluation__scheme="leave_one_section_out")
    left = without(turns, [failure("estimate_ceiling", "C1")])
    assert left.tested == [("without_A1", "A1"), ("without_B1", "B1")]
    assert "C1" in left.folds["without_A1"].train


@pytest.mark.parametrize("name", ["A1", "B1"])
def test_a_training_section_that_failed_stops_its_folds(load, name):
    study, failed = load(), failure("check_section", name)
    left = without(study, [failed])
    assert left.folds == left.sections == {}
    reason = "the fold has no model or no scores: check_section {} failed (check_section is wrong.)"
    assert missing(study, failed) == {
        ("holdout", name): "train: check_section is wrong.",
        ("holdout", "C1"): f"test: {reason.format(name)}",
        ("all", name): "train: check_section is wrong.",
        ("all", "X"): f"predict: {reason.format(name)}",
    }


@pytest.mark.parametrize("rule", ["train_model", "check_leakage", "fit_baselines"])
def test_a_fold_that_failed_leaves_the_others(load, rule):
    turns = load(evaluation__scheme="leave_one_patient_out")
    left = without(turns, [failure(rule, fold="without_B")])
    assert set(turns.folds) - set(left.folds) == {"without_B"}
    assert left.folds["without_A"] == turns.folds["without_A"]


def test_the_list_says_what_failed_where_and_what_is_left_to_do(load):
    command = ["--cores", "2", "--forceall", "--directory", "my study", "--keep-going"]
    text = failures_text(load(), [failure("check_section", "C1")], target="ressat_available", command=command)
    assert text.splitlines() == [
        "Failed: 1 job, of 1 section (C1)",
        "- check_section C1: check_section is wrong.",
        "  log: logs/check_section.log",
        "Without them: snakemake ressat_available --cores 2 --directory 'my study' --keep-going",
        "  evaluates and reports the others, below results/available.",
        "To leave a section out for good, write no in the column include of samples.tsv.",
    ]


def test_the_list_proposes_nothing_where_nothing_is_left(load):
    text = failures_text(load(), [failure("tile_slide", "A1")], target="available", command=[])
    assert "\nWithout a model or scores: holdout, all (needs section A1)\n" in text
    assert "Without them" not in text
    assert "write no in the column include of samples.tsv" in text


@pytest.mark.parametrize("rule", ["render_report", "fetch_weights"])
def test_a_job_of_no_section_is_listed_alone(load, rule):
    text = failures_text(load(), [failure(rule)], target="available", command=[])
    assert text == f"Failed: 1 job\n- {rule}: {rule} is wrong.\n  log: logs/{rule}.log\n"


def test_a_failed_fold_is_named_with_its_rule(load):
    text = failures_text(load(), [failure("train_model", fold="all")], target="available", command=[])
    assert "- train_model all: train_model is wrong." in text
    assert "\nWithout a model or scores: all (train_model failed)\n" in text
    assert "Without them: snakemake available" in text


@pytest.mark.parametrize(
    ("number", "named"), [(7, "P0, P1, P2, P3, P4 and 2 more"), (5, "P0, P1, P2, P3, P4")]
)
def test_many_folds_that_stop_are_counted(load, number, named):
    study = load()
    folds = {f"P{index}": replace(study.folds["all"], name=f"P{index}") for index in range(number)}
    failed = [failure("read_expression", "B1")]
    text = failures_text(replace(study, folds=folds), failed, target="available", command=[])
    assert f"\nWithout a model or scores: {named} (needs section B1)\n" in text


@pytest.mark.parametrize("rule", ["fit_novelty", "measure_novelty", "score_signatures", "share_model"])
def test_what_is_beside_predictions_and_scores_takes_none_of_them(load, rule):
    study, failed = load(), failure(rule, "C1", "holdout")
    assert without(study, [failed]) is study
    assert missing(study, failed) == {}
    text = failures_text(study, [failed], target="available", command=[])
    assert "Without them: snakemake available" in text
    assert "Without a model or scores" not in text


ENCODERS = [{"encoder": "resnet50"}, {"encoder": "uni", "weights": "data/weights.pth"}]


def of_job(study, rule: str, **wildcards: str) -> Failure:
    """The failure of a job, as a run that ends notes it."""
    return Failure.of_job(rule, places_of(study, rule, wildcards), "none.log", ("never.h5",), 0.0)


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("extract_features", {"encoder": "uni", "sample": "A1"}),
        ("train_model", {"encoder": "uni", "fold": "holdout"}),
        ("predict_expression", {"encoder": "uni", "fold": "holdout", "sample": "C1"}),
        ("check_encoder", {"encoder": "uni"}),
    ],
)
def test_an_encoder_that_is_only_compared_takes_nothing_from_the_study(load, rule, place):
    study = load(features__encoders=ENCODERS)
    failed = of_job(study, rule, **place)
    assert failed.title == f"{rule} {'/'.join(place.values())}"
    assert without(study, [failed]).predicted == study.predicted
    assert missing(study, failed) == {}
    text = failures_text(study, [failed], target="available", command=["--cores", "2"])
    assert "To leave an encoder out, remove it from features.encoders: nothing else runs again." in text


def test_features_that_the_model_reads_are_missed(load):
    study = load(features__encoders=ENCODERS, model__layers=["layer3", "uni.class_token"])
    failed = of_job(study, "extract_features", encoder="uni", sample="C1")
    assert (failed.sample, failed.title) == ("C1", "extract_features C1")
    assert without(study, [failed]).predicted == [("all", "X")]
    # The model of the first encoder alone is for the comparison, like that of the other.
    for name in ("resnet50", "uni"):
        assert missing(study, of_job(study, "train_model", encoder=name, fold="holdout")) == {}


def test_failures_of_two_encoders_in_one_place_are_told_apart(load):
    study = load(features__encoders=[*ENCODERS, ENCODERS[1] | {"name": "again"}])
    keys = {of_job(study, "train_model", encoder=name, fold="holdout").key for name in ("uni", "again")}
    assert len(keys | {of_job(study, "train_model", fold="holdout").key}) == 3
