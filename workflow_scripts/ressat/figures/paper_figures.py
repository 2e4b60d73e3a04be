"""Charts of the scores for papers: how well sections and genes are predicted, and what attention adds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ressat.base.layers import ATTENDED, BASELINE, DIRECT, MODEL, TUNED_RIDGE
from ressat.figures.gene_means import over_patients
from ressat.figures.labels import label
from ressat.figures.name_places import WITH_LINE, name_places
from ressat.figures.palette import BLUE, GREEN, INK, ORANGE, QUIET, SKY, VERMILION
from ressat.figures.paper_page import (
    ONE_COLUMN,
    POINT,
    SMALL_TEXT,
    head,
    legend_above,
    new_figure,
    points_of,
    say,
    shortened,
    square_panels,
)

# Rows of a page; a study with more test sections has a row for each patient.
MOST_ROWS = 36
ROW_MM, HEAD_MM, LEGEND_MM = 6.5, 7, 19
# Ends of a box's whiskers, percentiles.
WHISKERS = (5, 95)
MOST_NAMES = 6
# How far beyond the axis genes without a noise ceiling are drawn, and the line that separates them; shares
# of the axis.
NO_CEILING, APART = 0.12, 0.05
# Line between a point and its name.
LEADER = {"arrowstyle": "-", "linewidth": 0.4, "color": INK, "shrinkA": 0, "shrinkB": POINT / 2}
NOTHING = "No gene has a correlation."


def accuracy(per_gene: pd.DataFrame, headline: str) -> Figure:
    """Draw how Pearson's r is distributed over genes in every test section, by patient.

    Next to it are the same given sequencing depth and the tuned ridge, and of the genes that have a noise
    ceiling both r and ceiling. Each row gives their number, and that of all genes. With more than 36 test
    sections there is a row for each patient, with the genes of all its sections.

    Parameters
    ----------
    per_gene
        results/evaluation/per_gene.tsv.
    headline
        The headline layer.
    """
    lead = _of_layer(per_gene, MODEL, headline)
    ridge = _of_layer(per_gene, BASELINE, TUNED_RIDGE)
    by = ["patient", "fold", "section"] if len(_keys(lead, ["fold", "section"])) <= MOST_ROWS else ["patient"]
    protocols = list(lead["protocol"].unique())
    rows = [_keys(lead[lead["protocol"] == protocol], by) for protocol in protocols]
    counts = [len(keys) for keys in rows]
    height = ROW_MM * sum(counts) + HEAD_MM * len(rows) + LEGEND_MM
    figure = new_figure(ONE_COLUMN, height, layout="constrained")
    panels = figure.subplots(len(rows), 1, squeeze=False, height_ratios=counts, sharex=True)[:, 0]
    lead = lead.dropna(subset=["pearson"])
    with_ceiling = lead.dropna(subset=["ceiling"])
    series = (
        (label(headline), BLUE, lead, "pearson"),
        ("depth-free", SKY, lead, "pearson_depth_free"),
        (label(TUNED_RIDGE), VERMILION, ridge, "pearson"),
        (f"{label(headline)}, genes with a ceiling", GREEN, with_ceiling, "pearson"),
        ("their noise ceiling", QUIET, with_ceiling, "ceiling"),
    )
    for index, (axes, protocol, keys) in enumerate(zip(panels, protocols, rows, strict=True)):
        for place, (_, colour, table, column) in enumerate(series):
            groups = dict(list(table[table["protocol"] == protocol].groupby(by)[column]))
            values = [groups[key].dropna().to_numpy() if key in groups else np.array([]) for key in keys]
            _boxes(axes, values, (place - 2) * 0.17, colour)
        axes.axvline(0, color=INK, linewidth=0.5, zorder=0)
        numbers = (
            {key: len(group) for key, group in table[table["protocol"] == protocol].groupby(by)}
            for table in (with_ceiling, lead)
        )
        _name_rows(axes, keys, by, *numbers)
        head(axes, protocol, index if len(rows) > 1 else None, 3)
    values_of_all = pd.concat([table[column] for _, _, table, column in series])
    panels[-1].set_xlim(min(-0.1, values_of_all.min() if values_of_all.notna().any() else 0.0) - 0.03, 1.03)
    panels[-1].set_xlabel("Pearson's r over spots, a value for each gene")
    # A legend is filled column by column: all genes in its first line, those with a ceiling in the second.
    handles = [
        Patch(facecolor=colour, label=name) for name, colour, *_ in (series[i] for i in (0, 3, 1, 4, 2))
    ]
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=3,
        handlelength=0.8,
        handleheight=0.8,
        columnspacing=0.8,
    )
    return figure


def genes(usable_genes: pd.DataFrame) -> Figure:
    """Draw every gene's mean Pearson's r against its noise ceiling; the best usable ones are named.

    Both are over the sections in which the gene has a ceiling.

    Parameters
    ----------
    usable_genes
        results/evaluation/usable_genes.tsv.
    """
    figure, panels = square_panels(usable_genes["protocol"].unique(), legend_lines=2)
    labels = []
    for axes, (_, table) in zip(panels, usable_genes.groupby("protocol", sort=False), strict=True):
        axes.set_xlabel("noise ceiling (Pearson's r)")
        axes.set_ylabel("mean Pearson's r over patients")
        table = table.dropna(subset="pearson").reset_index(drop=True)
        if table.empty:
            say(axes, NOTHING)
            continue
        labels.append((axes, *_against_ceiling(axes, table), _best(table)))
    _write_names(figure, labels)
    return figure


def attention(per_gene: pd.DataFrame) -> Figure:
    """Draw every gene's mean Pearson's r with attention against that without, and count the genes it helps.

    Parameters
    ----------
    per_gene
        results/evaluation/per_gene.tsv.
    """
    figure, panels = square_panels(per_gene["protocol"].unique())
    for axes, (_, table) in zip(panels, per_gene.groupby("protocol", sort=False), strict=True):
        axes.set_xlabel("mean Pearson's r, direct")
        axes.set_ylabel("mean Pearson's r, attended")
        both = pd.DataFrame(
            {name: over_patients(_of_layer(table, MODEL, name)) for name in (DIRECT, ATTENDED)}
        ).dropna()
        if both.empty:
            say(axes, NOTHING)
            continue
        direct, attended = both[DIRECT].to_numpy(), both[ATTENDED].to_numpy()
        low, high = both.min(axis=None), both.max(axis=None)
        margin = max(0.05 * (high - low), 0.02)
        limits = low - margin, high + margin
        axes.plot(limits, limits, color=INK, linewidth=0.6, linestyle="--")
        better, worse = attended > direct, attended < direct
        points_of(axes, direct[better], attended[better], BLUE, f"attended higher ({better.sum()})")
        points_of(axes, direct[worse], attended[worse], VERMILION, f"direct higher ({worse.sum()})")
        same = ~(better | worse)
        if same.any():
            points_of(axes, direct[same], attended[same], QUIET, f"the same ({same.sum()})")
        axes.set(xlim=limits, ylim=limits)
        legend_above(axes)
    return figure


def _of_layer(per_gene: pd.DataFrame, model: str, layer: str) -> pd.DataFrame:
    return per_gene[(per_gene["model"] == model) & (per_gene["layer"] == layer)]


def _keys(table: pd.DataFrame, by: Sequence[str]) -> list[tuple[str, ...]]:
    """Values of some columns, each combination once; those with the same first value together."""
    keys = list(dict.fromkeys(zip(*(table[name] for name in by), strict=True)))
    first = {key[0]: place for place, key in reversed(list(enumerate(keys)))}
    return sorted(keys, key=lambda key: first[key[0]])


def _boxes(axes: Axes, values: list[np.ndarray], aside: float, colour: str) -> None:
    """Draw a box for each row that has values, ``aside`` from the row's middle."""
    filled = [row for row, of_row in enumerate(values) if of_row.size]
    if not filled:
        return
    boxes = axes.boxplot(
        [values[row] for row in filled], positions=np.array(filled) + aside, orientation="horizontal",
        widths=0.13, whis=WHISKERS, showfliers=False, patch_artist=True, manage_ticks=False,
    )  # fmt: skip
    for part in boxes["boxes"]:
        part.set(facecolor=colour, edgecolor=colour, linewidth=0.6)
    for part in [*boxes["whiskers"], *boxes["caps"]]:
        part.set(color=colour, linewidth=0.8)
    for part in boxes["medians"]:
        part.set(color="white", linewidth=1.1)


