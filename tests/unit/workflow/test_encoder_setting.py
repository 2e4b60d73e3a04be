"""Which encoder a study has, and what may stand beside it."""

import pytest
from own_encoders import OWN

from ressat.encoders.registry import ENCODERS
from ressat.workflow.members import members_of, words_of
from small_study import refusal

GIVEN = [name for name in ENCODERS.names if not ENCODERS.load(name).published]


@pytest.fixture
def own(folder):
    """An encoder of the user's own in the study's folder."""
    (folder / "encoders").mkdir()
    (folder / "encoders/shades.py").write_text(OWN)
    return {"features__encoder": "encoders/shades.py"}


def test_resnet50_is_checked_where_it_has_weights(load):
    assert load().first_encoder.description is ENCODERS.load("resnet50")
    assert load().checked_encoders == []
    assert load(features__weights="random").checked_encoders == []


@pytest.mark.parametrize("name", GIVEN)
def test_a_registered_encoder_reads_weights_that_are_there(load, name):
    study = load(features__encoder=name, features__weights="data/weights.pth")
    encoder = ENCODERS.load(name)
    first = study.first_encoder
    assert (first.description, first.weights, first.fetches_weights) == (encoder, "data/weights.pth", False)
    assert study.checked_encoders == [name]
    assert study.config["model"]["layers"] == list(encoder.default_layers)
    members = members_of(study)
    assert (members["encoders"], members["encoders/families"]) == ((name,), ("vit",))
    words = words_of(study)["encoders"][name]
    assert (words["source"], words["weights"], words["file"]) == (encoder.page, None, "weights.pth")


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("weights", ["IMAGENET1K_V2", "none.safetensors", "data"])
def test_missing_weights_name_the_page_to_get_them_from(load, name, weights):
    message = refusal(load, features__encoder=name, features__weights=weights)
    assert f"config.yaml: features.weights is {weights}, and there is no such file" in message
    assert f"expected random or the path of its weights, from {ENCODERS.load(name).page}; " in message


def test_an_encoder_of_ones_own_is_a_file_of_the_study(load, own):
    study = load(**own, features__weights=None)
    encoder = study.first_encoder.description
    assert (encoder.name, encoder.definition) == ("shades", "encoders/shades.py")
    assert study.first_encoder.weights is None
    assert study.checked_encoders == ["shades"]
    assert study.config["model"]["layers"] == ["grid"]
    members = members_of(study)
    assert (members["encoders"], members["encoders/families"]) == ((), ("own",))
    assert words_of(study)["encoders"]["shades"]["words"][1] == "Doe. Shades. 2026."
    assert load(**own, features__weights="data/weights.pth").first_encoder.weights == "data/weights.pth"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"features__weights": "IMAGENET1K_V2"}, "no such file; expected the path of the weights of"),
        ({"features__weights": "random"}, 'features.weights is "random"; expected the path of the weights'),
        ({"features__encoder": "none.py"}, "features.encoder is none.py, and there is no such file; "),
        ({"features__encoder": "encoders"}, "features.encoder is"),
        ({"features__encoder": "/dev/null.py"}, "there is no such file"),
        ({"features__encoder": "$RESSAT_NOT_SET/a.py"}, "the environment variable RESSAT_NOT_SET is not set"),
        ({"model__layers": ["layer3"], "features__weights": None}, "model.layers.0 is"),
    ],
)  # fmt: skip
def test_what_an_encoder_of_ones_own_cannot_have(load, own, settings, said):
    assert said in refusal(load, **(own | settings))


def test_a_file_without_an_encoder_is_refused_while_the_rules_are_parsed(load, own, folder):
    (folder / "encoders/shades.py").write_text("class Shades:\n    pass\n")
    message = refusal(load, **own)
    assert message.startswith("encoders/shades.py: 0 classes with the constant layers; ")


def test_only_an_encoder_of_ones_own_may_need_no_weights(load):
    assert "features.weights is null; expected IMAGENET1K_V1" in refusal(load, features__weights=None)


def test_pixels_may_be_standardised_in_ones_own_way(load):
    study = load(features__mean=[0.7, 0.54, 0.66], features__sd=[0.2, 0.3, 0.2])
    encoder = study.first_encoder.description
    assert encoder.mean == (0.7, 0.54, 0.66)
    assert encoder.sd == (0.2, 0.3, 0.2)
    assert encoder.own_pixels
    assert load(features__mean=[0, 0.5, 1]).first_encoder.description.sd == ENCODERS.load("resnet50").sd


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("mean", [0.5, 0.5], "features.mean is [0.5, 0.5]; expected three numbers from 0 to 1"),
        ("mean", [124, 116, 104], "features.mean.0 is 124; expected a number from 0 to 1"),
        ("sd", [0.2, 0.2, 0], "features.sd.2 is 0; expected a number from 0.001 to 1"),
        ("sd", 0.2, "features.sd is 0.2; expected three numbers"),
    ],
)
def test_pixels_that_cannot_be_standardised_so(load, name, value, said):
    assert said in refusal(load, **{f"features__{name}": value})
