"""Several encoders of a study: what may be named, which model reads which, and what reruns."""

import pytest
from own_encoders import OWN

from ressat.encoders.registry import ENCODERS
from ressat.workflow.comparison import (
    compared_encoders,
    has_own_model,
    hest_layers_of,
    model_settings_of,
    results_of,
)
from ressat.workflow.encoder_setting import DEFAULTS
from ressat.workflow.members import encoder_versions, members_of, words_of
from small_study import UNLABELLED, refusal

RESNET50 = {"encoder": "resnet50"}
UNI = {"encoder": "uni", "weights": "data/weights.pth"}
OTHER = {"name": "barlow", "encoder": "resnet50", "weights": "data/weights.pth", "mean": [0.7, 0.5, 0.6]}
THREE = [RESNET50, UNI, OTHER]


def test_the_defaults_of_one_encoder_are_those_of_the_config(repository, load):
    features = load().config["features"]
    assert {name: features[name] for name in DEFAULTS} == DEFAULTS
    assert features["encoders"] is None


def test_encoders_have_names_weights_and_caches_of_their_own(load):
    study = load(features__encoders=THREE)
    assert list(study.encoders) == ["resnet50", "uni", "barlow"]
    first, uni, barlow = study.encoders.values()
    assert first is study.first_encoder
    assert first.weights == "resources/weights/resnet50_IMAGENET1K_V2.pth"
    assert (uni.weights, uni.description) == ("data/weights.pth", ENCODERS.load("uni"))
    assert barlow.description.mean == (0.7, 0.5, 0.6)
    caches = ["results/features/A1.h5", "results/features/uni/A1.h5", "results/features/barlow/A1.h5"]
    assert [encoder.features("A1") for encoder in study.encoders.values()] == caches
    assert uni.benchmark("A1") == "benchmarks/extract_features/uni/A1.tsv"
    assert study.checked_encoders == ["uni", "barlow"]


def test_the_first_of_several_takes_the_place_of_the_one(load):
    study = load(features__encoders=[UNI, RESNET50])
    features = study.config["features"]
    assert (features["encoder"], features["weights"]) == ("uni", "data/weights.pth")
    assert study.config["model"]["layers"] == ["class_token"]


@pytest.mark.parametrize("number", [1, 3])
def test_a_further_encoder_changes_nothing_for_what_the_model_reads(load, number):
    alone, several = load(), load(features__encoders=THREE[:number])
    assert several.encoders_read == alone.encoders_read == ["resnet50"]
    assert several.model_settings == alone.model_settings
    assert members_of(several) == members_of(alone)
    assert words_of(several) | {"compared": {}} == words_of(alone)
    assert several.first_encoder.record == alone.first_encoder.record
    script = "extract_features"
    assert encoder_versions(several)(script, "resnet50") == encoder_versions(alone)(script, "resnet50")
    assert hest_layers_of(several, None) == list(ENCODERS.load("resnet50").hest_layers)


@pytest.mark.parametrize(
    ("layers", "candidates", "read", "written"),
    [
        (None, [{"context": 0}], ["resnet50"], [["layer3"]]),
        (["resnet50.layer4"], [{"layers": ["layer3"]}], ["resnet50"], [["layer4"], ["layer3"]]),
        (
            None,
            [{"layers": ["uni.class_token"]}],
            ["resnet50", "uni"],
            [["resnet50.layer3"], ["uni.class_token"]],
        ),
        (
            ["layer3", "uni.patch_mean"],
            [{"context": 0}, {"layers": ["barlow.layer4"]}],
            ["resnet50", "uni", "barlow"],
            [["resnet50.layer3", "uni.patch_mean"], ["barlow.layer4"]],
        ),
        (["uni.class_token"], [], ["resnet50", "uni"], [["uni.class_token"]]),
    ],
)
def test_layers_name_the_encoders_that_the_model_reads(load, layers, candidates, read, written):
    study = load(features__encoders=THREE, model__layers=layers, model__candidates=candidates)
    assert study.encoders_read == read
    models = [study.config["model"], *study.config["model"]["candidates"]]
    assert [model["layers"] for model in models if "layers" in model] == written
    assert has_own_model(study, "resnet50") == (read != ["resnet50"])
    assert has_own_model(study, "uni")
    assert set(members_of(study)["encoders"]) == {study.encoders[name].description.name for name in read}


def test_each_encoder_has_the_settings_of_the_study_as_far_as_it_has_the_layers(load):
    candidates = [{"context": 0}, {"layers": ["uni.patch_mean", "layer4"], "hidden": 0}]
    study = load(features__encoders=THREE, model__candidates=candidates)
    assert model_settings_of(study, None) == study.model_settings
    layers = {
        name: [one["layers"] for one in model_settings_of(study, name).candidates] for name in study.encoders
    }
    assert layers == {
        "resnet50": [["layer3"], ["layer3"], ["layer4"]],
        "uni": [["class_token"], ["class_token"], ["patch_mean"]],
        "barlow": [["layer3"], ["layer3"]],
    }
    assert model_settings_of(study, "uni").candidates[2]["head"]["hidden"] == 0
    assert hest_layers_of(study, "uni") == ["class_token"]
    assert hest_layers_of(study, None) == [
        f"resnet50.{name}" for name in ENCODERS.load("resnet50").hest_layers
    ]
    assert results_of(study, "uni") == "results/encoders/uni"


