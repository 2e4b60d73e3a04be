"""What is known of a model's genes travels with it, and is checked like the rest of a saved model."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from saved_model import GENES, small_bundle, small_reliability

from ressat.base.errors import InputError
from ressat.model.bundle import Bundle
from ressat.model.reliability import GENE_COLUMNS, HELD_BACK, NOT_TESTED, held_back_reliability

NUMBER = len(GENES)


def test_a_saved_model_keeps_what_is_known_of_it(tmp_path):
    known = small_reliability()
    replace(small_bundle(), reliability=known).write(tmp_path / "model.pt")
    assert Bundle.read(tmp_path / "model.pt").reliability == known


def test_an_older_model_has_none_and_still_predicts(tmp_path):
    small_bundle().write(tmp_path / "model.pt")
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    del content["reliability"]
    torch.save(content, tmp_path / "old.pt")
    assert Bundle.read(tmp_path / "old.pt").reliability is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"patients": ["P1"]},
            "reliability.by_patient has the unknown entry 'P2'",
        ),
        ({"by_patient": {"P1": [0.4] * NUMBER, "P2": [0.4]}}, "reliability.by_patient.P2 is a list of 1"),
        (
            {"by_patient": {"P1": [0.4] * NUMBER, "P2": [2.0] * NUMBER}},
            r"reliability.by_patient.P2\[0\] is 2.0",
        ),
        ({"source": "guessed"}, "reliability.source is 'guessed'; expected one of tested, held back"),
        ({"protocol": "<script>"}, "reliability.protocol is"),
        ({"genes": {}}, "reliability.genes.pearson is missing"),
    ],
)
def test_what_does_not_match_the_model_is_refused(tmp_path, changes, said):
    with pytest.raises(InputError, match=said):
        replace(small_bundle(), reliability=small_reliability(**changes)).write(tmp_path / "model.pt")


@pytest.mark.parametrize("column", GENE_COLUMNS)
def test_every_column_has_a_value_for_each_gene(tmp_path, column):
    genes = small_reliability().genes
    odd = small_reliability(genes=genes | {column: genes[column][:-1]})
    with pytest.raises(InputError, match=f"reliability.genes.{column} is a list of {NUMBER - 1}"):
        replace(small_bundle(), reliability=odd).write(tmp_path / "model.pt")


def test_scores_beyond_those_of_any_study_are_refused_at_once(monkeypatch, tmp_path):
    monkeypatch.setattr("ressat.model.reliability.MOST_SCORES", NUMBER)
    with pytest.raises(InputError, match="reliability has 2 patients, and the model 6 genes"):
        small_bundle().write(tmp_path / "model.pt")


def test_without_tests_the_held_back_pieces_are_named():
    by_gene = np.array([[0.3] * NUMBER, [np.nan] * NUMBER])
    known = held_back_reliability(by_gene, ["patient P1", "patient P2"])
    assert known.source == HELD_BACK
    assert known.protocol == "pieces of the training sections held back in turn (patient P1; patient P2)"
    assert known.genes["pearson"] == [0.3] * NUMBER
    assert np.isnan(known.genes["pearson_depth_free"]).all()
    assert set(known.genes["verdict"]) == {NOT_TESTED}
    replace(small_bundle(), reliability=known)


def test_many_pieces_are_cut_to_what_a_model_may_say(tmp_path):
    known = held_back_reliability(np.zeros((2, NUMBER)), [f"patient number {place}" for place in range(200)])
    replace(small_bundle(), reliability=known).write(tmp_path / "model.pt")
