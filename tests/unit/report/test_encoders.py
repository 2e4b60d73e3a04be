"""The comparison of encoders on the page."""

import numpy as np
import pandas as pd
import pytest

from parsed_page import Parsed
from report_study import WORDS, whole_study
from ressat.evaluation.encoders import COLUMNS
from ressat.report.encoders import comparisons

PROTOCOL = "holdout, unseen patients"
SCORES = {"resnet50": 0.31, "uni": 0.42}


def comparison(patients=("P3", "P4")) -> pd.DataFrame:
    """Two encoders, of which the second is the better by 0.11, and by 0.01 more for each further patient."""
    rows = []
    for encoder, score in SCORES.items():
        for model, layer in (
            ("ressat", "attended"),
            ("baseline", "tuned_ridge"),
            ("baseline", "tuned_ridge_attended"),
        ):
            for number, patient in enumerate(("", *patients)):
                row = dict.fromkeys(COLUMNS, np.nan) | {
                    "protocol": PROTOCOL, "encoder": encoder, "model": model,
                    "network": "vit random" if encoder == "uni" else "resnet50", "layer": layer,
                    "level": "patient" if patient else "study", "patient": patient, "n_patients": 2,
                    "n_sections": 2, "n_genes": 250, "mean_pearson": score,
                    "mean_pearson_depth_free": score / 2,
                    "minus_first": (encoder == "uni") * (0.1 + number / 100), "minus_first_depth_free": 0.07,
                    "n_with_ceiling": 95, "share_of_ceiling": 0.55, "kb_per_tile": 6.0,
                    "tiles_per_s": 6.5 if encoder == "resnet50" else np.nan,
                }  # fmt: skip
                rows.append(row)
    return pd.DataFrame(rows)


def test_what_is_shown_is_what_was_scored():
    (shown,) = comparisons(comparison())
    assert (shown["protocol"], shown["patients"], shown["first"]) == (PROTOCOL, 2, "resnet50")
    assert shown["highest"] == {"model": 0.42, "ridge": 0.42, "attended": 0.42}
    first, second = shown["rows"]
    assert (first["encoder"], second["encoder"]) == ("resnet50", "uni")
    assert [one["plain"] for one in second["model"]["differences"]] == pytest.approx([0.11, 0.12])
    assert second["ridge"]["mean_pearson"] == 0.42


def test_the_page_compares_encoders(repository, tmp_path):
    study = whole_study(tmp_path)
    study.comparison = comparison()
    resnet50 = WORDS["encoders"]["resnet50"]
    uni = resnet50 | {"title": "UNI", "words": ("tokens of UNI", "Chen 2024."), "network": "vit"}
    study.words = WORDS | {"compared": {"resnet50": resnet50, "uni": uni}}
    page = Parsed(study.page(repository))
    for words in (
        "Encoders compared", "minus resnet50, by patient", "0.42", "0.21 ", "P3 +0.110, P4 +0.120",
        "+0.070 depth-free, mean", "55 %", "95 genes", "250", "no record", "6.5",
        "trained on features of other encoders: UNI, tokens of UNI [", "uniUNI untrained weights",
    ):  # fmt: skip
        assert words in page.text, words


def test_a_study_of_one_encoder_compares_nothing(repository, tmp_path):
    page = Parsed(whole_study(tmp_path).page(repository))
    assert "Encoders compared" not in page.text
    assert "#encoders" not in page.text
