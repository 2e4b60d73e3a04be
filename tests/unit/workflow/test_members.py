import pytest

from ressat.workflow.members import members_of, words_of
from small_study import UNLABELLED, refusal


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        (
            "stain__method",
            "Macenco",
            'stain.method is "Macenco"; expected macenko, reinhard or none; did you mean macenko?',
        ),
        ("evaluation__scheme", "holdoutt", "did you mean holdout?"),
        ("evaluation__scheme", "leave_one_patient", "did you mean leave_one_patient_out?"),
        (
            "features__encoder",
            "ResNet-50",
            "or the path of a Python file with an encoder of your own; did you mean resnet50?",
        ),
        ("features__encoder", "UNI-2h", "did you mean uni2_h?"),
        ("features__encoder", "H-Optimus-1", "did you mean h_optimus_1?"),
        ("features__encoder", "xyzzy", "an encoder of your own; correct it."),
        ("model__layers", ["layer5"], "did you mean layer"),
    ],
)
def test_a_member_that_there_is_not_is_refused_and_the_nearest_proposed(load, setting, value, said):
    message = refusal(load, **{setting: value})
    assert message.startswith(f"config.yaml: {setting.replace('__', '.')}")
    assert said in message


@pytest.mark.parametrize("layers", [None, ["layer4"]])
def test_layers_that_are_not_named_are_those_of_the_encoder(load, layers):
    candidates = [{"context": 0}, {"layers": None, "hidden": 0}, {"layers": ["layer4", "layer3"]}]
    study = load(model__layers=layers, model__candidates=candidates)
    own = layers or ["layer3"]
    assert study.config["model"]["layers"] == study.result_settings["model"]["layers"] == own
    assert study.config["model"]["candidates"] == [
        {"context": 0},
        {"layers": ["layer3"], "hidden": 0},
        {"layers": ["layer4", "layer3"]},
    ]
    candidates = study.model_settings.candidates
    assert [one["layers"] for one in candidates] == [own, own, ["layer3"], ["layer4", "layer3"]]


def test_a_study_says_which_members_of_every_registry_it_uses(load, repository):
    library = repository / "workflow_scripts/ressat"
    folders = {path.parent.relative_to(library).as_posix() for path in library.rglob("registry.py")}
    study = load(stain__method="none", evaluation__scheme="leave_one_section_out")
    formats = ("h5ad", "legacy", "space_ranger")
    assert set(members_of(study)) == folders - {"base"}
    assert members_of(study) == {
        "counts/formats": formats,
        "counts/readers": formats,
        "stain/methods": ("none",),
        "encoders": ("resnet50",),
        "encoders/families": ("resnet",),
        "workflow/schemes": ("leave_one_section_out",),
    }


def test_a_section_uses_its_own_format_alone(load):
    study = load()
    formats = {"A1": ("space_ranger",), "B1": ("legacy",), "C1": ("h5ad",), "X": ()}
    for sample, names in formats.items():
        own = {"counts/formats": names, "counts/readers": names}
        assert members_of(study, sample) == members_of(study) | own


def test_the_words_of_the_methods_are_those_of_what_the_study_uses(load):
    words = words_of(load())
    assert [said for said, _ in words["counts"]] == [
        "AnnData files", "tables of Spatial Transcriptomics", "outputs of Space Ranger",
    ]  # fmt: skip
    encoder = words["encoders"]["resnet50"]
    assert encoder["title"] == "ResNet50"
    assert encoder["weights"][0] == "torchvision's weights IMAGENET1K_V2, learnt on ImageNet"
    assert words["scheme"] == "on sections set aside as test sections"
    assert words_of(load(features__weights="random"))["encoders"]["resnet50"]["weights"] is None
    assert words_of(load(UNLABELLED, model__use="data/model.pt"))["counts"] == []
