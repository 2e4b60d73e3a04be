"""Every score of the report stands beside its depth-free twin, and the oracle is never taken for a result."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from parsed_page import Parsed
from report_study import GENES, whole_study
from ressat.figures.labels import label
from ressat.report import genes
from ressat.report.answer import MOST_NAMES, Scores, answers

FOLLOWING = [f"F{index}" for index in range(MOST_NAMES + 2)]


@pytest.fixture(scope="module")
def deep(tmp_path_factory, repository):
    """A study most of whose genes follow sequencing depth and nothing else, and its page."""
    study = whole_study(tmp_path_factory.mktemp("deep"), genes=[GENES[0], *FOLLOWING], following=FOLLOWING)
    html = study.page(repository)
    return SimpleNamespace(study=study, html=html, page=Parsed(html))


def score_rows(html):
    """Rows of the table of sections, each cell with its classes and its words."""
    table = re.search('<table class="scores">.*?</table>', html, re.DOTALL)[0]
    rows = re.findall("<tr>(.*?)</tr>", table, re.DOTALL)
    cells = [re.findall(r"<t[hd]([^>]*)>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[(about, " ".join(re.sub("<[^>]+>", " ", text).split())) for about, text in row] for row in cells]


def test_the_headline_has_both_scores_and_their_difference(deep):
    summary = deep.study.whole("summary").set_index("layer")
    lead, page = summary.loc["attended"], deep.page
    assert lead["minus_depth_free"] > 0.3, "a difference that can be seen"
    assert (
        f"{lead['mean_pearson']:.2f}attended (headline) 15 genes "
        f"{lead['mean_pearson_depth_free']:.2f}depth-free: given sequencing depth 15 genes "
        f"{lead['minus_depth_free']:+.2f}plain minus depth-free"
    ) in page.text
    direct = summary.loc["direct"]
    assert (
        f"{direct['mean_pearson']:.2f}direct {direct['mean_pearson_depth_free']:.2f} depth-free" in page.text
    )
    oracle = summary.loc["observed_depth", "mean_pearson"]
    assert f"a map of the observed depth, shown for every gene, has r {oracle:.2f}." in page.text


def test_sections_have_both_scores_of_every_layer(deep):
    header, *rows = score_rows(deep.html)
    words = [text for _, text in header]
    labels = {
        "attended": "attended", "direct": "direct", "tuned_ridge": "tuned ridge",
        "depth_map": "map of predicted depth", "observed_depth": "oracle: map of observed depth",
    }  # fmt: skip
    assert sorted(words[4:-1]) == sorted(labels.values())
    assert words[-2] == labels["observed_depth"]
    layers = {name: layer for layer, name in labels.items()}
    per_section = deep.study.whole("per_section").set_index(["section", "layer"])
    for section, plain, twin in (("X1", rows[0], rows[1]), ("X2", rows[2], rows[3])):
        assert plain[0][1].startswith(section)
        assert (plain[3][1], twin[0][1]) == ("plain", "depth-free")
        for index, name in enumerate(words[4:-1]):
            row = per_section.loc[section, layers[name]]
            assert plain[4 + index][1] == genes.number(row["mean_pearson"]), name
            assert twin[1 + index][1] == genes.number(row["mean_pearson_depth_free"]), name
            if name.startswith("oracle"):
                assert twin[1 + index][1] == "undefined"
    summary = deep.study.whole("summary").set_index("layer")
    for row, column in ((rows[4], "mean_pearson"), (rows[5], "mean_pearson_depth_free")):
        found = dict(zip(words[4:-1], [text for _, text in row[-1 - len(labels) : -1]], strict=True))
        assert found == {name: genes.number(summary.loc[layers[name], column]) for name in found}
        assert row[-1][1] == "15", "genes"


def test_sections_have_their_depth(deep):
    _, *rows = score_rows(deep.html)
    follow = deep.study.whole("per_section").groupby("section")["share_following_depth"].first()
    assert follow["X1"] > 0.5
    for section, row, counts in (("X1", rows[0], "617 0.5"), ("X2", rows[2], "2468 2")):
        assert row[1][1] == f"{counts} \N{MULTIPLICATION SIGN} training"
        assert row[2][1] == f"{100 * follow[section]:.0f} %"


def test_the_oracle_is_neither_the_best_nor_a_baseline(deep):
    summary = deep.study.whole("summary").set_index("layer")["mean_pearson"]
    assert summary.idxmax() == "observed_depth", "or nothing would be tested"
    assert f"{summary['depth_map']:.2f}best baseline: map of predicted depth" in deep.page.text
    assert "observed depth" not in deep.page.text[: deep.page.text.index("How well expression")]
    header, *rows = score_rows(deep.html)
    per_section = deep.study.whole("per_section").set_index(["section", "layer"])
    for row, section, column in (
        (rows[0], "X1", "mean_pearson"), (rows[1], "X1", "mean_pearson_depth_free"),
        (rows[2], "X2", "mean_pearson"), (rows[3], "X2", "mean_pearson_depth_free"),
    ):  # fmt: skip
        offset = len(header) - len(row)
        (best,) = [header[i + offset][1] for i, (about, _) in enumerate(row) if "best" in about]
        values = per_section.loc[section, column].drop("observed_depth")
        assert best == label(values.idxmax())


@pytest.mark.parametrize(
    ("plain", "twin", "said"),
    [
        (-0.5, -0.5, []),
        (2.0, -0.5, ["tuned ridge reaches 2.00"]),
        (-0.5, 2.5, ["tuned ridge reaches 2.50 depth-free"]),
        (2.0, 2.5, ["tuned ridge reaches 2.00 and 2.50 depth-free"]),
        (-0.5, np.nan, []),
    ],
)
def test_a_baseline_that_does_better_is_named_with_the_score(deep, plain, twin, said):
    tables = deep.study.tables()
    ridge = tables["summary"]["layer"] == "tuned_ridge"
    tables["summary"].loc[ridge, ["mean_pearson", "mean_pearson_depth_free"]] = plain, twin
    (answer,) = answers(all_genes(tables), "attended")
    assert answer["ahead"] == said


def all_genes(tables):
    of_all = {name: tables[name][tables[name]["panel"] == "all"] for name in ("per_section", "summary")}
    return Scores(**({name: tables[name] for name in ("per_gene", "usable_genes")} | of_all))


def test_the_note_says_which_baseline_and_both_headlines(study, repository):
    study.scores[0].loc[study.scores[0]["layer"] == "tuned_ridge", "pearson_depth_free"] = 0.99
    study.scores[1].loc[study.scores[1]["layer"] == "tuned_ridge", "pearson_depth_free"] = 0.97
    lead = study.whole("summary").set_index("layer").loc["attended"]
    page = Parsed(study.page(repository))
    both = f"({lead['mean_pearson']:.2f}, and {lead['mean_pearson_depth_free']:.2f} depth-free)"
    said = f"the attended prediction {both} is behind: tuned ridge reaches 0.98 depth-free."
    assert said in page.text[: page.text.index("How well expression")]


def test_genes_usable_only_through_depth_are_counted_named_and_told_why(deep):
    page, table = deep.page, deep.study.tables()["usable_genes"]
    through = table[table["only_through_depth"]]["gene"].tolist()
    assert len(through) > MOST_NAMES
    assert f"{len(through)}pass only through depth" in page.text
    assert f"{table['only_depth_free'].sum()}pass only depth-free" in page.text
    assert (
        f"Not usable given sequencing depth: {', '.join(through[:MOST_NAMES])} "
        f"and {len(through) - MOST_NAMES} more." in page.text
    )
    predicted = f"{table['predicted'].sum()}are predicted, by the test {table['predicted_depth_free'].sum()}"
    assert f"{predicted} depth-free" in page.text
    rows = dict(re.findall(r'<tr data-gene="(\w+)">.*?<td>([^<]*)</td><td data-order', deep.html, re.DOTALL))
    assert {gene for gene, usable in rows.items() if usable == "only through depth"} == set(through)
    assert {gene for gene, usable in rows.items() if usable == "yes"} == set(table[table["usable"]]["gene"])
    scores = table.set_index("gene")["pearson_depth_free"]
    for gene, about in page.genes.items():
        facts = dict(about["facts"])
        assert facts["depth-free r"] == genes.number(scores[gene])
        assert facts["usable"].startswith("no: only through sequencing depth (given it: ") == (
            gene in through
        )


@pytest.mark.parametrize(
    ("lacks", "lacks_depth_free", "said"),
    [
        ((), (), "yes"),
        ((), ("predicted",), "no: only through sequencing depth (given it: not predicted by the test)"),
        (
            ("beats_tuned_ridge",),
            (),
            "no: not better than the tuned ridge (given sequencing depth, it would be)",
        ),
        (
            ("predicted", "worth_predicting"),
            ("predicted",),
            "no: not predicted by the test, noise ceiling too low or unknown",
        ),
    ],
)
def test_a_gene_says_why_it_is_not_usable(lacks, lacks_depth_free, said):
    row = {name: name not in lacks for name in genes.LACKS}
    row |= {f"{name}_depth_free": name not in lacks_depth_free for name in genes.LACKS}
    row |= {
        "usable": not lacks and not lacks_depth_free,
        "only_through_depth": not lacks and bool(lacks_depth_free),
        "only_depth_free": bool(lacks) and not lacks_depth_free,
    }
    table = pd.DataFrame([{"protocol": "p", "gene": "A", **dict.fromkeys(genes.COLUMNS, 0.5), **row}])
    (record,), _ = genes.gene_records(
        ["A"], table, pd.Series(dtype=float), pd.DataFrame(), (), (), "log1p CP10k"
    )
    assert dict(record["facts"])["usable"] == said


def test_differences_to_the_tuned_ridge_are_of_both_scores(deep):
    summary = deep.study.tables()["summary"]
    lead = summary[(summary["panel"] == "all") & (summary["layer"] == "attended")]
    patients = lead[lead["level"] == "patient"].set_index("patient")
    for start, column in (
        ("mean Pearson's r per patient: ", "minus_tuned_ridge"),
        ("Depth-free: ", "minus_tuned_ridge_depth_free"),
    ):
        values = patients[column]
        assert f"{start}P3 {values['P3']:+.3f}, P4 {values['P4']:+.3f}." in deep.page.text


def test_methods_say_what_depth_free_means(rendered):
    (cited,) = re.findall(r"the partial correlation \[(\d+)\] given the logarithm", rendered.page.text)
    references = re.findall("<li>(.*?)</li>", rendered.html)
    assert references[int(cited) - 1].startswith("Yule. On the theory of correlation")
    assert "by its plain scores, and by the depth-free ones." in rendered.page.text


def test_a_zero_has_no_sign():
    assert genes.number(-0.001) == "0.00"
    assert genes.number(-0.006) == "-0.01"
    assert genes.signed(-0.05) == "-0.050"
    assert genes.signed(np.nan) == "undefined"