def _name_rows(
    axes: Axes, keys: list[tuple[str, ...]], by: Sequence[str], with_ceiling: Mapping, scored: Mapping
) -> None:
    """Name each row's section with its numbers of genes, and its patient on the right, and part the patients.

    In the row of a patient, a gene has a value in each section.
    """
    words = "values" if len(by) == 1 else "genes"
    names = [
        f"{shortened(key[-1])}\n{with_ceiling.get(key, 0)} of {scored.get(key, 0)} {words}" for key in keys
    ]
    axes.set_yticks(range(len(keys)), names, linespacing=0.95)
    axes.set_ylim(len(keys) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    if len(by) == 1:
        return
    before = None
    for row, (patient, *_, section) in enumerate(keys):
        if patient == before:
            continue
        before = patient
        if row:
            axes.axhline(row - 0.5, color=QUIET, linewidth=0.4)
        if patient != section:
            axes.annotate(
                f"patient {shortened(patient)}", (1, row), (2, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", va="center_baseline", fontsize=SMALL_TEXT,
            )  # fmt: skip


def _against_ceiling(axes: Axes, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Draw the genes of a protocol; return their points, and places on the line where r is the ceiling."""
    without = table["ceiling"].isna().to_numpy()
    r = np.where(without, table["pearson"], table["pearson_with_ceiling"])
    left, low = np.nanmin([*table["ceiling"], 0.9]) - 0.04, min(0.0, r.min() - 0.05)
    span = 1 - left
    # Spread sideways by the golden ratio, so that genes without a ceiling do not hide one another.
    aside = 1 + span * (NO_CEILING + 0.1 * ((np.arange(len(table)) * 0.618) % 1 - 0.5))
    points = np.column_stack([np.where(without, aside, table["ceiling"]), r])
    line = np.repeat(np.linspace(max(left, low), 1, 300)[:, None], 2, axis=1)
    axes.plot(*line.T, color=INK, linewidth=0.6, linestyle="--", label="r = ceiling")
    axes.axhline(0, color=INK, linewidth=0.5, zorder=0)
    usable, through = (table[name].to_numpy(dtype=bool) for name in ("usable", "only_through_depth"))
    for group, colour, words in (
        (~usable & ~through, QUIET, "not usable"),
        (through, ORANGE, "only through depth"),
        (usable, BLUE, "usable"),
    ):
        points_of(axes, *points[group].T, colour, f"{words} ({group.sum()})")
    axes.set(xlim=(left, 1 + span * (NO_CEILING + 0.07 if without.any() else 0.03)), ylim=(low, 1.03))
    if without.any():
        axes.axvline(1 + span * APART, color=QUIET, linewidth=0.5, zorder=0)
        ticks = [float(tick) for tick in axes.get_xticks() if left <= tick <= 1]
        digits = 1 if np.allclose(ticks, np.round(ticks, 1)) else 2
        words = [*(f"{tick:.{digits}f}" for tick in ticks), f"none\n({without.sum()})"]
        axes.set_xticks([*ticks, 1 + span * NO_CEILING], words)
    legend_above(axes, columns=2)
    return points, line


def _best(table: pd.DataFrame) -> dict[int, str]:
    """Names of the best genes by their row: of the usable ones, or of all where none is usable."""
    best = table[table["usable"] == table["usable"].any()].nlargest(MOST_NAMES, "pearson")
    return {int(row): shortened(gene) for row, gene in best["gene"].items()}


def _write_names(figure: Figure, panels: list[tuple[Axes, np.ndarray, np.ndarray, dict[int, str]]]) -> None:
    """Write names beside some points of each panel, where there is room."""
    # Only now is it known where points are on the page; from here on nothing may move.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    pixel = 72 / figure.dpi
    for axes, points, line, names in panels:
        texts = [
            axes.annotate(name, (0, 0), fontsize=SMALL_TEXT, annotation_clip=False) for name in names.values()
        ]
        sizes = [text.get_window_extent(figure.canvas.get_renderer()).size for text in texts]
        on_page, line = axes.transData.transform(points), axes.transData.transform(line)
        corners = name_places(on_page, list(names), sizes, axes.bbox.extents, POINT / pixel / 2, line)
        for text, row, corner, size in zip(texts, names, corners, sizes, strict=True):
            text.remove()
            if corner is None:
                continue
            # Relative to the point, so that it holds at any resolution.
            away = np.array(corner) - on_page[row]
            nearest = np.zeros(2).clip(away, away + size)
            how = {"xy": points[row], "textcoords": "offset points"}
            axes.annotate(text.get_text(), xytext=away * pixel, fontsize=SMALL_TEXT, va="bottom", **how)
            if np.abs(nearest).max() > WITH_LINE * size[1]:
                axes.annotate("", xytext=nearest * pixel, arrowprops=LEADER, **how)
