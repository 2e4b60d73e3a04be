"""The comparison of encoders, for papers."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ressat.base.layers import BASELINE, MODEL, TUNED_RIDGE
from ressat.figures.labels import label
from ressat.figures.palette import BLUE, INK, ORANGE, QUIET, VERMILION
from ressat.figures.paper_page import ONE_COLUMN, SMALL_TEXT, head, new_figure, say, shortened

ROW_MM, HEAD_MM, LEGEND_MM = 9, 7, 18
# How far apart the layers of an encoder are drawn, in rows; and the height of the mark of a mean, points.
APART, MEAN = 0.27, 7.0
NOTHING = "No gene has a correlation."


def encoders(table: pd.DataFrame) -> Figure:
    """Draw the mean Pearson's r of every encoder: a point for each patient, and a line at their mean.

    Beside each encoder stands the share of the noise ceiling that its model reaches.

    Parameters
    ----------
    table
        results/evaluation/encoders.tsv.
    """
    protocols = list(table["protocol"].unique())
    names = list(table["encoder"].unique())
    height = len(protocols) * (ROW_MM * len(names) + HEAD_MM) + LEGEND_MM
    figure = new_figure(ONE_COLUMN, height, layout="constrained")
    panels = figure.subplots(len(protocols), 1, squeeze=False, sharex=True)[:, 0]
    series = [
        (words, colour, rows)
        for words, colour, model, layer in (
            ("model", BLUE, MODEL, None),
            (label(TUNED_RIDGE), VERMILION, BASELINE, TUNED_RIDGE),
            (label(f"{TUNED_RIDGE}_attended"), ORANGE, BASELINE, f"{TUNED_RIDGE}_attended"),
        )
        if len(rows := table[(table["model"] == model) & ((table["layer"] == layer) | (layer is None))])
    ]
    for index, (axes, protocol) in enumerate(zip(panels, protocols, strict=True)):
        head(axes, protocol, index if len(protocols) > 1 else None, 3)
        for place, (_, colour, rows) in enumerate(series):
            of_protocol = rows[rows["protocol"] == protocol]
            for row, name in enumerate(names):
                y = row + (place - (len(series) - 1) / 2) * APART
                scores = of_protocol[of_protocol["encoder"] == name]
                patients = scores.loc[scores["level"] == "patient", "mean_pearson"].dropna()
                mean = scores.loc[scores["level"] == "study", "mean_pearson"].dropna()
                points = {"color": colour, "markersize": 3, "alpha": 0.6, "markeredgewidth": 0}
                axes.plot(patients, np.full(len(patients), y), "o", **points)
                axes.plot(
                    mean, np.full(len(mean), y), "|", color=colour, markersize=MEAN, markeredgewidth=1.6
                )
        _name_rows(axes, table[(table["protocol"] == protocol) & (table["model"] == MODEL)], names)
        axes.axvline(0, color=INK, linewidth=0.5, zorder=0)
        if table.loc[table["protocol"] == protocol, "mean_pearson"].isna().all():
            say(axes, NOTHING)
    values = table["mean_pearson"].dropna()
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.5)
    panels[-1].set_xlim(min(0.0, low) - 0.02, high + 0.05 * max(high, 0.1) + 0.02)
    panels[-1].set_xlabel("mean Pearson's r: points are patients, lines their mean")
    line = {"marker": "o", "markersize": 3}
    handles = [Line2D([], [], color=colour, label=words, **line) for words, colour, _ in series]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(series))
    return figure


def _name_rows(axes: object, models: pd.DataFrame, names: list[str]) -> None:
    """Name each row's encoder, with the share of the ceiling on the right."""
    axes.set_yticks(range(len(names)), [shortened(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    shares = models[models["level"] == "study"].set_index("encoder")["share_of_ceiling"]
    for row, name in enumerate(names):
        if row:
            axes.axhline(row - 0.5, color=QUIET, linewidth=0.4)
        share = shares.get(name, np.nan)
        if np.isfinite(share):
            axes.annotate(
                f"{100 * share:.0f} % of\nceiling", (1, row), (2, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", va="center", fontsize=SMALL_TEXT,
            )  # fmt: skip
