"""The methods say where encoders and their weights come from."""

import pytest
import yaml

from report_study import WORDS
from ressat.evaluation.scales import SCALES
from ressat.report.methods import methods

RESNET50 = WORDS["encoders"]["resnet50"]
SOURCES = [
    ({"file": "mine.pth"}, "with weights of the study's own (mine.pth)."),
    ({"file": None}, "without weights of its own."),
    ({"file": None, "is_random": True}, "with random, untrained weights."),
    ({"file": "uni.bin", "source": "https://hub/UNI"}, "of the file uni.bin (published at https://hub/UNI)."),
    ({"weights": ("public weights", "Doe 2020.")}, "with public weights ["),
]


@pytest.fixture
def settings(repository):
    settings = yaml.safe_load((repository / "config.yaml").read_text())
    settings["model"]["layers"] = ["layer3"]
    return settings


@pytest.mark.parametrize(("changes", "said"), SOURCES)
def test_weights_are_named_with_their_source(settings, changes, said):
    words = WORDS | {"encoders": {"resnet50": RESNET50 | changes}}
    paragraphs, _ = methods(settings, words, [], [], scored=False)
    assert said in paragraphs[0]


def test_every_encoder_that_the_model_reads_is_named(settings):
    words = [("features number " + str(place), f"Doe. {2000 + place}.") for place in range(len(SOURCES))]
    encoders = {
        f"e{place}": RESNET50 | changes | {"words": words[place]}
        for place, (changes, _) in enumerate(SOURCES)
    }
    paragraphs, references = methods(settings, WORDS | {"encoders": encoders}, [], [], scored=False)
    assert all(said in paragraphs[0] for _, said in SOURCES)
    assert all(citation in references for _, citation in words)
    assert paragraphs[0].count("Features of each tile are features number 0 [") == 1
    assert paragraphs[0].count("Further features are features number") == len(SOURCES) - 1


def test_a_saved_model_says_itself_which_encoders_it_reads(settings):
    encoders = {
        name: RESNET50 | {"words": (f"features of {name}", "Doe 2020."), "network": name}
        for name in ("one", "two")
    }
    record = {"encoder": "two random", "trained_on": ["A"], "model_sha256": "1f" * 32}
    paragraphs, _ = methods(settings, WORDS | {"encoders": encoders}, [record], [], scored=False)
    assert "features of two" in paragraphs[0]
    assert "features of one" not in paragraphs[0]


def test_sections_whose_features_were_made_elsewhere_are_named(settings):
    record = {"trained_on": ["A"], "model_sha256": "1f" * 32, "elsewhere": {"S9": "TRIDENT"}}
    paragraphs, _ = methods(settings, WORDS, [record], [], scored=False)
    assert "made the features of S9 (TRIDENT)" in paragraphs[0]


def test_the_scales_are_those_that_genes_are_scored_at(settings):
    paragraphs, references = methods(settings, WORDS, [], [], scored=True)
    words = " and at ".join(str(scale) for scale in SCALES)
    assert f"scored at {words} spot pitches too" in paragraphs[-2]
    assert any(reference.startswith("Maurer") for reference in references)
    paragraphs, _ = methods(settings, WORDS, [], [], scored=False)
    assert not any("spot pitches too" in paragraph for paragraph in paragraphs)