def test_encoders_are_compared_where_sections_are_scored(load):
    assert compared_encoders(load()) == []
    study = load(features__encoders=THREE)
    assert compared_encoders(study) == ["resnet50", "uni", "barlow"]
    assert results_of(study, "resnet50") == "results"
    saved = load(UNLABELLED, features__encoders=THREE, model__use="data/model.pt")
    assert compared_encoders(saved) == []
    assert saved.encoders_read == ["resnet50", "uni", "barlow"], "the saved model says which it reads"


@pytest.mark.parametrize(
    ("encoders", "said"),
    [
        ([], "features.encoders is []; expected a list of encoders, each such as"),
        ([{}], "features.encoders.0.encoder is missing"),
        (["uni"], 'features.encoders.0 is "uni"; expected settings of an encoder'),
        ([{"encoder": "unii"}], 'features.encoders.0.encoder is "unii"; expected resnet50'),
        ([RESNET50, {"encoder": "uni"}], "features.encoders.1.weights is missing; expected random or"),
        ([RESNET50, UNI | {"weights": "none.bin"}], "features.encoders.1.weights is none.bin, and there is"),
        ([RESNET50 | {"weights": "V3"}], "features.encoders.0.weights is V3, and there is no such file"),
        ([RESNET50, RESNET50], "features.encoders.1 is a second encoder named resnet50; expected a name of"),
        ([RESNET50, UNI | {"name": "ResNet50"}], "encoders are named 'resnet50' and 'ResNet50', which"),
        ([RESNET50 | {"name": "a/b"}], "features.encoders.0.name is"),
        ([RESNET50 | {"name": "two\n"}], "features.encoders.0.name is"),
        ([RESNET50 | {"wieghts": 1}], "the unknown name features.encoders.0.wieghts"),
        ([RESNET50 | {"sd": [1, 1]}], "features.encoders.0.sd is [1, 1]; expected three numbers"),
        ([RESNET50, {"encoder": "none.py"}], "features.encoders.1.encoder is none.py, and there is no such"),
    ],
)  # fmt: skip
def test_what_several_encoders_cannot_be(load, encoders, said):
    assert said in refusal(load, features__encoders=encoders)


def test_the_page_of_missing_weights_is_named(load):
    message = refusal(load, features__encoders=[RESNET50, {"encoder": "uni"}])
    assert ENCODERS.load("uni").page in message


def test_settings_of_encoders_stand_in_one_place(load):
    message = refusal(load, features__encoders=THREE, features__weights="data/weights.pth")
    assert "features.encoders names encoders, and features.weights is set beside it" in message


def test_layers_are_those_of_the_encoders_that_there_are(load):
    message = refusal(load, features__encoders=THREE, model__layers=["uni.layer3"])
    assert 'model.layers.0 is "uni.layer3"' in message
    assert "expected one of 'layer3', 'layer4', 'resnet50.layer3'" in message


@pytest.mark.parametrize("name", ["layers", "candidates"])
def test_a_layer_by_both_of_its_names_is_refused_before_training(load, name):
    layers = ["layer3", "resnet50.layer3"]
    settings = {"model__layers": layers} if name == "layers" else {"model__candidates": [{"layers": layers}]}
    message = refusal(load, features__encoders=THREE, **settings)
    assert "the layers of a model name layer3 of the encoder resnet50 twice" in message


def test_a_lone_encoder_of_a_list_may_be_named(load):
    study = load(features__encoders=[RESNET50], model__layers=["resnet50.layer4"])
    assert study.config["model"]["layers"] == ["layer4"]
    assert compared_encoders(study) == []


def test_candidates_that_differ_in_other_encoders_alone_are_one(load):
    candidates = [{"layers": ["uni.class_token"]}, {"layers": ["layer3", "uni.class_token"]}, {"context": 0}]
    study = load(features__encoders=THREE, model__candidates=candidates)
    for name, own in {"resnet50": ["layer3"], "uni": ["class_token"]}.items():
        tried = model_settings_of(study, name).candidates
        assert [(one["layers"], one["context"]) for one in tried] == [(own, 1.5), (own, 0)]


def test_an_own_encoder_among_several_needs_no_weights(load, folder):
    (folder / "shades.py").write_text(OWN)
    study = load(features__encoders=[RESNET50, {"encoder": "shades.py"}])
    shades = study.encoders["shades"]
    assert (shades.weights, shades.is_random, shades.is_checked) == (None, True, True)
