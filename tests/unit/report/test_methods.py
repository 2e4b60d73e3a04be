"""The methods say where the encoder and its weights come from."""

import pytest
import yaml

from report_study import WORDS
from ressat.report.methods import methods


@pytest.mark.parametrize(
    ("words", "weights", "untrained", "said"),
    [
        ({}, "/data/mine.pth", False, "with weights of the study's own (mine.pth)."),
        ({}, None, False, "without weights of its own."),
        ({}, "random", True, "with random, untrained weights."),
        ({"source": "https://hub/UNI"}, "/data/uni.bin", False, "of the file uni.bin (published at https://hub/UNI)."),
        ({"weights": ("public weights", "Doe 2020.")}, "V2", False, "with public weights ["),
    ],
)  # fmt: skip
def test_weights_are_named_with_their_source(repository, words, weights, untrained, said):
    settings = yaml.safe_load((repository / "config.yaml").read_text())
    settings["features"]["weights"] = weights
    settings["model"]["layers"] = ["layer3"]
    paragraphs, _ = methods(settings, WORDS | words, [], [], untrained=untrained, scored=False)
    assert said in paragraphs[0]
