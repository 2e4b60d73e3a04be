"""The report's charts of what is reached of the noise ceiling: a score and a ceiling of the same genes."""

import pandas as pd
import plotly.graph_objects as go

from ressat.base.layers import MODEL
from ressat.evaluation.depth import BOTH, depth_free
from ressat.figures.palette import BLUE, ORANGE, QUIET, SKY
from ressat.report.answer import Scores
from ressat.report.figure_json import AROUND_PX, as_json, literal, numbers
from ressat.report.words import DEPTH_FREE, PLAIN, number_of_genes

# Height of a row for each score of a section, px.
ROW_PX = 26


def sections_against_ceiling(scores: Scores, headline: str) -> str:
    """Draw every test section's mean Pearson beside the mean ceiling of the same genes, plain and depth-free.

    Each row names their number. A section without any such gene has an empty row.
    """
    rows = scores.per_section
    lead = rows[(rows["model"] == MODEL) & (rows["layer"] == headline)]
    names, ceiling = [], {"symbol": "line-ns", "size": 12, "line": {"width": 3, "color": QUIET}}
    for row in lead.to_dict("records"):
        for words, of in zip((PLAIN, DEPTH_FREE), BOTH, strict=True):
            section = f"{row['section']} ({row['patient']}), " if of is str else ""
            names.append(literal(f"{section}{words}: {number_of_genes(row[of('n_with_ceiling')])}"))
    figure = go.Figure()
    for offset, of, words, colour in (
        (0, str, f"ResSAT, {headline}", BLUE),
        (1, depth_free, f"the same, {DEPTH_FREE}", SKY),
    ):
        for name, column, marker in (
            ("noise ceiling", "mean_ceiling_with_pearson", ceiling),
            (words, "mean_pearson_with_ceiling", {"symbol": "circle", "size": 10, "color": colour}),
        ):
            figure.add_scatter(
                x=numbers(lead[of(column)]), y=list(range(offset, len(names), 2)), mode="markers",
                marker=marker, name=literal(name), legendgroup=name,
                showlegend=marker is not ceiling or offset == 0,
                hovertemplate=f"{literal(name)}: %{{x:.3f}}<extra></extra>",
            )  # fmt: skip
    figure.update_xaxes(title="mean over these genes", rangemode="tozero")
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5], showgrid=False
    )
    return as_json(figure, height=AROUND_PX + ROW_PX * max(len(names), 2))


def genes_against_ceiling(table: pd.DataFrame) -> str:
    """Draw each gene's mean Pearson over its noise ceiling, both over the sections in which it has one.

    A point carries its gene's name. Genes that are usable only through sequencing depth stand out from the
    others that are not usable.

    Parameters
    ----------
    table
        Rows of results/evaluation/usable_genes.tsv.
    """
    figure = go.Figure()
    points = table.dropna(subset=["pearson_with_ceiling", "ceiling"])
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": QUIET, "dash": "dot"}, name="all counts allow",
        hoverinfo="skip",
    )  # fmt: skip
    usable, through = (points[name].astype(bool) for name in ("usable", "only_through_depth"))
    for group, name, colour, symbol in (
        (~usable & ~through, "not usable", QUIET, "circle-open"),
        (through, "only through depth", ORANGE, "diamond"),
        (usable, "usable", BLUE, "circle"),
    ):
        rows = points[group]
        figure.add_scatter(
            x=numbers(rows["ceiling"]), y=numbers(rows["pearson_with_ceiling"]), mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 7}, name=f"{name} ({len(rows)})",
            customdata=rows["gene"].tolist(),
            text=[literal(gene) for gene in rows["gene"]],
            hovertemplate="%{text}<br>r %{y:.3f}, ceiling %{x:.3f}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="noise ceiling", range=[0, 1.02])
    figure.update_yaxes(title="mean Pearson's r in the same sections")
    return as_json(figure, height=420)
