"""The report's charts, made with plotly: what a figure shows, as the JSON that plotly.js draws."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ressat.base.layers import ATTENDED, BASELINE, DIRECT, MODEL, TUNED_RIDGE
from ressat.evaluation.depth import depth_free
from ressat.evaluation.panels import ALL_GENES
from ressat.figures.gene_means import over_patients
from ressat.figures.palette import BLUE, GREEN, INK, QUIET, SKY, VERMILION
from ressat.report.answer import Scores
from ressat.report.ceiling_charts import genes_against_ceiling, sections_against_ceiling
from ressat.report.figure_json import AROUND_PX, ROW_PX, as_json, literal, numbers
from ressat.report.words import DEPTH_FREE, number_of_genes

PANELS = {
    ALL_GENES: "all genes",
    "hvg": "most variable",
    "heg": "most expressed",
    "svg": "spatially variable",
}


def of_scores(scores: Scores, per_section: pd.DataFrame, headline: str) -> dict[str, str]:
    """Draw all charts of scores, separately for each protocol.

    Parameters
    ----------
    scores
        Tables over all genes.
    per_section
        results/evaluation/per_section.tsv with all panels.
    headline
        The layer that leads.

    Returns
    -------
    dict of str, str
        Figures by name: ``accuracy-0``, ``ceiling-0``, ... for the first protocol, and so on.
    """
    figures = {}
    for index, (protocol, tables) in enumerate(scores.by_protocol()):
        panels = per_section[per_section["protocol"] == protocol]
        figures |= {
            f"accuracy-{index}": section_scores(tables, headline),
            f"share-{index}": sections_against_ceiling(tables, headline),
            f"ceiling-{index}": genes_against_ceiling(tables.usable_genes),
            f"distribution-{index}": distributions(tables, headline),
            f"panels-{index}": panel_scores(panels, headline),
            f"attention-{index}": attention_gain(tables.per_gene),
        }
    return figures


def of_folds(folds: Sequence[Mapping]) -> dict[str, str]:
    """Draw both stages of training of every fold: ``selection-0``, ``final-0`` and so on.

    Parameters
    ----------
    folds
        See `ressat.report.provenance.training`.
    """
    figures = {}
    for index, fold in enumerate(folds):
        stages = dict(iter(fold["history"].groupby("stage")))
        figures[f"selection-{index}"] = training_curves(stages["selection"], fold["chosen"])
        figures[f"final-{index}"] = training_curves(stages["final"], None)
    return figures


def section_scores(scores: Scores, headline: str) -> str:
    """Draw every test section's mean per-gene Pearson, plain and depth-free, beside the tuned ridge."""
    rows = scores.per_section
    lead = rows[(rows["model"] == MODEL) & (rows["layer"] == headline)]
    ridge = rows[(rows["model"] == BASELINE) & (rows["layer"] == TUNED_RIDGE)]
    ridge = ridge.set_index(["fold", "section"])["mean_pearson"]
    genes = lead["n_genes"] - lead["n_undefined"]
    places = [
        literal(f"{row.section} ({row.patient}), {number_of_genes(count)}")
        for row, count in zip(lead.itertuples(), genes, strict=True)
    ]
    beside = ridge.reindex(pd.MultiIndex.from_frame(lead[["fold", "section"]]))
    twins = lead[depth_free("mean_pearson")]
    figure = go.Figure()
    for name, values, marker in (
        ("tuned ridge", beside, {"symbol": "square", "size": 10, "color": VERMILION}),
        (f"ResSAT, {headline}", lead["mean_pearson"], {"symbol": "circle", "size": 13, "color": BLUE}),
        (f"the same, {DEPTH_FREE}", twins, {"symbol": "circle", "size": 9, "color": SKY}),
    ):  # fmt: skip
        figure.add_scatter(
            x=numbers(values), y=places, mode="markers", marker=marker, name=literal(name),
            hovertemplate=f"%{{y}}<br>{literal(name)}: %{{x:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="mean Pearson's r over all genes", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", type="category", gridcolor="#e3e8ec")
    return as_json(figure, height=AROUND_PX + ROW_PX * max(len(places), 2))


def distributions(scores: Scores, headline: str) -> str:
    """Draw how Pearson's r is distributed over the genes of every test section."""
    rows = scores.per_gene
    lead = rows[(rows["model"] == MODEL) & (rows["layer"] == headline)]
    figure = go.Figure()
    for (_, section), group in lead.groupby(["fold", "section"], sort=False):
        figure.add_box(
            x=numbers(group["pearson"].dropna()), name=literal(section), marker={"color": BLUE, "size": 3},
            line={"width": 1.2}, boxpoints="outliers", showlegend=False, hoverinfo="x",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": INK, "width": 1})
    figure.update_xaxes(title=f"Pearson's r of each gene, {literal(headline)}")
    figure.update_yaxes(autorange="reversed", type="category")
    return as_json(figure, height=AROUND_PX + ROW_PX * max(lead.groupby(["fold", "section"]).ngroups, 2))


def panel_scores(per_section: pd.DataFrame, headline: str) -> str:
    """Draw the mean Pearson of every test section over the genes of each panel.

    Parameters
    ----------
    per_section
        results/evaluation/per_section.tsv with all panels.
    headline
        The layer that leads.
    """
    lead = per_section[(per_section["model"] == MODEL) & (per_section["layer"] == headline)]
    figure = go.Figure()
    for (panel, name), colour, symbol in zip(
        PANELS.items(),
        (INK, BLUE, VERMILION, GREEN),
        ("line-ns-open", "circle", "square", "diamond"),
        strict=True,
    ):
        rows = lead[lead["panel"] == panel]
        counts = rows["n_genes"] - rows["n_undefined"]
        figure.add_scatter(
            x=numbers(rows["mean_pearson"]), y=[literal(section) for section in rows["section"]],
            marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2}}, mode="markers",
            name=f"{name} ({_range(counts)})", customdata=[[count] for count in counts],
            hovertemplate=f"%{{y}}, {name}: %{{x:.3f}} over %{{customdata[0]}} genes<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="mean Pearson's r over the genes of a panel", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", type="category")
    return as_json(figure, height=AROUND_PX + ROW_PX * max(lead["section"].nunique(), 2))


def attention_gain(per_gene: pd.DataFrame) -> str:
    """Draw each gene's mean Pearson before and after spot interaction.

    Parameters
    ----------
    per_gene
        results/evaluation/per_gene.tsv.
    """
    model = per_gene[per_gene["model"] == MODEL]
    layers = (DIRECT, ATTENDED)
    table = pd.DataFrame({name: over_patients(model[model["layer"] == name]) for name in layers}).dropna()
    direct, attended = table[DIRECT], table[ATTENDED]
    ends = [float(np.r_[direct, attended, 0].min()), float(np.r_[direct, attended, 0.1].max())]
    figure = go.Figure()
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line={"color": QUIET, "dash": "dot"}, name="unchanged", hoverinfo="skip"
    )
    for name, rows, colour in (
        ("better attended", table[attended > direct], BLUE),
        ("not better", table[attended <= direct], VERMILION),
    ):  # fmt: skip
        figure.add_scatter(
            x=numbers(rows[DIRECT]), y=numbers(rows[ATTENDED]), mode="markers",
            marker={"color": colour, "size": 6, "opacity": 0.7}, name=f"{name} ({len(rows)})",
            customdata=rows.index.tolist(), text=[literal(gene) for gene in rows.index],
            hovertemplate="%{text}<br>direct %{x:.3f}, attended %{y:.3f}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="r of direct prediction")
    figure.update_yaxes(title="r of attended prediction")
    return as_json(figure, height=420)


def training_curves(history: pd.DataFrame, mark: int | None) -> str:
    """Draw both loss terms of one stage of a fold's training.

    Parameters
    ----------
    history
        Rows of results/folds/{fold}/history.tsv.
    mark
        The step that was chosen, marked by a line; None for no mark.
    """
    figure = go.Figure()
    for term, colour in (("direct", BLUE), ("attended", VERMILION)):
        for spots, words, dash in (("learnt", "learnt from", "solid"), ("held_back", "held back", "dash")):
            losses = history[f"{spots}_{term}"]
            if losses.isna().all():
                continue
            # A dot, because a stage with a single row has no line.
            figure.add_scatter(
                x=history["step"].tolist(), y=numbers(losses), name=f"{term}, {words}",
                mode="lines+markers" if len(history) == 1 else "lines",
                line={"color": colour, "dash": dash, "width": 2},
                hovertemplate=f"step %{{x}}, {term}, {words}: %{{y:.3f}}<extra></extra>",
            )  # fmt: skip
    if mark is not None:
        figure.add_vline(x=mark, line={"color": INK, "dash": "dot", "width": 1.5})
    figure.update_xaxes(title="step")
    figure.update_yaxes(title="mean squared error (z units)")
    return as_json(figure, height=360)


def _range(counts: pd.Series) -> str:
    """The lowest and the highest of some numbers, or the one that they all are; 0 without any."""
    ends = (counts.min(), counts.max()) if len(counts) else (0,)
    return " to ".join(dict.fromkeys(f"{end:.0f}" for end in ends))
