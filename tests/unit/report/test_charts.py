"""Charts hold the scores that they are about, whatever these are."""

import json

import numpy as np
import pandas as pd
import pytest

from ressat.report import ceiling_charts, charts
from ressat.report.answer import Scores


def traces(figure: str) -> dict:
    return {trace.get("name"): trace for trace in json.loads(figure)["data"]}


def table(gene=("A", "B"), pearson=(0.4, 0.2), usable=(True, False), through=False) -> pd.DataFrame:
    scores = {"gene": gene, "pearson": pearson, "pearson_with_ceiling": pearson, "ceiling": 0.9}
    return pd.DataFrame({**scores, "usable": usable, "only_through_depth": through})


def test_usable_genes_are_told_from_the_others():
    found = traces(ceiling_charts.genes_against_ceiling(table()))
    assert found["usable (1)"]["customdata"] == ["A"]
    assert found["not usable (1)"]["y"] == [0.2]


def test_genes_usable_only_through_depth_are_told_from_both():
    genes = table(("A", "B", "C"), (0.4, 0.3, 0.2), (True, False, False), (False, True, False))
    found = traces(ceiling_charts.genes_against_ceiling(genes))
    assert found["usable (1)"]["customdata"] == ["A"]
    assert found["only through depth (1)"]["customdata"] == ["B"]
    assert found["only through depth (1)"]["y"] == [0.3]
    assert found["not usable (1)"]["customdata"] == ["C"]


def test_sections_have_the_depth_free_score_beside_the_plain_one(study):
    per_section = study.whole("per_section")
    scores = Scores(pd.DataFrame(), per_section, pd.DataFrame(), pd.DataFrame())
    found = traces(charts.section_scores(scores, "attended"))
    assert list(found) == ["tuned ridge", "ResSAT, attended", "the same, depth-free"], "and no ceiling"
    lead = per_section[per_section["layer"] == "attended"]
    for name, column in (
        ("ResSAT, attended", "mean_pearson"), ("the same, depth-free", "mean_pearson_depth_free"),
    ):  # fmt: skip
        assert found[name]["x"] == pytest.approx(lead[column].tolist(), abs=1e-4), name
        assert found[name]["y"] == ["X1 (P3), 4 genes", "X2 (P4), 4 genes"]


def test_the_ceiling_of_a_section_stands_beside_the_score_of_the_same_genes(study):
    per_section = study.whole("per_section")
    lead = per_section["layer"] == "attended"
    per_section.loc[lead, "n_with_ceiling"] = [3, 0]
    for column in ("mean_pearson_with_ceiling", "mean_ceiling_with_pearson"):
        per_section.loc[lead, column] = [0.4 if "ceiling_with" not in column else 0.8, np.nan]
        per_section.loc[lead, f"{column}_depth_free"] = [0.3 if "ceiling_with" not in column else 0.7, 0.6]
    scores = Scores(pd.DataFrame(), per_section, pd.DataFrame(), pd.DataFrame())
    figure = json.loads(ceiling_charts.sections_against_ceiling(scores, "attended"))
    drawn = [(trace["name"], trace["x"], trace["y"]) for trace in figure["data"]]
    assert drawn == [
        ("noise ceiling", [0.8, None], [0, 2]),
        ("ResSAT, attended", [0.4, None], [0, 2]),
        ("noise ceiling", [0.7, 0.6], [1, 3]),
        ("the same, depth-free", [0.3, 0.6], [1, 3]),
    ]
    assert figure["layout"]["yaxis"]["ticktext"] == [
        "X1 (P3), plain: 3 genes", "depth-free: 4 genes", "X2 (P4), plain: 0 genes", "depth-free: 4 genes",
    ]  # fmt: skip


def test_a_gene_stands_beside_its_ceiling_by_its_score_in_the_same_sections():
    genes = table().assign(pearson_with_ceiling=[0.5, np.nan])
    found = traces(ceiling_charts.genes_against_ceiling(genes))
    assert found["usable (1)"]["y"] == [0.5]
    assert found["not usable (0)"]["y"] == []


def test_panels_have_their_numbers_of_genes(study):
    per_section = study.tables()["per_section"]
    lead = (per_section["layer"] == "attended") & (per_section["section"] == "X2")
    per_section.loc[lead & (per_section["panel"] == "hvg"), "n_undefined"] = 1
    found = list(traces(charts.panel_scores(per_section, "attended")))
    assert found == [
        "all genes (4)",
        "most variable (1 to 2)",
        "most expressed (2)",
        "spatially variable (2)",
    ]


def test_names_are_drawn_as_they_are():
    figure = ceiling_charts.genes_against_ceiling(table(gene=("<b>x</b>", "a&b")))
    assert traces(figure)["usable (1)"]["text"] == ["&lt;b&gt;x&lt;/b&gt;"]
    assert traces(figure)["not usable (1)"]["customdata"] == ["a&b"]


@pytest.mark.parametrize("pearson", [[], [np.nan], [0.3], [0.3, 0.3], [-0.2, np.nan, 0.9]])
def test_any_scores_can_be_drawn(pearson):
    names = [f"G{index}" for index in range(len(pearson))]
    gene = table(names, pearson, [False] * len(names))
    figures = [ceiling_charts.genes_against_ceiling(gene)]
    rows = [
        {"protocol": "p", "fold": "f", "section": "s", "patient": "p", "gene": name, "model": "ressat",
         "layer": layer, "pearson": value}
        for name, value in zip(names, pearson, strict=True) for layer in ("direct", "attended")
    ]  # fmt: skip
    if rows:
        per_gene = pd.DataFrame(rows)
        figures.append(charts.attention_gain(per_gene))
        scores = Scores(per_gene, pd.DataFrame(), pd.DataFrame(), gene)
        figures.append(charts.distributions(scores, "attended"))
    for figure in figures:
        assert "NaN" not in figure
        assert json.loads(figure)["layout"]["height"] > 100


def test_training_of_a_single_look_is_a_dot_and_shows_no_empty_curve():
    history = pd.DataFrame(
        {"step": [100], "learnt_direct": [0.9], "learnt_attended": [0.8],
         "held_back_direct": [np.nan], "held_back_attended": [np.nan]}
    )  # fmt: skip
    found = traces(charts.training_curves(history, 100))
    assert set(found) == {"direct, learnt from", "attended, learnt from"}
    assert all("markers" in trace["mode"] for trace in found.values())


def test_the_stopping_point_is_marked():
    history = pd.DataFrame(
        {
            name: [1.0, 0.9]
            for name in ("learnt_direct", "learnt_attended", "held_back_direct", "held_back_attended")
        }
    ).assign(step=[20, 40])
    (mark,) = json.loads(charts.training_curves(history, 40))["layout"]["shapes"]
    assert mark["x0"] == mark["x1"] == 40
    assert "shapes" not in json.loads(charts.training_curves(history, None))["layout"]
